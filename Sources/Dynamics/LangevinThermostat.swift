import Foundation
import Matter
import Parallel

/// The O step of BAOAB (Leimkuhler and Matthews, JCP 138, 174102 (2013)), projected so that the
/// center of mass stays at rest: the distribution of the 3N − 3 other degrees of freedom is exact.
package struct LangevinThermostat: Sendable {
  /// 1/γ, in internal units.
  let tau: Double
  let noise: Philox
  package var kT: Double

  package init(tau: Double, kT: Double, noise: Philox) {
    self.tau = tau
    self.kT = kT
    self.noise = noise
  }

  /// v ← c v + √((1 − c²) kT/m) ξ with c = exp(−δ/τ).
  package func apply(_ state: borrowing PhaseState, over delta: Double, step: Int) {
    let c = exp(-delta / tau)
    let spread = (-expm1(-2 * delta / tau) * kT).squareRoot()
    let m = state.masses.pointer
    let v = (state.velocities.x, state.velocities.y, state.velocities.z)
    for i in 0..<state.count {
      let s = spread / m[i].squareRoot()
      let xi = noise.normal(.thermostat, step: step, index: i, draw: 0)
      let zeta = noise.normal(.thermostat, step: step, index: i, draw: 1).x
      v.0[i] = c * v.0[i] + s * xi.x
      v.1[i] = c * v.1[i] + s * xi.y
      v.2[i] = c * v.2[i] + s * zeta
    }
    state.stopCenterOfMass()
  }
}
