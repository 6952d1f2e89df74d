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
  private var thermostat: ParticleThermostat
  package private(set) var barostat: MTKBarostat
  private var target: PressureTarget
  private var safety: StateGuard
  private var temperature: Double
  private var work = 0.0
  package let needs: Requirements = .virial

  init(
    timestep: Double, thermostat: RunPlan.Thermostat, coupling: RunPlan.Coupling, tau: Double,
    setpoint: Setpoint, seed: UInt64, state: borrowing PhaseState
  ) {
    self.timestep = timestep
    temperature = setpoint.temperature
    let nf = degreesOfFreedom(atomCount: state.count)
    let kT = setpoint.temperature * Units.boltzmann
    let noise = Philox(seed: seed)
    self.thermostat = ParticleThermostat(thermostat, degrees: nf, kT: kT, noise: noise)
    let links: Int? = if case .noseHoover(_, let chain) = thermostat { chain } else { nil }
    barostat = MTKBarostat(
      coupling: coupling, degrees: nf, tau: tau, kT: kT, links: links, noise: noise)
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
    setTarget(setpoint, cell: state.configuration.cell)
    barostat.chainStep(over: half)
    thermostat.begin(state, timestep: timestep)
    kickCell(state, forces)
    state.transformVelocities(by: barostat.velocityFactor(over: half))
    Kick().apply(state, forces, over: half)
    try dilate(&state, step: step)
    if thermostat.actsInTheMiddle {
      Drift().apply(state, over: half)
      thermostat.middle(state, timestep: timestep, step: step)
      barostat.noiseStep(over: timestep, step: step)
      Drift().apply(state, over: half)
    } else {
      Drift().apply(state, over: timestep)
    }
    try dilate(&state, step: step)
    try safety.checkCell(
      state.configuration.cell, was: volume, strain: barostat.nu * timestep, step: step)
    try safety.checkMotion(state, timestep: timestep, step: step)
    try evaluator.evaluate(state, needing: needs, into: &forces, step: step)
    Kick().apply(state, forces, over: half)
    state.transformVelocities(by: barostat.velocityFactor(over: half))
    kickCell(state, forces)
    thermostat.end(state, timestep: timestep, step: step)
    if !thermostat.actsInTheMiddle { barostat.noiseStep(over: timestep, step: step) }
    barostat.chainStep(over: half)
    try safety.check(state, forces, step: step)
  }

  private mutating func kickCell(
    _ state: borrowing PhaseState, _ forces: borrowing Evaluation
  ) {
    barostat.kick(
      kinetic: state.kineticTensor, virial: forces.virial, cell: state.configuration.cell,
      target: target, over: timestep / 2)
  }

  private func dilate(_ state: inout PhaseState, step: Int) throws(RunError) {
    do throws(Cell.Problem) {
      try Dilation().apply(&state, by: barostat.dilation(over: timestep / 2))
    } catch {
      throw RunError(
        "at step \(step) the cell has no volume or is not finite; raise the barostat's relaxation or minimize first",
        step: step)
    }
  }

  private mutating func setTarget(_ new: Setpoint, cell: Cell) {
    guard new.temperature != temperature || new.pressure != target.pressure else { return }
    let before = extendedEnergy(cell)
    temperature = new.temperature
    thermostat.setTarget(kT: temperature * Units.boltzmann)
    barostat.setTarget(kT: temperature * Units.boltzmann)
    target.pressure = new.pressure
    work += extendedEnergy(cell) - before
  }

  private func extendedEnergy(_ cell: Cell) -> Double {
    thermostat.energy + barostat.energy(cell: cell) + target.energy(of: cell)
  }

  package func conservedEnergy(_ state: borrowing PhaseState, _ forces: borrowing Evaluation)
    -> Double
  { state.kineticEnergy + forces.energy + extendedEnergy(state.configuration.cell) - work }

  package mutating func takeNotices() -> [String] { safety.takeNotices() }

  package var memory: IntegratorMemory {
    get {
      let own = [
        "temperature": [temperature], "work": [work], "pressure": target.pressure.components,
        "reference_cell": target.reference.values,
      ]
      return thermostat.memory.merging(barostat.memory) { a, _ in a }.merging(own) { a, _ in a }
    }
    set {
      temperature = newValue["temperature"]?.first ?? temperature
      thermostat.setTarget(kT: temperature * Units.boltzmann)
      barostat.setTarget(kT: temperature * Units.boltzmann)
      work = newValue["work"]?.first ?? work
      target.restore(newValue)
      safety.startVolume = abs(target.reference.determinant)
      thermostat.memory = newValue
      barostat.memory = newValue
    }
  }
}

extension PressureTarget {
  mutating func restore(_ memory: IntegratorMemory) {
    if let p = memory["pressure"] {
      pressure = Tensor6(xx: p[0], yy: p[1], zz: p[2], yz: p[3], xz: p[4], xy: p[5])
    }
    if let h = memory["reference_cell"] { reference = Matrix3(values: h) }
  }
}
