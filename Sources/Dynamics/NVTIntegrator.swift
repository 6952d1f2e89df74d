import Matter
import Parallel
import Potentials

/// Constant temperature and cell: velocity Verlet with a thermostat.
package struct NVTIntegrator: Integrator {
  let timestep: Double
  private var thermostat: ParticleThermostat
  private let safety: StateGuard
  /// The temperature of the last step, in K, and the work its changes did, in eV.
  private var temperature: Double
  private var work = 0.0
  package let needs: Requirements = []

  init(
    timestep: Double, thermostat: RunPlan.Thermostat, setpoint: Setpoint, seed: UInt64,
    state: borrowing PhaseState
  ) {
    self.timestep = timestep
    temperature = setpoint.temperature
    self.thermostat = ParticleThermostat(
      thermostat, degrees: degreesOfFreedom(atomCount: state.count),
      kT: setpoint.temperature * Units.boltzmann, noise: Philox(seed: seed))
    safety = StateGuard(volume: state.configuration.cell.volume)
  }

  package mutating func step(
    _ step: Int, _ state: inout PhaseState, _ forces: inout Evaluation, evaluator: ForceEvaluator,
    setpoint: Setpoint
  ) throws(RunError) {
    setTarget(setpoint.temperature)
    thermostat.begin(state, timestep: timestep)
    Kick().apply(state, forces, over: timestep / 2)
    if thermostat.actsInTheMiddle {
      Drift().apply(state, over: timestep / 2)
      thermostat.middle(state, timestep: timestep, step: step)
      Drift().apply(state, over: timestep / 2)
    } else {
      Drift().apply(state, over: timestep)
    }
    try safety.checkMotion(state, timestep: timestep, step: step)
    try evaluator.evaluate(state, needing: needs, into: &forces, step: step)
    Kick().apply(state, forces, over: timestep / 2)
    thermostat.end(state, timestep: timestep, step: step)
    try safety.check(state, forces, step: step)
  }

  /// A new target changes masses and energies of the chain at once; that change is work, not drift.
  private mutating func setTarget(_ new: Double) {
    guard new != temperature else { return }
    let before = thermostat.energy
    thermostat.setTarget(kT: new * Units.boltzmann)
    work += thermostat.energy - before
    temperature = new
  }

  package func conservedEnergy(_ state: borrowing PhaseState, _ forces: borrowing Evaluation)
    -> Double
  { state.kineticEnergy + forces.energy + thermostat.energy - work }

  package var memory: IntegratorMemory {
    get {
      thermostat.memory.merging(["temperature": [temperature], "work": [work]]) { a, _ in a }
    }
    set {
      temperature = newValue["temperature"]?.first ?? temperature
      thermostat.setTarget(kT: temperature * Units.boltzmann)
      work = newValue["work"]?.first ?? work
      thermostat.memory = newValue
    }
  }
}
