import Dynamics
import Matter
import Parallel
import Potentials
import TestSupport

/// A stage running on a potential, step by step.
struct Bench: ~Copyable {
  var state: PhaseState
  var forces: Evaluation
  var integrator: any Integrator
  let evaluator: ForceEvaluator
  let stage: RunPlan.Stage
  var step = 0

  init(
    _ structure: Structure, _ potential: any Potential, _ ensemble: RunPlan.Ensemble,
    timestepFs: Double, temperature: Double, steps: Int = 1, seed: UInt64 = 7
  ) throws {
    let stage = Self.stage(ensemble, steps: steps)
    let state = structure.state()
    state.setVelocities(temperature: temperature, seed: seed)
    var forces = Evaluation(count: structure.count)
    let evaluator = ForceEvaluator(potential: potential, team: ThreadTeam(count: 1))
    let integrator = try makeIntegrator(
      for: stage, timestepFs: timestepFs, seed: seed, state: state)
    try evaluator.evaluate(state.configuration, needing: integrator.needs, into: &forces)
    self.stage = stage
    self.state = state
    self.forces = forces
    self.evaluator = evaluator
    self.integrator = integrator
  }

  static func stage(_ ensemble: RunPlan.Ensemble, steps: Int = 1) -> RunPlan.Stage {
    RunPlan.Stage(
      name: "test", ensemble: ensemble, steps: steps,
      cell: .last, trajectory: nil, thermoEvery: 1)
  }

  mutating func advance() throws {
    step += 1
    let fraction = (Double(step) - 0.5) / Double(stage.steps)
    try integrator.step(
      step, &state, &forces, evaluator: evaluator,
      setpoint: stage.ensemble.setpoint(at: min(1, fraction)))
  }

  var conserved: Double { integrator.conservedEnergy(state, forces) }
}

/// An ensemble with a name.
struct Case: Sendable, CustomStringConvertible {
  let description: String
  let ensemble: RunPlan.Ensemble

  init(_ name: String, _ ensemble: RunPlan.Ensemble) {
    description = name
    self.ensemble = ensemble
  }

  static let kelvin = 36.0
  /// One Lennard-Jones unit of argon, ε/σ³, in eV/Å³.
  static let pressure = 0.0104 / (3.4 * 3.4 * 3.4)
  static func at(_ value: Double) -> RunPlan.Ramp { RunPlan.Ramp(from: value, to: value) }

  static let thermostats: [(String, RunPlan.Thermostat)] = [
    ("nose-hoover", .noseHoover(relaxationFs: 1000, chain: 3)),
    ("bussi", .bussi(relaxationFs: 1000)),
    ("langevin", .langevin(relaxationFs: 1000)),
  ]
  static func barostats(tau: Double = 4000) -> [(String, RunPlan.Barostat)] {
    RunPlan.Coupling.allCases.flatMap { c in
      [
        ("mtk \(c)", .mtk(coupling: c, relaxationFs: tau)),
        // Argon's bulk modulus is near 3 GPa.
        (
          "rescaling \(c)",
          .stochasticCellRescaling(coupling: c, relaxationFs: tau, compressibility: 50)
        ),
      ]
    }
  }
  static func npt(_ t: RunPlan.Thermostat, _ b: RunPlan.Barostat) -> RunPlan.Ensemble {
    .npt(
      temperature: at(kelvin), thermostat: t, pressure: .scalar(at(pressure)), barostat: b)
  }
  static let nvts = thermostats.map {
    Case("nvt \($0.0)", .nvt(temperature: at(kelvin), thermostat: $0.1))
  }
  static let npts = thermostats.flatMap { t in
    barostats().map { b in Case("\(t.0) with \(b.0)", npt(t.1, b.1)) }
  }
  static let all = [Case("nve", .nve)] + nvts + npts
  /// Those without noise.
  static let deterministic: [Case] = {
    let chain = thermostats[0].1
    let tri = RunPlan.Barostat.mtk(coupling: .triclinic, relaxationFs: 4000)
    let p = pressure
    return [Case("nve", .nve), nvts[0]]
      + RunPlan.Coupling.allCases.map {
        Case("mtk \($0)", npt(chain, .mtk(coupling: $0, relaxationFs: 4000)))
      } + [
        Case(
          "mtk triclinic under six components",
          .npt(
            temperature: at(kelvin), thermostat: chain,
            pressure: .components(
              Tensor6(xx: 2 * p, yy: p, zz: 0.5 * p, yz: 0.3 * p, xz: -0.2 * p, xy: 0.4 * p)),
            barostat: tri))
      ]
  }()
  static let ramps: [Case] = {
    let chain = thermostats[0].1
    let heat = RunPlan.Ramp(from: 30, to: 45)
    return [
      Case("nvt, heated", .nvt(temperature: heat, thermostat: chain)),
      Case(
        "mtk triclinic, heated and compressed",
        .npt(
          temperature: heat, thermostat: chain,
          pressure: .scalar(RunPlan.Ramp(from: 0, to: 2 * pressure)),
          barostat: .mtk(coupling: .triclinic, relaxationFs: 4000))),
    ]
  }()
}
