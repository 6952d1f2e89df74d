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

@Suite(.serialized) struct SimulationTests {
  @Test(
    "A run continued from a checkpoint in its middle gives the same files as the unbroken one",
    arguments: ShortRun.ensembles(temperature: .init(from: 60, to: 80)))
  func resume(ensemble: RunPlan.Ensemble) throws {
    let stages = [ShortRun.stage(ensemble, steps: 60)]
    let whole = try ShortRun.argon(stages)
    defer { whole.remove() }
    #expect(try whole.run(whole.create()) == .finished)

    // A deadline that has passed stops after every single step.
    let broken = try ShortRun.argon(stages)
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
    var first = ShortRun.stage(npt, steps: 40, name: "first")
    first.thermoEvery = 1
    let stages = [
      first,
      ShortRun.stage(nvt, steps: 20, name: "second", cell: .mean(stage: "first", discardFs: 20)),
    ]
    let whole = try ShortRun.argon(stages)
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

    let broken = try ShortRun.argon(stages)
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
    let long = try ShortRun.argon([ShortRun.stage(nvt, steps: 50)])
    defer { long.remove() }
    #expect(try long.run(long.create()) == .finished)
    let short = try ShortRun.argon([ShortRun.stage(nvt, steps: 33)])
    defer { short.remove() }
    #expect(try short.run(short.create()) == .finished)
    #expect(try short.run(short.newest(), plan: long.plan) == .finished)
    for name in ["only/thermo.csv", "only/trajectory.nc", "final.xyz"] {
      #expect(try long.contents(name) == short.contents(name), "\(name) differs")
    }
  }

  @Test("A damaged newest checkpoint gives way to the one before, with a remark")
  func previous() throws {
    let argon = try ShortRun.argon([ShortRun.stage(.nve, steps: 30)])
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
    _ argon: ShortRun, _ way: Failing.Way, atCall: Int, says: [String]
  ) throws {
    let checkpoint = try argon.create()
    let before = try argon.newest()
    do {
      _ = try argon.run(
        checkpoint, potential: Failing(ShortRun.lennardJones(), way, atCall: atCall))
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
    let argon = try ShortRun.argon([ShortRun.stage(.nve)])
    defer { argon.remove() }
    try fails(
      argon, .notANumber, atCall: 13,
      says: ["step 12", "atom 7 (Ar)", "not finite", "Closest pair", "failed.xyz"])
    let rows = String(decoding: try argon.contents("only/thermo.csv"), as: UTF8.self)
    #expect(rows.split(separator: "\n").count == 3)
  }

  @Test("An infinite energy stops the run")
  func infiniteEnergy() throws {
    let argon = try ShortRun.argon([ShortRun.stage(.nve)])
    defer { argon.remove() }
    try fails(argon, .infiniteEnergy, atCall: 4, says: ["step 3", "energy"])
  }

  @Test("An atom that moves too far in a step stops the run")
  func tooFast() throws {
    let argon = try ShortRun.argon([ShortRun.stage(.nve)])
    defer { argon.remove() }
    try fails(argon, .hugeForce, atCall: 9, says: ["step 8", "atom 7 (Ar)", "in one step"])
  }

  @Test("A file that cannot grow stops the run with its name, and the run goes on with room")
  func diskFull() throws {
    let argon = try ShortRun.argon([ShortRun.stage(.nve, steps: 40)])
    defer { argon.remove() }
    let whole = try ShortRun.argon([ShortRun.stage(.nve, steps: 40)])
    defer { whole.remove() }
    #expect(try whole.run(whole.create()) == .finished)
    var checkpoint = try argon.create()
    var failures = 0
    for call in stride(from: 1, to: 2000, by: 17) {
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
    let argon = try ShortRun.argon([ShortRun.stage(.nve, steps: 1_000_000_000)])
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
