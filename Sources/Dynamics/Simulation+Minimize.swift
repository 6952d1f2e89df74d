import Matter
import Potentials
import Trajectory

extension Simulation {
  /// Relaxes until forces are small or the steps are used up.
  /// - Returns: why it stopped before, or nil
  func minimizeStage(_ current: RunPlan.Stage) throws -> String? {
    guard case .minimize(let force, let coupling, let pressure) = current.ensemble else {
      preconditionFailure("a stage of another kind")
    }
    evaluator.extraRequirements = [.virial]
    var minimizer = Minimizer(force: force, coupling: coupling, pressure: pressure, state: state)
    var outcome = Minimizer.Outcome.moving
    if memoryAtEnd.isEmpty {
      outcome = try minimizer.start(state, &forces, evaluator: evaluator)
    } else {
      minimizer.memory = memoryAtEnd
    }
    while outcome == .moving, stageStep < current.steps {
      outcome = try minimizer.step(step + 1, &state, &forces, evaluator: evaluator)
      step += 1
      stageStep += 1
      let row = stageStep % current.thermoEvery == 0
      let frame = current.trajectory.map { stageStep % $0.every == 0 } ?? false
      if row || frame { try writeOutputs(conserved: minimizer.enthalpy, thermo: row, frame: frame) }
      if outcome != .moving { break }
      let now = MonotonicClock.seconds
      if let reason = try stopReason(now) {
        memoryAtEnd = minimizer.memory
        try checkpoint()
        return reason
      }
      tick(now, temperature: 0)
      if now >= nextCheckpoint {
        memoryAtEnd = minimizer.memory
        try checkpoint()
      }
    }
    memoryAtEnd = [:]
    let measures =
      "largest force \(Decimal.short(minimizer.largestForce)) eV/Å"
      + (coupling == nil
        ? "" : ", stress within \(Decimal.short(minimizer.largestStress * 1000)) MPa of the target")
      + ", energy \(state.count > 0 ? Decimal.fixed(forces.energy, 6) : "0") eV"
    let text: String
    switch outcome {
    case .converged: text = "converged in \(stageStep) steps: \(measures)"
    case .stalled:
      text =
        "ended after \(stageStep) steps where rounding hides further descent: \(measures)"
    case .moving:
      text = "NOT converged in \(stageStep) steps: \(measures); raise `steps`"
    }
    if outcome == .moving { around.warn("stage \(current.name): \(text)") }
    minimizationReport = text
    return nil
  }

  /// Puts velocities aside: atoms are at rest while they relax, and take them up again after.
  func setVelocitiesAside() {
    accumulators["velocities"] = state.velocities.flattened
    state.velocities.restore([Double](repeating: 0, count: 3 * state.count))
  }

  func takeVelocitiesUp() {
    guard let velocities = accumulators.removeValue(forKey: "velocities") else { return }
    state.velocities.restore(velocities)
  }
}
