import Matter
import Parallel
import Potentials

/// Constant temperature and pressure with the equations of Martyna, Tobias and Klein; the splitting
/// of Tuckerman et al., J. Phys. A 39, 5629 (2006), and of Yu et al., Chem. Phys. 370, 294 (2010).
///
/// A Langevin thermostat acts on atoms and cell in the middle of the drift, a Bussi one after the
/// step, when noise of the barostat's relaxation time takes the place of the cell's chain.
package struct MTKIntegrator: Integrator {
  let timestep: Double
  private var common: ConstantPressure
  package private(set) var barostat: MTKBarostat
  package let needs: Requirements = .virial

  init(
    timestep: Double, thermostat: RunPlan.Thermostat, coupling: RunPlan.Coupling, tau: Double,
    setpoint: Setpoint, seed: UInt64, state: borrowing PhaseState
  ) {
    self.timestep = timestep
    common = ConstantPressure(thermostat, setpoint: setpoint, seed: seed, state: state)
    let links: Int? = if case .noseHoover(_, let chain) = thermostat { chain } else { nil }
    barostat = MTKBarostat(
      coupling: coupling, degrees: degreesOfFreedom(atomCount: state.count), tau: tau,
      kT: common.kT, links: links, noise: Philox(seed: seed))
  }

  package mutating func step(
    _ step: Int, _ state: inout PhaseState, _ forces: inout Evaluation, evaluator: ForceEvaluator,
    setpoint: Setpoint
  ) throws(RunError) {
    let half = timestep / 2
    let volume = state.configuration.cell.volume
    setTarget(setpoint, cell: state.configuration.cell)
    barostat.chainStep(over: half)
    common.thermostat.begin(state, timestep: timestep)
    kickCell(state, forces)
    state.transformVelocities(by: barostat.velocityFactor(over: half))
    Kick().apply(state, forces, over: half)
    try dilate(&state, step: step)
    if common.thermostat.actsInTheMiddle {
      Drift().apply(state, over: half)
      common.thermostat.middle(state, timestep: timestep, step: step)
      barostat.noiseStep(over: timestep, step: step)
      Drift().apply(state, over: half)
    } else {
      Drift().apply(state, over: timestep)
    }
    try dilate(&state, step: step)
    try common.safety.checkCell(
      state.configuration.cell, was: volume, strain: barostat.nu * timestep, step: step)
    try common.safety.checkMotion(state, timestep: timestep, step: step)
    try evaluator.evaluate(state, needing: needs, into: &forces, step: step)
    Kick().apply(state, forces, over: half)
    state.transformVelocities(by: barostat.velocityFactor(over: half))
    kickCell(state, forces)
    common.thermostat.end(state, timestep: timestep, step: step)
    if !common.thermostat.actsInTheMiddle { barostat.noiseStep(over: timestep, step: step) }
    barostat.chainStep(over: half)
    try common.safety.check(state, forces, step: step)
  }

  private mutating func kickCell(
    _ state: borrowing PhaseState, _ forces: borrowing Evaluation
  ) {
    barostat.kick(
      kinetic: state.kineticTensor, virial: forces.virial, cell: state.configuration.cell,
      target: common.target, over: timestep / 2)
  }

  private func dilate(_ state: inout PhaseState, step: Int) throws(RunError) {
    do throws(Cell.Problem) {
      try Dilation().apply(&state, by: barostat.dilation(over: timestep / 2))
    } catch {
      throw ConstantPressure.cellLost(step: step)
    }
  }

  private mutating func setTarget(_ new: Setpoint, cell: Cell) {
    guard new.temperature != common.temperature || new.pressure != common.target.pressure else {
      return
    }
    let before = extendedEnergy(cell)
    common.setTemperature(new.temperature)
    barostat.setTarget(kT: common.kT)
    common.target.pressure = new.pressure
    common.work += extendedEnergy(cell) - before
  }

  private func extendedEnergy(_ cell: Cell) -> Double {
    common.thermostat.energy + barostat.energy(cell: cell) + common.target.energy(of: cell)
  }

  package func conservedEnergy(_ state: borrowing PhaseState, _ forces: borrowing Evaluation)
    -> Double
  { state.kineticEnergy + forces.energy + extendedEnergy(state.configuration.cell) - common.work }

  package mutating func takeNotices() -> [String] { common.safety.takeNotices() }

  package var memory: IntegratorMemory {
    get { common.memory.merging(barostat.memory) { a, _ in a } }
    set {
      common.memory = newValue
      barostat.setTarget(kT: common.kT)
      barostat.memory = newValue
    }
  }
}
