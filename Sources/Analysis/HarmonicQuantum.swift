import Glibc
import Matter

/// The heat capacity of harmonic oscillators with a given density of states.
public enum HarmonicQuantum {
  /// C_V/k_B of one oscillator at x = ħω/(k_B T): x² eˣ/(eˣ − 1)², 1 in the classical limit.
  public static func einstein(_ x: Double) -> Double {
    let half = x / 2
    if half < 1e-4 { return 1 - x * x / 12 }
    let ratio = half / sinh(half)
    return ratio * ratio
  }

  /// ħ in eV·ps.
  static let reducedPlanck = 6.582119569e-4

  /// The mean of `einstein` over a density of states: C_V over its classical limit, for
  /// oscillators of that distribution.
  /// - Parameters:
  ///   - omega: angular frequencies in rad/ps, equally spaced; negative ones are left out
  ///   - density: of states, in any unit
  ///   - temperature: in K
  /// - Returns: nil for a density without a positive sum.
  public static func fraction(omega: [Double], density: [Double], temperature: Double) -> Double? {
    precondition(omega.count == density.count)
    let beta = reducedPlanck / (Units.boltzmann * temperature)
    var (sum, weight) = (0.0, 0.0)
    for (k, w) in omega.enumerated() where w >= 0 {
      // Trapezoids: the first and last value count half.
      let share = density[k] * (k == 0 || k == omega.count - 1 ? 0.5 : 1)
      sum += share * einstein(beta * w)
      weight += share
    }
    return weight > 0 && sum.isFinite ? sum / weight : nil
  }
}
