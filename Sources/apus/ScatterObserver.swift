import Decks
import Dynamics
import Foundation
import Matter
import Parallel
import Scattering
import Trajectory

/// The block `scatter` of a stage: frames go into `STAGE/scatter.spool` while the stage runs, and at
/// its end the result into `STAGE/scatter.nc`, as `apus scatter` would make it of the same frames.
final class ScatterObserver: StageObserver {
  private let plan: ScatterPlan
  private let collector: ScatterCollector
  private let folder: String
  private let spool: String
  private let target: Double?
  private let attributes: [(String, String)]
  private let warn: (String) -> Void

  /// An observer of a stage that begins, or goes on with what a checkpoint kept.
  init(
    _ plan: ScatterPlan, run: RunPlan, stage index: Int, elements: [Element],
    memory: [String: [Double]], folder: String, team: ThreadTeam, warn: @escaping (String) -> Void
  ) throws {
    let stage = run.stages[index]
    self.plan = plan
    self.folder = folder
    self.warn = warn
    spool = folder + "/scatter.spool"
    target = Self.temperature(of: stage)
    try FileLayer.makeDirectory(spool)
    let every = stage.scatter?.every ?? 1
    collector = try ScatterCollector(
      plan, facts: Self.facts(stage, elements: elements, timestepFs: run.timestepFs ?? 1),
      isMoving: Self.cellMoves(in: stage), team: team, spool: spool, memory: memory)
    attributes = [
      ("title", "\(run.title), stage \(stage.name)"), ("program", "apus \(Apus.version)"),
      ("deck", ScatterDeck.text(plan)),
      ("sources", "stage \(stage.name) while it ran, every \(every) steps"),
      ("run_deck", run.yaml),
    ]
  }

  /// What the frames of a stage will be.
  static func facts(
    _ stage: RunPlan.Stage, elements: [Element], timestepFs: Double
  ) -> ScatterCollector.Facts {
    let every = stage.scatter?.every ?? 1
    return ScatterCollector.Facts(
      elements: elements, timestep: Double(every) * timestepFs, frameCount: stage.steps / every,
      hasVelocities: true)
  }

  /// Whether the cell changes during a stage.
  static func cellMoves(in stage: RunPlan.Stage) -> Bool {
    if case .npt = stage.ensemble { true } else { false }
  }

  /// The temperature of the thermostat, if it has one that stays.
  private static func temperature(of stage: RunPlan.Stage) -> Double? {
    switch stage.ensemble {
    case .nvt(let t, _), .npt(let t, _, _, _): t.from == t.to ? t.from : nil
    case .nve, .minimize: nil
    }
  }

  func observe(
    cell: Cell, positions: borrowing Vectors, velocities: borrowing Vectors, temperature: Double
  ) throws {
    try collector.add(
      cell: cell, positions: positions, velocities: velocities, temperature: temperature)
  }

  func synchronize() throws { try collector.sync() }

  var memory: [String: [Double]] { collector.memory }

  func finish() throws {
    var table = ScatterTable(try collector.result())
    table.temperature = plan.temperature ?? target ?? table.temperature
    for note in table.notes { warn(note) }
    var derived: DerivedScattering?
    do throws(InputError) {
      derived = try DerivedScattering(table, plan: plan)
    } catch { warn("\(folder)/scatter.nc holds the raw functions only: \(error)") }
    try ScatterResultFile.write(
      table, derived: derived, attributes: attributes, to: folder + "/scatter.nc")
  }

  func discard() { try? FileManager.default.removeItem(atPath: spool) }
}

/// What can be said of the `scatter` of a run's stages before it starts.
enum ScatterPreflight {
  /// A line for each stage, for people.
  /// - Throws: all that is wrong.
  static func check(
    _ scatter: [Int: ScatterPlan], run: RunPlan, structure: Structure
  ) throws -> [String] {
    var errors: [InputError] = []
    var lines: [String] = []
    for (index, plan) in scatter.sorted(by: { $0.key < $1.key }) {
      let stage = run.stages[index]
      func add(_ list: [InputError]) {
        errors += list.map {
          InputError(
            "stage \(stage.name), scatter: \($0.message)", remedy: $0.remedy, file: $0.file)
        }
      }
      guard structure.periodicity == .all, let cell = structure.cell else {
        add([
          InputError(
            "q-points belong to the reciprocal lattice of a cell, and the structure has none",
            remedy: "Remove the key")
        ])
        continue
      }
      let hasOtherCell =
        ScatterObserver.cellMoves(in: stage)
        || run.stages[..<index].contains { ScatterObserver.cellMoves(in: $0) }
      if case .cartesian(_, false) = plan.points, hasOtherCell {
        add([
          InputError(
            "points in 1/Å cannot be commensurate with a cell that is not known yet",
            remedy: "Give hkl, or snap: true")
        ])
        continue
      }
      do {
        _ = try plan.scatteringWeights(
          of: Set(structure.elements).sorted { $0.symbol < $1.symbol })
        let facts = ScatterObserver.facts(
          stage, elements: structure.elements, timestepFs: run.timestepFs ?? 1)
        let points = try ScatterPoints(
          plan.points, cell: cell, atomCount: structure.count, isMoving: false)
        let estimate = try ScatterEstimate(plan, facts: facts, points: points, shard: nil)
        if let error = RunEstimate.memoryObstacle(Double(estimate.results)) { add([error]) }
        if let free = FileLayer.freeSpace(at: run.output), estimate.frames > free {
          add([
            InputError(
              "frames take \(Decimal.bytes(Double(estimate.frames))) until the stage ends, "
                + "\(Decimal.bytes(Double(free))) are free",
              remedy: "Take fewer frames (`every`) or q-points, or another disk with --output")
          ])
        }
        let spacing = 2 * facts.timestep
        lines.append(
          "scatter of \(stage.name): \(points.rows.count) q-points, \(facts.frameCount) frames, "
            + "energies to \(Decimal.short(2 * Double.pi / spacing * Units.excitationEnergy)) meV, "
            + "\(Decimal.bytes(Double(estimate.frames))) of disk until the stage ends")
      } catch let error as InputErrors {
        add(error.errors)
      } catch let error as InputError {
        add([error])
      }
    }
    guard errors.isEmpty else { throw InputErrors(errors) }
    return lines
  }
}
