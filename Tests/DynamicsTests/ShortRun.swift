import Dynamics
import Foundation
import Matter
import Parallel
import Potentials
import TestSupport
import Testing
import Trajectory

/// A run of a few atoms in its own directory.
struct ShortRun {
  let path: String
  var plan: RunPlan
  let unit: Structure
  let potential: () -> any Potential

  /// In memory where that is possible: these runs write hundreds of checkpoints.
  private static let scratch =
    FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm/" : NSTemporaryDirectory()

  init(
    _ stages: [RunPlan.Stage], _ unit: Structure, timestepFs: Double = 2,
    temperature: Double = 60, potential: @escaping () -> any Potential
  ) {
    path = Self.scratch + "simulation-\(UUID().uuidString)"
    plan = RunPlan(
      title: "short", structure: "short.xyz", supercell: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
      masses: [:], potential: .init(model: "model.txt", precision: .double, head: nil),
      timestepFs: timestepFs, seed: 7, velocities: .temperature(temperature), output: path,
      stages: stages, checkpointEvery: 600)
    self.unit = unit
    self.potential = potential
  }

  /// 32 argon atoms.
  static func argon(_ stages: [RunPlan.Stage]) throws -> ShortRun {
    ShortRun(
      stages, NamedSystems.fcc("Ar", edge: 5.3, cells: [2, 2, 2]), potential: lennardJones)
  }

  static func lennardJones() -> any Potential {
    LennardJones(epsilon: 0.0104, sigma: 3.4, onset: 7, cutoff: 8)
  }

  static func stage(
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

  /// Every ensemble with every thermostat, every coupling of both barostats among them.
  static func ensembles(temperature: RunPlan.Ramp) -> [RunPlan.Ensemble] {
    var all: [RunPlan.Ensemble] = [.nve]
    all += thermostats.map { .nvt(temperature: temperature, thermostat: $0) }
    for thermostat in thermostats {
      for coupling in RunPlan.Coupling.allCases {
        for barostat in [
          RunPlan.Barostat.mtk(coupling: coupling, relaxationFs: 500),
          .stochasticCellRescaling(coupling: coupling, relaxationFs: 500, compressibility: 10),
        ] {
          let pressure: RunPlan.Pressure =
            coupling == .triclinic
            ? .components(Tensor6(xx: 0.001, xy: 0.0005))
            : .scalar(RunPlan.Ramp(from: 0, to: 0.001))
          all.append(
            .npt(
              temperature: temperature, thermostat: thermostat, pressure: pressure,
              barostat: barostat))
        }
      }
    }
    return all
  }

  /// Makes the run directory and its first checkpoint.
  func create() throws -> Checkpoint {
    let team = ThreadTeam(count: 1)
    let potential = potential()
    let preflight = try Preflight(plan: plan, unit: unit, potential: potential, team: team)
    let checkpoint = try Checkpoint.initial(
      preflight.structure, evaluator: ForceEvaluator(potential: potential, team: team))
    _ = try RunDirectory(path).create { draft throws(FileError) in
      try FileLayer.write(checkpoint.bytes, to: draft.checkpoint)
    }
    return checkpoint
  }

  /// Runs on from a checkpoint.
  func run(
    _ checkpoint: Checkpoint, potential: (any Potential)? = nil, threads: Int = 1,
    plan: RunPlan? = nil, deadlineAfter: Double = .infinity,
    warning: @escaping (String) -> Void = { _ in }
  ) throws -> Simulation.Outcome {
    let directory = RunDirectory(path)
    var around = Simulation.Surroundings(
      directory: directory, log: RunLog(path: directory.file("apus.log")) { _ in })
    around.deadline = MonotonicClock.seconds + deadlineAfter
    around.warning = warning
    let evaluator = ForceEvaluator(
      potential: potential ?? self.potential(), team: ThreadTeam(count: threads))
    return try Simulation(
      plan: plan ?? self.plan, checkpoint: checkpoint, evaluator: evaluator, around: around
    ).run()
  }

  /// A whole run from its start.
  func finish(threads: Int = 1) throws {
    #expect(try run(create(), threads: threads) == .finished)
  }

  /// The same run, stopped after every single step, with the number of threads of each piece.
  func finishInPieces(threads: (Int) -> Int) throws {
    var checkpoint = try create()
    var pieces = 0
    // A deadline that has passed stops after every step.
    while try run(checkpoint, threads: threads(pieces), deadlineAfter: 0) != .finished {
      checkpoint = try newest()
      pieces += 1
    }
    #expect(pieces == plan.stages.reduce(0) { $0 + $1.steps })
  }

  func newest() throws -> Checkpoint {
    try RunDirectory(path).newestCheckpoint().get().checkpoint
  }

  func contents(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path + "/" + name))
  }

  /// The names of those files that differ from the other run's.
  func differences(
    from other: ShortRun,
    in names: [String] = ["only/thermo.csv", "only/trajectory.nc", "final.xyz"]
  ) -> [String] {
    names.filter { name in
      guard let a = try? contents(name), let b = try? other.contents(name) else { return true }
      return a != b
    }
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }
}
