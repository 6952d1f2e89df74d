import Foundation

/// dynasor's transform of an even function of lags 0...W by its definition, for single functions:
/// S(ω_k) = Δt Σ_{l=−W}^{W} F(|l|) cos(ω_k l Δt), ω_k = 2πk/((2W + 1)Δt), k = 0...W.
package struct CosineTransform {
  private let cosines: [Double]
  private let lags: Int

  /// The transform of functions of lags 0...W.
  package init(lags: Int) {
    self.lags = lags
    let period = 2 * lags + 1
    cosines = (0..<period).map { cos(2 * Double.pi * Double($0) / Double(period)) }
  }

  /// S at k = 0...W of F at lags 0...W.
  package func spectrum(of function: [Double], timestep: Double) -> [Double] {
    precondition(function.count == lags + 1)
    return (0...lags).map { k in
      var sum = function[0]
      var phase = 0
      for l in 1..<function.count {
        phase += k
        if phase >= cosines.count { phase -= cosines.count }
        sum += 2 * function[l] * cosines[phase]
      }
      return sum * timestep
    }
  }
}
