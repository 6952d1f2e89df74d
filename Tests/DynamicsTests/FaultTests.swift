import Dynamics
import Foundation
import Glibc
import Matter
import TestSupport
import Testing
import Trajectory

/// Faults of the file layer and of libnetcdf at every single call of a short run.
@Suite struct FaultTests {
  /// Two stages, frames and rows, and a checkpoint after every step.
  private static func run() throws -> ShortRun {
    let kelvin = RunPlan.Ramp(from: 60, to: 60)
    let thermostat = RunPlan.Thermostat.noseHoover(relaxationFs: 100, chain: 3)
    var stages = [
      ShortRun.stage(
        .npt(
          temperature: kelvin, thermostat: thermostat, pressure: .scalar(.init(from: 0, to: 0)),
          barostat: .mtk(coupling: .triclinic, relaxationFs: 500)), steps: 4, name: "first"),
      ShortRun.stage(
        .nvt(temperature: kelvin, thermostat: thermostat), steps: 2, name: "second",
        cell: .mean(stage: "first", discardFs: nil)),
    ]
    stages[0].trajectory = .init(every: 3, velocities: true, forces: false)
    stages[0].thermoEvery = 1
    stages[1].trajectory = nil
    stages[1].thermoEvery = 1
    var run = try ShortRun.argon(stages)
    run.plan.checkpointEvery = 0
    return run
  }
  private static let outputs = [
    "first/thermo.csv", "first/trajectory.nc", "first/topology.pdb", "second/thermo.csv",
    "final.xyz",
  ]
  /// NC_EIO of netcdf.h.
  private static let libraryError: Int32 = -68

  /// An unbroken run, and the number of its calls.
  private static func whole() throws -> (run: ShortRun, calls: [FileCall]) {
    let whole = try run()
    let start = try whole.create()
    let record = FileFaults { _, _, _ in nil }
    #expect(try record.during { try whole.run(start) } == .finished)
    return (whole, record.calls.map(\.call))
  }

