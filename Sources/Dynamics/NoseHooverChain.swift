import Foundation

/// A Nosé–Hoover chain with the third-weight Suzuki–Yoshida splitting of fourth order (Martyna et
/// al., Mol. Phys. 87, 1117 (1996)).
///
/// | symbol | meaning | unit |
/// |---|---|---|
/// | `eta` | positions of the links | 1 |
/// | `rate` | dη/dt | 1/time |
/// | Q₁ = L kT τ², Q_k = kT τ² | masses | eV·time² |
package struct NoseHooverChain: Sendable {
  /// Degrees of freedom L that the chain thermostats.
  let degrees: Double
  /// Relaxation time τ, in internal units.
  let tau: Double
  /// Target k_B T, in eV.
  package var kT: Double
  package var eta: [Double]
  package var rate: [Double]

  package init(links: Int, degrees: Int, tau: Double, kT: Double) {
    precondition(links > 0 && degrees > 0 && tau > 0 && kT > 0)
    self.degrees = Double(degrees)
    self.tau = tau
    self.kT = kT
    eta = Array(repeating: 0, count: links)
    rate = eta
  }

  private static let weights: [Double] = {
    let w = 1 / (2 - cbrt(2.0))
    return [w, 1 - 2 * w, w]
  }()

  private func mass(_ k: Int) -> Double { (k == 0 ? degrees : 1) * kT * tau * tau }

  /// Propagates the chain over a time and returns the factor for the velocities it thermostats.
  /// - Parameter twoK: twice their kinetic energy, in eV
  package mutating func propagate(twoK: Double, over delta: Double) -> Double {
    var twoK = twoK
    var factor = 1.0
    let last = eta.count - 1
    for weight in Self.weights {
      let d = weight * delta
      for k in stride(from: last, through: 0, by: -1) { accelerate(k, twoK: twoK, over: d) }
      let s = exp(-d * rate[0])
      factor *= s
      twoK *= s * s
      for k in 0...last { eta[k] += d * rate[k] }
      for k in 0...last { accelerate(k, twoK: twoK, over: d) }
    }
    return factor
  }

  /// One half of a link's step: its force, damped by the link after it.
  private mutating func accelerate(_ k: Int, twoK: Double, over d: Double) {
    let g =
      k == 0
      ? (twoK - degrees * kT) / mass(0)
      : (mass(k - 1) * rate[k - 1] * rate[k - 1] - kT) / mass(k)
    if k == eta.count - 1 {
      rate[k] += d / 2 * g
    } else {
      let e = exp(-d / 4 * rate[k + 1])
      rate[k] = (rate[k] * e + d / 2 * g) * e
    }
  }

  /// Σ ½ Q_k η̇_k² + L kT η₁ + kT Σ_{k≥2} η_k, in eV.
  package var energy: Double {
    var sum = 0.0
    for k in eta.indices {
      sum += mass(k) * rate[k] * rate[k] / 2 + (k == 0 ? degrees : 1) * kT * eta[k]
    }
    return sum
  }
}
