import Foundation
import Matter
import Parallel

/// The cell of Martyna, Tobias and Klein (JCP 101, 4177 (1994)) for every coupling.
///
/// | symbol | meaning | unit |
/// |---|---|---|
/// | `nu` | strain rate of the cell, dh/dt = ν h | 1/time |
/// | W = (N_f + 3) kT τ²/3 | mass of each strain | eV·time² |
///
/// The triclinic form keeps h upper triangular; kT·(2, 0, −2) on the diagonal of its force makes it
/// sample every shape with the weight of the freely rotating cell.
package struct MTKBarostat: Sendable {
  private enum Bath {
    case chain(NoseHooverChain)
    case langevin(Philox)
  }
  let coupling: RunPlan.Coupling
  let degrees: Double
  let tau: Double
  private(set) var kT: Double
  package private(set) var nu = Matrix3.zero
  private var bath: Bath
  private var heat = 0.0

  /// - Parameter links: links of the chain on the cell; nil for a stochastic one
  init(
    coupling: RunPlan.Coupling, degrees: Int, tau: Double, kT: Double, links: Int?, noise: Philox
  ) {
    self.coupling = coupling
    self.degrees = Double(degrees)
    self.tau = tau
    self.kT = kT
    bath =
      if let links {
        .chain(
          NoseHooverChain(links: links, degrees: coupling.strainCount, tau: tau, kT: kT))
      } else { .langevin(noise) }
  }

  var mass: Double { (degrees + 3) * kT * tau * tau / 3 }
  /// W tr(νᵀν), in eV: twice the kinetic energy of the cell.
  package var twoK: Double { mass * (nu.transpose * nu).trace }

  mutating func setTarget(kT: Double) {
    self.kT = kT
    if case .chain(var chain) = bath {
      chain.kT = kT
      bath = .chain(chain)
    }
  }

  /// ν ← ν + δ/W · 𝒫[Σ m v vᵀ + Ξ − load + 2K/N_f + measure].
  mutating func kick(
    kinetic: Tensor6, virial: Matrix3, cell: Cell, target: PressureTarget, over delta: Double
  ) {
    var g = kinetic.matrix + Tensor6(virial).matrix - target.load(on: cell)
    g = g + Matrix3.identity * (kinetic.trace / degrees)
    if coupling == .triclinic { g = g + Matrix3(diagonal: [2 * kT, 0, -2 * kT]) }
    nu = nu + coupling.project(g) * (delta / mass)
  }

  /// exp(−(ν + tr ν/N_f) δ), which acts on velocities.
  func velocityFactor(over delta: Double) -> Matrix3 {
    ((nu + Matrix3.identity * (nu.trace / degrees)) * -delta).exponential
  }

  /// exp(ν δ), which acts on positions and cell.
  func dilation(over delta: Double) -> Matrix3 { (nu * delta).exponential }

  mutating func chainStep(over delta: Double) {
    guard case .chain(var chain) = bath else { return }
    nu = nu * chain.propagate(twoK: twoK, over: delta)
    bath = .chain(chain)
  }

  /// Exact Ornstein–Uhlenbeck step of each strain rate, with the relaxation time of the barostat.
  mutating func noiseStep(over delta: Double, step: Int) {
    guard case .langevin(let noise) = bath else { return }
    let before = twoK
    let a = noise.normal(.barostat, step: step, index: 0, draw: 0)
    let b = noise.normal(.barostat, step: step, index: 0, draw: 1)
    let c = noise.normal(.barostat, step: step, index: 0, draw: 2)
    let random: Matrix3 =
      switch coupling {
      case .isotropic: Matrix3.identity * (a.x / 3.0.squareRoot())
      case .orthorhombic: Matrix3(diagonal: [a.x, a.y, b.x])
      case .triclinic: Matrix3([a.x, b.y, c.x], [0, a.y, c.y], [0, 0, b.x])
      }
    let spread = (-expm1(-2 * delta / tau) * kT / mass).squareRoot()
    nu = nu * exp(-delta / tau) + random * spread
    heat += (twoK - before) / 2
  }

  /// What the barostat adds to the conserved quantity, in eV, without the energy of the target.
  func energy(cell: Cell) -> Double {
    var sum = twoK / 2
    switch bath {
    case .chain(let chain): sum += chain.energy
    case .langevin: sum -= heat
    }
    if coupling == .triclinic { sum += 2 * kT * (log(abs(cell.c.z)) - log(abs(cell.a.x))) }
    return sum
  }

  var memory: IntegratorMemory {
    get {
      var m = ["barostat_rate": nu.values, "barostat_heat": [heat]]
      if case .chain(let chain) = bath {
        m["barostat_eta"] = chain.eta
        m["barostat_eta_rate"] = chain.rate
      }
      return m
    }
    set {
      if let values = newValue["barostat_rate"] { nu = Matrix3(values: values) }
      heat = newValue["barostat_heat"]?.first ?? heat
      if case .chain(var chain) = bath {
        chain.eta = newValue["barostat_eta"] ?? chain.eta
        chain.rate = newValue["barostat_eta_rate"] ?? chain.rate
        bath = .chain(chain)
      }
    }
  }
}

extension Matrix3 {
  /// The nine entries by rows.
  package var values: [Double] { [x.x, x.y, x.z, y.x, y.y, y.z, z.x, z.y, z.z] }
  /// A matrix of nine entries by rows.
  package init(values v: [Double]) {
    precondition(v.count == 9)
    self.init([v[0], v[1], v[2]], [v[3], v[4], v[5]], [v[6], v[7], v[8]])
  }
  /// Σ a_ij b_ij.
  func contraction(_ b: Matrix3) -> Double { dot(x, b.x) + dot(y, b.y) + dot(z, b.z) }
}
