import Dynamics
import Foundation
import Matter
import Neighbors
import Parallel
import Potentials
import Testing
import Trajectory

/// A potential that fails as told at a call.
private final class Failing: Potential {
  enum Way { case notANumber, infiniteEnergy, hugeForce }
  let base: any Potential
  let way: Way
  let atCall: Int
  private var calls = 0
  init(_ base: any Potential, _ way: Way, atCall: Int) {
    self.base = base
    self.way = way
    self.atCall = atCall
  }
  var elements: [Element]? { base.elements }
  var cutoff: Double { base.cutoff }
  func evaluate(
    _ configuration: borrowing Configuration, _ neighbors: NeighborList, needing: Requirements,
    team: ThreadTeam, into result: inout Evaluation
  ) throws(ModelError) {
    try base.evaluate(configuration, neighbors, needing: needing, team: team, into: &result)
    calls += 1
    guard calls >= atCall else { return }
    switch way {
    case .notANumber: result.forces[6] = [.nan, 0, 0]
    case .infiniteEnergy: result.energy = .infinity
    case .hugeForce: result.forces[6] = [1200, 0, 0]
    }
  }
}

/// A run of 32 argon atoms in its own directory.
private struct Argon {
  let path: String
  let plan: RunPlan

  init(_ stages: [RunPlan.Stage], cell: [[Double]] = [[10.6, 0, 0], [0, 10.6, 0], [0, 0, 10.6]])
    throws
  {
    path = NSTemporaryDirectory() + "simulation-\(UUID().uuidString)"
    plan = RunPlan(
      title: "argon", structure: "argon.xyz", supercell: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
      masses: [:], potential: .init(model: "argon.txt", precision: .double, head: nil),
      timestepFs: 2, seed: 7, velocities: .temperature(60), output: path, stages: stages,
      checkpointEvery: 600)
    self.cell = cell
  }
  let cell: [[Double]]

  static func potential() -> any Potential {
    LennardJones(epsilon: 0.0104, sigma: 3.4, onset: 7, cutoff: 8)
  }

  func unit() throws -> Structure {
    let argon = try #require(Element(symbol: "Ar"))
    let h = try Cell(
      a: SIMD3(cell[0]), b: SIMD3(cell[1]), c: SIMD3(cell[2]))
    var positions: [SIMD3<Double>] = []
    for i in 0..<2 {
      for j in 0..<2 {
        for k in 0..<2 {
          for basis in [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]] {
            positions.append(
              h.cartesian([
                (Double(i) + basis[0]) / 2, (Double(j) + basis[1]) / 2, (Double(k) + basis[2]) / 2,
              ]))
          }
        }
      }
    }
    return Structure(
      elements: [Element](repeating: argon, count: 32), positions: positions, cell: h,
      periodicity: .all)
  }

  /// Makes the run directory and its first checkpoint.
  func create() throws -> Checkpoint {
    let team = ThreadTeam(count: 1)
    let potential = Self.potential()
    let preflight = try Preflight(plan: plan, unit: unit(), potential: potential, team: team)
    let checkpoint = try Checkpoint.initial(
      preflight.structure, evaluator: ForceEvaluator(potential: potential, team: team))
    _ = try RunDirectory(path).create { draft throws(FileError) in
      try FileLayer.write(checkpoint.bytes, to: draft.checkpoint)
    }
    return checkpoint
  }

  /// Runs on from a checkpoint.
  /// - Parameter pieces: stops after so many progress ticks
  func run(
    _ checkpoint: Checkpoint, potential: (any Potential)? = nil, threads: Int = 1,
    plan: RunPlan? = nil, deadlineAfter: Double = .infinity
  ) throws -> Simulation.Outcome {
    let directory = RunDirectory(path)
    var around = Simulation.Surroundings(
      directory: directory, log: RunLog(path: directory.file("apus.log")) { _ in })
    around.deadline = MonotonicClock.seconds + deadlineAfter
    let evaluator = ForceEvaluator(
      potential: potential ?? Self.potential(), team: ThreadTeam(count: threads))
    return try Simulation(
      plan: plan ?? self.plan, checkpoint: checkpoint, evaluator: evaluator, around: around
    ).run()
  }

  func newest() throws -> Checkpoint {
    try RunDirectory(path).newestCheckpoint().get().checkpoint
  }

  func contents(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path + "/" + name))
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }
}

@Suite(.serialized) struct SimulationTests {
  private static func stage(
    _ ensemble: RunPlan.Ensemble, steps: Int = 60, name: String = "only",
    cell: RunPlan.StartingCell = .last
  ) -> RunPlan.Stage {
    RunPlan.Stage(
      name: name, ensemble: ensemble, steps: steps, cell: cell,
      trajectory: .init(every: 7, velocities: true, forces: true), thermoEvery: 5)
  }

