import Matter
import Neighbors
import Parallel
import Potentials

/// Notices within a step that a run has left physics: atoms too fast, too hot, or not finite.
struct BlowUpGuard {
  /// The farthest an atom may go in one step, in Å.
  static let farthest = 0.5
  let timestep: Double
  /// Degrees of freedom.
  let degreesOfFreedom: Double

  /// What the velocities of a step say.
  struct Reading {
    var temperature = 0.0
    var fastest = 0
    var farthest = 0.0
    var isFinite = true
  }

  /// Measures a state, in one pass over the velocities.
  func read(_ state: borrowing PhaseState, _ forces: borrowing Evaluation) -> Reading {
    let n = state.count
    let (x, y, z) = (state.velocities.x, state.velocities.y, state.velocities.z)
    let m = state.masses.pointer
    let (fx, fy, fz) = (forces.forces.x, forces.forces.y, forces.forces.z)
    var twice = 0.0
    var largest = 0.0
    var force = 0.0
    for i in 0..<n {
      let square = x[i] * x[i] + y[i] * y[i] + z[i] * z[i]
      twice += m[i] * square
      largest = largest > square ? largest : square
      force += abs(fx[i]) + abs(fy[i]) + abs(fz[i])
    }
    var reading = Reading()
    reading.temperature = twice / (degreesOfFreedom * Units.boltzmann)
    reading.isFinite = twice.isFinite && force.isFinite && forces.energy.isFinite
    reading.farthest = largest.squareRoot() * timestep
    if reading.farthest > Self.farthest {
      for i in 0..<n where x[i] * x[i] + y[i] * y[i] + z[i] * z[i] >= largest {
        reading.fastest = i
        break
      }
    }
    return reading
  }

  /// The highest temperature allowed with a target, in K.
  static func bound(target: Double) -> Double { max(10 * target, target + 1000) }

  /// An error if a step is beyond physics.
  func check(
    _ reading: Reading, target: Double, step: Int, _ state: borrowing PhaseState,
    _ forces: borrowing Evaluation
  ) throws(RunError) {
    if !reading.isFinite {
      let atom = Self.firstNotFinite(state, forces)
      let what = forces.energy.isFinite ? "" : "the energy is \(forces.energy); "
      let where_ =
        atom.map { "atom \($0 + 1) (\(state.configuration.elements[$0])) is not finite" }
        ?? "forces are finite"
      throw RunError(
        "step \(step): \(what)force or velocity of \(where_)", step: step,
        atoms: atom.map { [$0] } ?? [])
    }
    if reading.farthest > Self.farthest {
      let atom = reading.fastest
      throw RunError(
        "step \(step): atom \(atom + 1) (\(state.configuration.elements[atom])) moves \(Decimal.short(reading.farthest)) Å in one step, more than \(Self.farthest) Å",
        step: step, atoms: [atom])
    }
    let bound = Self.bound(target: target)
    if reading.temperature > bound {
      throw RunError(
        "step \(step): the temperature is \(Decimal.fixed(reading.temperature, 0)) K, more than \(Decimal.fixed(bound, 0)) K allowed with a target of \(Decimal.fixed(target, 0)) K",
        step: step)
    }
  }

  private static func firstNotFinite(
    _ state: borrowing PhaseState, _ forces: borrowing Evaluation
  ) -> Int? {
    for i in 0..<state.count {
      let v = state.velocities[i] + forces.forces[i] + state.configuration.positions[i]
      if !(v.x + v.y + v.z).isFinite { return i }
    }
    return nil
  }

  /// What probably went wrong and what to do, from the closest pair of the frame.
  static func advice(
    _ configuration: borrowing Configuration, timestepFs: Double?, team: ThreadTeam
  ) -> String {
    var text = ""
    var overlap = false
    if let found = try? Overlaps(configuration, team: team), let pair = found.closest {
      text = "Closest pair: \(Overlaps.describe(pair, configuration.elements)). "
      overlap = !found.pairs.isEmpty
    }
    let step = timestepFs.map { Decimal.short($0) + " fs" } ?? "the time step"
    if overlap {
      text +=
        "Probable cause: atoms too close, from the start or because the time step (\(step)) is too long or the model leaves its range. Begin with a `minimize` stage, use a smaller timestep, or a model trained for this state"
    } else {
      text +=
        "Probable cause: a time step (\(step)) too long, a start far from equilibrium, or a model outside its range. Use a smaller timestep, begin with a `minimize` stage, or heat in a ramp"
    }
    return text
  }
}
