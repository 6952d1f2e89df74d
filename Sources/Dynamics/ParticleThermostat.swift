import Matter
import Parallel

/// The thermostat of the atoms and its places in a step: chains in half steps at both ends, Langevin
/// in the middle of the drift, Bussi at the end. Every ensemble combines with every thermostat
/// through these three places.
struct ParticleThermostat: Sendable {
  private enum Kind {
    case noseHoover(NoseHooverChain)
    case bussi(BussiThermostat)
    case langevin(LangevinThermostat)
  }
  private var kind: Kind
  /// Kinetic energy put in by the noise so far, in eV.
  private(set) var heat = 0.0

  init(_ choice: RunPlan.Thermostat, degrees: Int, kT: Double, noise: Philox) {
    kind =
      switch choice {
      case .noseHoover(let tau, let links):
        .noseHoover(
          NoseHooverChain(links: links, degrees: degrees, tau: tau / Units.timeUnit, kT: kT))
      case .bussi(let tau):
        .bussi(BussiThermostat(degrees: degrees, tau: tau / Units.timeUnit, kT: kT, noise: noise))
      case .langevin(let tau):
        .langevin(LangevinThermostat(tau: tau / Units.timeUnit, kT: kT, noise: noise))
      }
  }

  /// Whether `middle` does something, so that the drift must be halved.
  var actsInTheMiddle: Bool { if case .langevin = kind { true } else { false } }

  mutating func begin(_ state: borrowing PhaseState, timestep: Double) {
    scaleByChain(state, over: timestep / 2)
  }

  mutating func middle(_ state: borrowing PhaseState, timestep: Double, step: Int) {
    guard case .langevin(let langevin) = kind else { return }
    let before = state.kineticEnergy
    langevin.apply(state, over: timestep, step: step)
    heat += state.kineticEnergy - before
  }

  mutating func end(_ state: borrowing PhaseState, timestep: Double, step: Int) {
    scaleByChain(state, over: timestep / 2)
    if case .bussi(let bussi) = kind {
      let kinetic = state.kineticEnergy
      let factor = bussi.factor(kinetic: kinetic, over: timestep, step: step)
      state.scaleVelocities(by: factor)
      heat += (factor * factor - 1) * kinetic
    }
  }

  private mutating func scaleByChain(_ state: borrowing PhaseState, over delta: Double) {
    guard case .noseHoover(var chain) = kind else { return }
    let factor = chain.propagate(twoK: state.kineticTensor.trace, over: delta)
    state.scaleVelocities(by: factor)
    kind = .noseHoover(chain)
  }

  mutating func setTarget(kT: Double) {
    switch kind {
    case .noseHoover(var chain):
      chain.kT = kT
      kind = .noseHoover(chain)
    case .bussi(var bussi):
      bussi.kT = kT
      kind = .bussi(bussi)
    case .langevin(var langevin):
      langevin.kT = kT
      kind = .langevin(langevin)
    }
  }

  /// What the thermostat adds to the conserved quantity, in eV: energy of the chain, less the heat.
  var energy: Double {
    if case .noseHoover(let chain) = kind { chain.energy } else { -heat }
  }

  var memory: IntegratorMemory {
    get {
      if case .noseHoover(let chain) = kind {
        ["thermostat_eta": chain.eta, "thermostat_rate": chain.rate]
      } else {
        ["thermostat_heat": [heat]]
      }
    }
    set {
      if case .noseHoover(var chain) = kind {
        chain.eta = newValue["thermostat_eta"] ?? chain.eta
        chain.rate = newValue["thermostat_rate"] ?? chain.rate
        kind = .noseHoover(chain)
      } else {
        heat = newValue["thermostat_heat"]?.first ?? heat
      }
    }
  }
}
