import Matter
import Parallel
import Potentials

/// Constant temperature and pressure by stochastic cell rescaling: the strain of a step follows from
/// the pressure at its start and acts in the middle of the drift, so that one evaluation suffices.
///
/// A strained triclinic cell is turned back to the standard orientation together with its atoms.
package struct CellRescalingIntegrator: Integrator {
  let timestep: Double
  private var common: ConstantPressure
  private let barostat: StochasticCellRescaling
  /// Work that the strains did on the atoms, in eV, by the trapezoidal rule.
  private var strainWork = 0.0
  package let needs: Requirements = .virial

  init(
    timestep: Double, thermostat: RunPlan.Thermostat, coupling: RunPlan.Coupling, tau: Double,
    compressibility: Double, setpoint: Setpoint, seed: UInt64, state: borrowing PhaseState
  ) {
    self.timestep = timestep
    common = ConstantPressure(thermostat, setpoint: setpoint, seed: seed, state: state)
    barostat = StochasticCellRescaling(
      coupling: coupling, tau: tau, compressibility: compressibility,
      noise: Philox(seed: seed))
  }

  package mutating func step(
    _ step: Int, _ state: inout PhaseState, _ forces: inout Evaluation, evaluator: ForceEvaluator,
    setpoint: Setpoint
  ) throws(RunError) {
    let half = timestep / 2
    let volume = state.configuration.cell.volume
    setTarget(setpoint)
    common.thermostat.begin(state, timestep: timestep)
    let strain = barostat.strain(
      kinetic: state.kineticTensor, virial: forces.virial, cell: state.configuration.cell,
      target: common.target, kT: common.kT, over: timestep, step: step)
    strainWork -= Tensor6(forces.virial).matrix.contraction(strain) / 2
    Kick().apply(state, forces, over: half)
    Drift().apply(state, over: half)
    common.thermostat.middle(state, timestep: timestep, step: step)
    let kinetic = state.kineticEnergy
    let turn = try apply(strain, &state, step: step)
    strainWork += state.kineticEnergy - kinetic
    Drift().apply(state, over: half)
    try common.safety.checkCell(state.configuration.cell, was: volume, strain: strain, step: step)
    try common.safety.checkMotion(state, timestep: timestep, step: step)
    try evaluator.evaluate(state, needing: needs, into: &forces, step: step)
    let virial = turn.transpose * Tensor6(forces.virial).matrix * turn
    strainWork -= virial.contraction(strain) / 2
    Kick().apply(state, forces, over: half)
    common.thermostat.end(state, timestep: timestep, step: step)
    try common.safety.check(state, forces, step: step)
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
      throw ConstantPressure.cellLost(step: step)
    }
  }

  private mutating func setTarget(_ new: Setpoint) {
    common.target.pressure = new.pressure
    guard new.temperature != common.temperature else { return }
    let before = common.thermostat.energy
    common.setTemperature(new.temperature)
    common.work += common.thermostat.energy - before
  }

  package func conservedEnergy(_ state: borrowing PhaseState, _ forces: borrowing Evaluation)
    -> Double
  {
    state.kineticEnergy + forces.energy + common.thermostat.energy - strainWork - common.work
  }

  package mutating func takeNotices() -> [String] { common.safety.takeNotices() }

  package var memory: IntegratorMemory {
    get { common.memory.merging(["strain_work": [strainWork]]) { a, _ in a } }
    set {
      common.memory = newValue
      strainWork = newValue["strain_work"]?.first ?? strainWork
    }
  }
}
