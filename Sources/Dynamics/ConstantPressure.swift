import Matter
import Parallel

/// What the integrators with a moving cell share: the thermostat of the atoms, the target, the
/// guard, and the work that ramps did.
struct ConstantPressure: Sendable {
  var thermostat: ParticleThermostat
  var target: PressureTarget
  var safety: StateGuard
  /// The temperature of the last step, in K.
  var temperature: Double
  /// In eV.
  var work = 0.0

  init(
    _ choice: RunPlan.Thermostat, setpoint: Setpoint, seed: UInt64, state: borrowing PhaseState
  ) {
    thermostat = ParticleThermostat(
      choice, degrees: degreesOfFreedom(atomCount: state.count),
      kT: setpoint.temperature * Units.boltzmann, noise: Philox(seed: seed))
    target = PressureTarget(
      reference: state.configuration.cell.rows, pressure: setpoint.pressure)
    safety = StateGuard(volume: state.configuration.cell.volume)
    temperature = setpoint.temperature
  }

  var kT: Double { temperature * Units.boltzmann }

  mutating func setTemperature(_ new: Double) {
    temperature = new
    thermostat.setTarget(kT: kT)
  }

  var memory: IntegratorMemory {
    get {
      thermostat.memory.merging([
        "temperature": [temperature], "work": [work], "pressure": target.pressure.components,
        "reference_cell": target.reference.values,
      ]) { a, _ in a }
    }
    set {
      setTemperature(newValue["temperature"]?.first ?? temperature)
      work = newValue["work"]?.first ?? work
      if let p = newValue["pressure"] {
        target.pressure = Tensor6(xx: p[0], yy: p[1], zz: p[2], yz: p[3], xz: p[4], xy: p[5])
      }
      if let h = newValue["reference_cell"] { target.reference = Matrix3(values: h) }
      safety.startVolume = abs(target.reference.determinant)
      thermostat.memory = newValue
    }
  }

  /// The error for a cell that a step left without volume.
  static func cellLost(step: Int) -> RunError {
    RunError(
      "at step \(step) the cell has no volume or is not finite; raise the barostat's relaxation or minimize first",
      step: step)
  }
}
