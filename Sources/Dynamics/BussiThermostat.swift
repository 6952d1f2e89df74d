import Foundation
import Parallel

/// Stochastic velocity rescaling (Bussi, Donadio, Parrinello, JCP 126, 014101 (2007)).
package struct BussiThermostat: Sendable {
  let degrees: Double
  /// Relaxation time, in internal units.
  let tau: Double
  let noise: Philox
  package var kT: Double

  package init(degrees: Int, tau: Double, kT: Double, noise: Philox) {
    self.degrees = Double(degrees)
    self.tau = tau
    self.noise = noise
    self.kT = kT
  }

  /// The factor for all velocities after a time, α of the paper with its sign.
  /// - Parameter kinetic: kinetic energy K, in eV; at rest there is nothing to scale
  package func factor(kinetic: Double, over delta: Double, step: Int) -> Double {
    guard kinetic > 0 else { return 1 }
    let c = exp(-delta / tau)
    let r = noise.normal(.thermostat, step: step, index: 0).x
    let s = degrees > 1 ? 2 * noise.gamma(.thermostat, step: step, shape: (degrees - 1) / 2) : 0
    // K̄/(N_f K) with K̄ = N_f kT/2.
    let ratio = kT / 2 / kinetic
    let square =
      c + ratio * (1 - c) * (r * r + s) + 2 * r * (c * (1 - c) * ratio).squareRoot()
    let alpha = max(0, square).squareRoot()
    return r + (c / ((1 - c) * ratio)).squareRoot() < 0 ? -alpha : alpha
  }
}

extension Philox {
  /// A gamma variate of scale 1 (Marsaglia and Tsang, ACM TOMS 26, 363 (2000)); draws 1, 2, … of
  /// index 0.
  package func gamma(_ stream: RandomStream, step: Int, shape: Double) -> Double {
    precondition(shape > 0)
    let boosted = shape < 1
    let d = (boosted ? shape + 1 : shape) - 1.0 / 3
    let c = 1 / (9 * d).squareRoot()
    var draw = 1
    while true {
      let x = normal(stream, step: step, index: 0, draw: draw).x
      let u = uniform(stream, step: step, index: 0, draw: draw + 1)
      draw += 2
      let v = (1 + c * x) * (1 + c * x) * (1 + c * x)
      if v > 0, log(u.x) < x * x / 2 + d - d * v + d * log(v) {
        return boosted ? d * v * pow(u.y, 1 / shape) : d * v
      }
    }
  }
}