  static let thermostats: [RunPlan.Thermostat] = [
    .noseHoover(relaxationFs: 100, chain: 3), .bussi(relaxationFs: 100),
    .langevin(relaxationFs: 200),
  ]
  static var ensembles: [RunPlan.Ensemble] {
    let warm = RunPlan.Ramp(from: 60, to: 80)
    var all: [RunPlan.Ensemble] = [.nve]
    all += thermostats.map { .nvt(temperature: warm, thermostat: $0) }
    for thermostat in thermostats {
      for coupling in RunPlan.Coupling.allCases {
        all.append(
          .npt(
            temperature: warm, thermostat: thermostat,
            pressure: .scalar(RunPlan.Ramp(from: 0, to: 0.001)),
            barostat: .mtk(coupling: coupling, relaxationFs: 500)))
      }
      all.append(
        .npt(
          temperature: warm, thermostat: thermostat,
          pressure: .components(Tensor6(xx: 0.001, xy: 0.0005)),
          barostat: .stochasticCellRescaling(
            coupling: .triclinic, relaxationFs: 500, compressibility: 10)))
    }
    return all
  }

  @Test(
    "A run continued from a checkpoint in its middle gives the same files as the unbroken one",
    arguments: ensembles)
  func resume(ensemble: RunPlan.Ensemble) throws {
    let stages = [Self.stage(ensemble, steps: 60)]
    let whole = try Argon(stages)
    defer { whole.remove() }
    #expect(try whole.run(whole.create()) == .finished)

    // A deadline that has passed stops after every single step.
    let broken = try Argon(stages)
    defer { broken.remove() }
    var checkpoint = try broken.create()
    for part in 0..<23 {
      #expect(
        try broken.run(checkpoint, threads: 1 + part % 2, deadlineAfter: 0)
          == .stopped("--max-walltime"))
      checkpoint = try broken.newest()
      #expect(checkpoint.step == part + 1)
    }
    #expect(try broken.run(checkpoint, threads: 2) == .finished)
    for name in ["only/thermo.csv", "only/trajectory.nc", "final.xyz"] {
      #expect(try whole.contents(name) == broken.contents(name), "\(name) differs")
    }
    #expect(try whole.newest() == broken.newest())
  }

  @Test("Two stages with a mean cell between them resume exactly, and the cell is the mean")
  func meanCell() throws {
    let npt = RunPlan.Ensemble.npt(
      temperature: .init(from: 60, to: 60), thermostat: .bussi(relaxationFs: 100),
      pressure: .scalar(.init(from: 0, to: 0)),
      barostat: .mtk(coupling: .orthorhombic, relaxationFs: 400))
    let nvt = RunPlan.Ensemble.nvt(
      temperature: .init(from: 60, to: 60), thermostat: .bussi(relaxationFs: 100))
    var first = Self.stage(npt, steps: 40, name: "first")
    first.thermoEvery = 1
    let stages = [
      first, Self.stage(nvt, steps: 20, name: "second", cell: .mean(stage: "first", discardFs: 20)),
    ]
    let whole = try Argon(stages)
    defer { whole.remove() }
    #expect(try whole.run(whole.create()) == .finished)
    // The mean of a over steps 11 to 40, from the rows of the first stage.
    let rows = String(decoding: try whole.contents("first/thermo.csv"), as: UTF8.self)
      .split(separator: "\n").dropFirst().map { $0.split(separator: ",").map { Double($0) ?? 0 } }
    let mean = rows.dropFirst(10).reduce(0) { $0 + $1[16] } / 30
    let second = String(decoding: try whole.contents("second/thermo.csv"), as: UTF8.self)
      .split(separator: "\n")[1].split(separator: ",")
    #expect(rows.count == 40)
    #expect(abs(mean - (Double(second[16]) ?? 0)) < 1e-12)
    #expect(second[0] == "45" && second[1] == "0.09")

    let broken = try Argon(stages)
    defer { broken.remove() }
    var checkpoint = try broken.create()
    while try broken.run(checkpoint, deadlineAfter: 0) != .finished {
      checkpoint = try broken.newest()
    }
    for name in ["first/thermo.csv", "second/thermo.csv", "second/trajectory.nc", "final.xyz"] {
      #expect(try whole.contents(name) == broken.contents(name), "\(name) differs")
    }
  }

  @Test("A raised duration of the last stage gives the files of a run that long from the start")
  func extend() throws {
    let nvt = RunPlan.Ensemble.nvt(
      temperature: .init(from: 60, to: 60),
      thermostat: .noseHoover(relaxationFs: 100, chain: 3))
    let long = try Argon([Self.stage(nvt, steps: 50)])
    defer { long.remove() }
    #expect(try long.run(long.create()) == .finished)
    let short = try Argon([Self.stage(nvt, steps: 33)])
    defer { short.remove() }
    #expect(try short.run(short.create()) == .finished)
    #expect(try short.run(short.newest(), plan: long.plan) == .finished)
    for name in ["only/thermo.csv", "only/trajectory.nc", "final.xyz"] {
      #expect(try long.contents(name) == short.contents(name), "\(name) differs")
    }
  }

  @Test("A damaged newest checkpoint gives way to the one before, with a remark")
  func previous() throws {
    let argon = try Argon([Self.stage(.nve, steps: 30)])
    defer { argon.remove() }
    #expect(try argon.run(argon.create()) == .finished)
    let reference = try argon.contents("only/trajectory.nc")
    var bytes = try argon.contents("checkpoint.nc")
    bytes[bytes.count / 2] ^= 4
    try bytes.write(to: URL(fileURLWithPath: argon.path + "/checkpoint.nc"))
    let found = try RunDirectory(argon.path).newestCheckpoint().get()
    #expect(
      found.remark
        == "checkpoint.nc is incomplete or altered (checksum), using checkpoint.previous.nc, step 0"
    )
    #expect(try argon.run(found.checkpoint) == .finished)
    #expect(try argon.contents("only/trajectory.nc") == reference)
  }

  private func fails(
    _ argon: Argon, _ way: Failing.Way, atCall: Int, says: [String]
  ) throws {
    let checkpoint = try argon.create()
    let before = try argon.newest()
    do {
      _ = try argon.run(
        checkpoint, potential: Failing(Argon.potential(), way, atCall: atCall))
      Issue.record("the run did not fail")
    } catch let failure as SimulationFailure {
      for text in says { #expect(failure.description.contains(text), "\(failure)") }
    }
    #expect(FileLayer.exists(argon.path + "/failed.xyz"))
    #expect(!FileLayer.exists(argon.path + "/final.xyz"))
    #expect(try argon.newest() == before)
  }

  // The first call is that of the stage's start, so call n + 1 is step n.
  @Test("A force that is not a number stops the run at its step, names the atom, keeps checkpoints")
  func notANumber() throws {
    let argon = try Argon([Self.stage(.nve)])
    defer { argon.remove() }
    try fails(
      argon, .notANumber, atCall: 13,
      says: ["step 12", "atom 7 (Ar)", "not finite", "Closest pair", "failed.xyz"])
    let rows = String(decoding: try argon.contents("only/thermo.csv"), as: UTF8.self)
    #expect(rows.split(separator: "\n").count == 3)
  }

  @Test("An infinite energy stops the run")
  func infiniteEnergy() throws {
    let argon = try Argon([Self.stage(.nve)])
    defer { argon.remove() }
    try fails(argon, .infiniteEnergy, atCall: 4, says: ["step 3", "energy"])
  }

  @Test("An atom that moves too far in a step stops the run")
  func tooFast() throws {
    let argon = try Argon([Self.stage(.nve)])
    defer { argon.remove() }
    try fails(argon, .hugeForce, atCall: 9, says: ["step 8", "atom 7 (Ar)", "in one step"])
  }

  @Test("A file that cannot grow stops the run with its name, and the run goes on with room")
  func diskFull() throws {
    let argon = try Argon([Self.stage(.nve, steps: 40)])
    defer { argon.remove() }
    let whole = try Argon([Self.stage(.nve, steps: 40)])
    defer { whole.remove() }
    #expect(try whole.run(whole.create()) == .finished)
    var checkpoint = try argon.create()
    var failures = 0
    for call in stride(from: 1, to: 400, by: 3) {
      let faults = FileFaults(call: call, code: ENOSPC, lasting: true)
      do {
        let outcome = try faults.during { try argon.run(checkpoint) }
        #expect(outcome == .finished)
        break
      } catch let failure as SimulationFailure {
        failures += 1
        #expect(failure.description.contains("No space left on device"), "\(failure)")
        #expect(failure.description.contains(argon.path), "\(failure)")
      }
      checkpoint = try argon.newest()
    }
    #expect(failures > 3)
    for name in ["only/thermo.csv", "only/trajectory.nc", "final.xyz"] {
      #expect(try whole.contents(name) == argon.contents(name), "\(name) differs")
    }
  }

  @Test("A run directory that vanishes stops the run with its path")
  func vanishedDirectory() throws {
    let argon = try Argon([Self.stage(.nve, steps: 1_000_000_000)])
    let checkpoint = try argon.create()
    let path = argon.path
    let remover = Thread {
      Thread.sleep(forTimeInterval: 0.3)
      try? FileManager.default.removeItem(atPath: path)
    }
    remover.start()
    do {
      _ = try argon.run(checkpoint)
      Issue.record("the run did not fail")
    } catch let failure as SimulationFailure {
      #expect(failure.description.contains(path), "\(failure)")
    }
    argon.remove()
  }
}