  @Test(
    "Whichever call fails, the run says on which path, the checkpoint is whole, and a resume leaves the same files"
  )
  func everyCall() throws {
    let (whole, calls) = try Self.whole()
    defer { whole.remove() }
    #expect(calls.contains(.netCDF) && calls.contains(.rename) && calls.count > 200)
    var failures: Set<FileCall> = []
    for (number, call) in calls.enumerated() {
      let run = try Self.run()
      defer { run.remove() }
      let start = try run.create()
      let faults = FileFaults(
        call: number, code: call == .netCDF ? Self.libraryError : EIO)
      do {
        let outcome = try faults.during { try run.run(start) }
        // Only closing may fail unseen.
        #expect(outcome == .finished && call == .close, "call \(number), \(call)")
      } catch let failure as SimulationFailure {
        failures.insert(call)
        #expect(failure.description.contains(run.path), "call \(number): \(failure)")
        #expect(
          failure.description.contains(
            call == .netCDF ? "NetCDF: I/O failure" : "Input/output error"),
          "call \(number): \(failure)")
        #expect(try run.run(run.newest()) == .finished, "call \(number), \(call)")
      }
      #expect(run.differences(from: whole, in: Self.outputs) == [], "call \(number), \(call)")
    }
    #expect(failures == Set(calls).subtracting([.close]))
  }

  @Test("Interrupted calls are repeated: the files are those of an undisturbed run")
  func interruptions() throws {
    let (whole, _) = try Self.whole()
    let run = try Self.run()
    defer { for run in [whole, run] { run.remove() } }
    let start = try run.create()
    let faults = FileFaults { number, call, _ in
      if call == .netCDF { return nil }
      return call == .write && number % 3 == 1 ? .short(7) : number % 2 == 0 ? .code(EINTR) : nil
    }
    #expect(try faults.during { try run.run(start) } == .finished)
    #expect(run.differences(from: whole, in: Self.outputs) == [])
  }

  @Test(
    "After a power loss between any two fsyncs, with everything lost that was not fsynced, a run resumes"
  )
  func powerLoss() throws {
    let (whole, calls) = try Self.whole()
    defer { whole.remove() }
    var steps: Set<Int> = []
    // What is durable changes with an fsync only.
    for end in calls.indices where end == 0 || calls[end - 1] == .synchronize {
      let run = try Self.run()
      defer { run.remove() }
      let start = try run.create()
      let image = DurableImage(of: run.path)
      let faults = FileFaults { number, call, path in
        if number >= end { return .code(EIO) }
        if call == .synchronize { image.note(path) }
        return nil
      }
      _ = try? faults.during { try run.run(start) }
      try image.restore()
      let found = try run.newest()
      steps.insert(found.step)
      #expect(try run.run(found) == .finished, "call \(end)")
      #expect(run.differences(from: whole, in: Self.outputs) == [], "call \(end)")
    }
    #expect(steps == Set(0...6))
  }

  @Test(
    "A run resumes from growing files of any length from their last fsync on, whatever is in their unsynced part"
  )
  func anyLength() throws {
    var stage = ShortRun.stage(
      .nvt(
        temperature: .init(from: 60, to: 60),
        thermostat: .langevin(relaxationFs: 200)), steps: 28)
    stage.thermoEvery = 2
    let run = try ShortRun.argon([stage])
    let whole = try ShortRun.argon([stage])
    defer { for run in [whole, run] { run.remove() } }
    try whole.finish()
    var checkpoint = try run.create()
    while checkpoint.step < 9 {
      _ = try run.run(checkpoint, deadlineAfter: 0)
      checkpoint = try run.newest()
    }
    let names = ["only/trajectory.nc", "only/thermo.csv"]
    let durable = try names.map { try run.contents($0).count }
    #expect(checkpoint.frames == 1 && checkpoint.thermoBytes == durable[1])
    #expect(try run.run(checkpoint) == .finished)
    let last = try names.map { try run.contents($0) }
    #expect(last[0].count > durable[0] + 3000 && last[1].count > durable[1] + 1000)
    for length in stride(from: durable[0], through: last[0].count, by: 97) {
      for (stated, isZero) in [(1 as UInt8, false), (4, false), (1, true), (4, true), (0, false)] {
        var trajectory = last[0].prefix(length)
        // The header goes to the disk on its own.
        trajectory[7] = stated
        if isZero { trajectory.resetBytes(in: durable[0]..<length) }
        let part = (last[1].count - durable[1]) * (length - durable[0]) / last[0].count
        let thermo = last[1].prefix(durable[1] + part)
        for (name, bytes) in zip(names, [trajectory, thermo]) {
          try bytes.write(to: URL(fileURLWithPath: run.path + "/" + name))
        }
        #expect(try run.run(checkpoint) == .finished)
        #expect(run.differences(from: whole) == [], "\(length) bytes, \(stated) frames stated")
      }
    }
    // Less than the fsync promised is an error with the path.
    for (name, bytes) in zip(names, zip(last, durable).map { $0.0.prefix($0.1 - 1) }) {
      try run.contents(name).write(to: URL(fileURLWithPath: run.path + "/kept"))
      try bytes.write(to: URL(fileURLWithPath: run.path + "/" + name))
      let failure = #expect(throws: SimulationFailure.self) { try run.run(checkpoint) }
      #expect(failure?.description.contains(run.path + "/" + name) == true)
      try run.contents("kept").write(to: URL(fileURLWithPath: run.path + "/" + name))
    }
  }

  @Test("Steps are counted on beyond 2^31, in files, checkpoints and noise")
  func manySteps() throws {
    let far = 1 << 31
    var stage = ShortRun.stage(
      .nvt(temperature: .init(from: 60, to: 60), thermostat: .langevin(relaxationFs: 200)),
      steps: far + 10)
    stage.trajectory?.every = 2
    stage.thermoEvery = 1
    let run = try ShortRun.argon([stage])
    let near = try ShortRun.argon([stage])
    defer { for run in [run, near] { run.remove() } }
    var checkpoint = try run.create()
    #expect(try run.run(checkpoint, deadlineAfter: 0) == .stopped("--max-walltime"))
    checkpoint = try run.newest()
    let (step, base) = (checkpoint.step, far - 4)
    checkpoint.step = base
    checkpoint.dynamicsStep = base
    checkpoint.stageStep = base
    #expect(try run.run(checkpoint) == .finished)
    let rows = String(decoding: try run.contents("only/thermo.csv"), as: UTF8.self)
      .split(separator: "\n").dropFirst(2).map { $0.split(separator: ",") }
    #expect(rows.map { String($0[0]) } == (base + 1...far + 10).map(String.init))
    #expect(Double(rows.last?[1] ?? "") == Double(far + 10) * 2 / 1000)
    #expect(try run.newest().step == far + 10)
    let reader = try AmberTrajectoryReader(path: run.path + "/only/trajectory.nc")
    let last = try reader.frame(reader.frameCount - 1).values
    #expect(last.step == far + 10 && last.timePs == Double(far + 10) * 2 / 1000)
    // Noise of steps 2^32 apart differs: no step is cut to 32 bits.
    var energies: Set<String> = []
    for base in [step, step + far, step + 2 * far, step + 4 * far] {
      var start = try near.create()
      #expect(try near.run(start, deadlineAfter: 0) == .stopped("--max-walltime"))
      start = try near.newest()
      start.step = base
      #expect(try near.run(start, deadlineAfter: 0) == .stopped("--max-walltime"))
      energies.insert("\(try near.newest().velocities)")
      near.remove()
    }
    #expect(energies.count == 4)
  }

  @Test("A cell tilted by more than half an edge is warned of once; one within is not")
  func tilt() throws {
    let kelvin = RunPlan.Ramp(from: 60, to: 60)
    let stage = ShortRun.stage(
      .npt(
        temperature: kelvin, thermostat: .bussi(relaxationFs: 100),
        pressure: .scalar(.init(from: 0, to: 0)),
        barostat: .mtk(coupling: .triclinic, relaxationFs: 500)), steps: 5)
    for (shear, expected) in [(0.0, 0), (1, 1)] {
      var unit = NamedSystems.fcc("Ar", edge: 5.3, cells: [2, 2, 2])
      // Another cell of the same crystal.
      unit.cell = try unit.cell.map { try Cell(a: $0.a, b: $0.b + $0.a * shear, c: $0.c) }
      let run = ShortRun([stage], unit, potential: ShortRun.lennardJones)
      defer { run.remove() }
      var warnings: [String] = []
      #expect(try run.run(run.create(), warning: { warnings.append($0) }) == .finished)
      #expect(warnings.count { $0.contains("tilted by more than half an edge") } == expected)
      #expect(warnings.count == expected, "\(warnings)")
    }
  }
}
