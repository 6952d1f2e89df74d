import Matter
import Parallel
import Potentials

/// Constant temperature and pressure by stochastic cell rescaling: the strain of a step follows from
/// the pressure at its start and acts in the middle of the drift, so that one evaluation suffices.
///
/// A strained triclinic cell is turned back to the standard orientation together with its atoms.
package struct CellRescalingIntegrator: Integrator {
  let timestep: Double
  private var thermostat: ParticleThermostat
  private let barostat: StochasticCellRescaling
  private var target: PressureTarget
  private var safety: StateGuard
  private var temperature: Double
  private var work = 0.0
  /// Work that the strains did on the atoms, in eV, by the trapezoidal rule.
  private var strainWork = 0.0
  package let needs: Requirements = .virial

  init(
    timestep: Double, thermostat: RunPlan.Thermostat, coupling: RunPlan.Coupling, tau: Double,
    compressibility: Double, setpoint: Setpoint, seed: UInt64, state: borrowing PhaseState
  ) {
    self.timestep = timestep
    temperature = setpoint.temperature
    let noise = Philox(seed: seed)
    self.thermostat = ParticleThermostat(
      thermostat, degrees: degreesOfFreedom(atomCount: state.count),
      kT: setpoint.temperature * Units.boltzmann, noise: noise)
    barostat = StochasticCellRescaling(
      coupling: coupling, tau: tau, compressibility: compressibility, noise: noise)
    target = PressureTarget(
      reference: state.configuration.cell.rows, pressure: setpoint.pressure)
    safety = StateGuard(volume: state.configuration.cell.volume)
  }

  package mutating func step(
    _ step: Int, _ state: inout PhaseState, _ forces: inout Evaluation, evaluator: ForceEvaluator,
    setpoint: Setpoint
  ) throws(RunError) {
    let half = timestep / 2
    let volume = state.configuration.cell.volume
    setTarget(setpoint)
    thermostat.begin(state, timestep: timestep)
    let strain = barostat.strain(
      kinetic: state.kineticTensor, virial: forces.virial, cell: state.configuration.cell,
      target: target, kT: temperature * Units.boltzmann, over: timestep, step: step)
    strainWork -= Tensor6(forces.virial).matrix.contraction(strain) / 2
    Kick().apply(state, forces, over: half)
    Drift().apply(state, over: half)
    thermostat.middle(state, timestep: timestep, step: step)
    let kinetic = state.kineticEnergy
    let turn = try apply(strain, &state, step: step)
    strainWork += state.kineticEnergy - kinetic
    Drift().apply(state, over: half)
    try safety.checkCell(state.configuration.cell, was: volume, strain: strain, step: step)
    try safety.checkMotion(state, timestep: timestep, step: step)
    try evaluator.evaluate(state, needing: needs, into: &forces, step: step)
    let virial = turn.transpose * Tensor6(forces.virial).matrix * turn
    strainWork -= virial.contraction(strain) / 2
    Kick().apply(state, forces, over: half)
    thermostat.end(state, timestep: timestep, step: step)
    try safety.check(state, forces, step: step)
  }

  /// Strains cell, atoms and velocities and returns the rotation that followed.
  private func apply(
    _ strain: Matrix3, _ state: inout PhaseState, step: Int
  ) throws(RunError) -> Matrix3 {
    do throws(Cell.Problem) {
      let grow = strain.exponential
      let shrink = (strain * -1).exponential
      guard barostat.coupling == .triclinic else {
        try Dilation().apply(&state, by: grow)
        state.transformVelocities(by: shrink)
        return .identity
      }
      let rows = state.configuration.cell.rows
      let strained = try Cell(a: grow * rows.x, b: grow * rows.y, c: grow * rows.z)
      let q = strained.rotationToStandard
      try Dilation().apply(&state, by: q * grow)
      state.configuration.cell = strained.turnedToStandard(by: q)
      state.transformVelocities(by: q * shrink)
      return q
    } catch {
      throw RunError(
        "at step \(step) the cell has no volume or is not finite; raise the barostat's relaxation or minimize first",
        step: step)
    }
  }

  private mutating func setTarget(_ new: Setpoint) {
    target.pressure = new.pressure
    guard new.temperature != temperature else { return }
    let before = thermostat.energy
    temperature = new.temperature
    thermostat.setTarget(kT: temperature * Units.boltzmann)
    work += thermostat.energy - before
  }

  package func conservedEnergy(_ state: borrowing PhaseState, _ forces: borrowing Evaluation)
    -> Double
  { state.kineticEnergy + forces.energy + thermostat.energy - strainWork - work }

  package mutating func takeNotices() -> [String] { safety.takeNotices() }

  package var memory: IntegratorMemory {
    get {
      thermostat.memory.merging([
        "temperature": [temperature], "work": [work], "strain_work": [strainWork],
        "pressure": target.pressure.components, "reference_cell": target.reference.values,
      ]) { a, _ in a }
    }
    set {
      temperature = newValue["temperature"]?.first ?? temperature
      thermostat.setTarget(kT: temperature * Units.boltzmann)
      work = newValue["work"]?.first ?? work
      strainWork = newValue["strain_work"]?.first ?? strainWork
      target.restore(newValue)
      safety.startVolume = abs(target.reference.determinant)
      thermostat.memory = newValue
    }
  }
}
