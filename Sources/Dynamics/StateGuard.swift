import Foundation
import Matter
import Neighbors
import Potentials

/// Stops a run whose motion or cell can no longer be right.
struct StateGuard: Sendable {
  /// Volume at the start of the stage, in Å³.
  var startVolume: Double
  /// Beyond this temperature, in K, nothing is meant to be simulated.
  var hottest = 50000.0
  /// The farthest an atom may move in one step, in Å.
  let farthest = 1.0
  private var volume: Double
  private var warned: Set<String> = []
  private var notices: [String] = []

  init(volume: Double) {
    startVolume = volume
    self.volume = volume
  }

  mutating func takeNotices() -> [String] {
    defer { notices = [] }
    return notices
  }

  /// Checks a cell that just moved.
  mutating func checkCell(
    _ cell: Cell, was previous: Double, strain: Matrix3, step: Int
  ) throws(RunError) {
    let volume = cell.volume
    let change = log(volume / previous)
    guard abs(change) <= 0.02 else {
      throw RunError(
        "at step \(step) the volume changed by \(Self.percent(exp(change) - 1)) in one step, from \(Self.short(previous)) to \(Self.short(volume)) Å³; start closer to equilibrium (minimize with its cell, or nvt first) or raise the barostat's relaxation",
        step: step)
    }
    guard volume > startVolume / 2, volume < startVolume * 2 else {
      throw RunError(
        "at step \(step) the volume is \(Self.percent(volume / startVolume)) of that at the start of the stage (\(Self.short(startVolume)) Å³): the structure evaporates or collapses; check the pressure, the temperature and whether the potential is fit for this structure",
        step: step)
    }
    if strain.values.contains(where: { abs($0) > 1e-2 }) {
      warn(
        "the cell strains by more than 1 % in a step (first at step \(step)); raise the barostat's relaxation"
      )
    }
    let tilt = max(abs(cell.b.x), abs(cell.c.x)) / cell.lengths.x
    let tiltB = abs(cell.c.y) / cell.lengths.y
    if cell.isStandard, max(tilt, tiltB) > 0.5 + 1e-6 {
      warn(
        "the cell is tilted by more than half an edge (first at step \(step)); it is not flipped")
    }
  }

  private mutating func warn(_ text: String) {
    let key = String(text.prefix(24))
    if warned.insert(key).inserted { notices.append(text) }
  }

  /// Checks how far atoms move, before their new places are evaluated.
  func checkMotion(
    _ state: borrowing PhaseState, timestep: Double, step: Int
  ) throws(RunError) {
    let v = (state.velocities.x, state.velocities.y, state.velocities.z)
    let limit = (farthest / timestep) * (farthest / timestep)
    for i in 0..<state.count {
      let square = v.0[i] * v.0[i] + v.1[i] * v.1[i] + v.2[i] * v.2[i]
      guard square <= limit else {
        throw RunError(
          "at step \(step) \(Self.name(i, state)) moves \(Self.short(square.squareRoot() * timestep)) Å in one step; the timestep is too large, atoms overlap at the start (minimize first), or the model is unfit for this structure",
          step: step, atoms: [i])
      }
    }
  }

  /// Checks energy, forces and temperature after a step.
  func check(
    _ state: borrowing PhaseState, _ forces: borrowing Evaluation, step: Int
  ) throws(RunError) {
    let f = (forces.forces.x, forces.forces.y, forces.forces.z)
    for i in 0..<state.count {
      guard (f.0[i] + f.1[i] + f.2[i]).isFinite else {
        throw RunError(
          "at step \(step) the force on \(Self.name(i, state)) is not finite; the structure or the model is unfit for this motion, often after too large a timestep",
          step: step, atoms: [i])
      }
    }
    guard forces.energy.isFinite else {
      throw RunError(
        "at step \(step) the energy is not finite; the model is unfit for this structure",
        step: step)
    }
    let temperature = state.temperature
    guard temperature <= hottest else {
      throw RunError(
        "at step \(step) the temperature is \(Self.short(temperature)) K, beyond \(Self.short(hottest)) K; lower the timestep, minimize first, or check the model",
        step: step)
    }
  }

  private static func name(_ atom: Int, _ state: borrowing PhaseState) -> String {
    "atom \(atom + 1) (\(state.configuration.elements[atom]))"
  }
  private static func short(_ value: Double) -> String { String(format: "%.5g", value) }
  private static func percent(_ value: Double) -> String { String(format: "%.3g %%", value * 100) }
}

extension ForceEvaluator {
  /// Evaluates within a step, and says which one if that fails.
  func evaluate(
    _ state: borrowing PhaseState, needing: Requirements, into result: inout Evaluation, step: Int
  ) throws(RunError) {
    do throws(ModelError) {
      try evaluate(state.configuration, needing: needing, into: &result)
    } catch {
      throw RunError(
        "at step \(step) the forces cannot be computed: \(error.description)", step: step,
        atoms: error.atoms)
    }
  }
}
