import Matter
import Potentials

/// Constant energy and cell: velocity Verlet (Swope et al., JCP 76, 637 (1982)).
package struct NVEIntegrator: Integrator {
  let timestep: Double
  private let safety: StateGuard
  package let needs: Requirements = []
  package var memory: IntegratorMemory = [:]

  /// - Parameter timestep: in internal units
  init(timestep: Double, state: borrowing PhaseState) {
    self.timestep = timestep
    safety = StateGuard(volume: state.configuration.cell.volume)
  }

  package mutating func step(
    _ step: Int, _ state: inout PhaseState, _ forces: inout Evaluation, evaluator: ForceEvaluator,
    setpoint: Setpoint
  ) throws(RunError) {
    Kick().apply(state, forces, over: timestep / 2)
    Drift().apply(state, over: timestep)
    try safety.checkMotion(state, timestep: timestep, step: step)
    try evaluator.evaluate(state, needing: needs, into: &forces, step: step)
    Kick().apply(state, forces, over: timestep / 2)
    try safety.check(state, forces, step: step)
  }

  package func conservedEnergy(_ state: borrowing PhaseState, _ forces: borrowing Evaluation)
    -> Double
  { state.kineticEnergy + forces.energy }
}
