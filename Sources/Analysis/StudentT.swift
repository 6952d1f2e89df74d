import Glibc

/// Student's t distribution.
public enum StudentT {
  /// The probability that |t| exceeds a value, for ν degrees of freedom.
  public static func twoSided(_ t: Double, degreesOfFreedom nu: Double) -> Double {
    guard t.isFinite else { return t.isNaN ? .nan : 0 }
    return incompleteBeta(nu / (nu + t * t), nu / 2, 0.5)
  }

  /// The value that |t| exceeds with a probability, for ν degrees of freedom.
  public static func quantile(twoSided probability: Double, degreesOfFreedom nu: Double) -> Double {
    precondition(probability > 0 && probability < 1)
    var (low, high) = (0.0, 2.0)
    while twoSided(high, degreesOfFreedom: nu) > probability, high < 1e12 { high *= 2 }
    for _ in 0..<80 {
      let middle = (low + high) / 2
      if twoSided(middle, degreesOfFreedom: nu) > probability {
        low = middle
      } else {
        high = middle
      }
    }
    return (low + high) / 2
  }

  /// I_x(a, b), by the continued fraction of Lentz [Press et al., Numerical Recipes, 6.4].
  static func incompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
    if x <= 0 { return 0 }
    if x >= 1 { return 1 }
    let front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x))
    return x < (a + 1) / (a + b + 2)
      ? front * fraction(x, a, b) / a : 1 - front * fraction(1 - x, b, a) / b
  }

  private static func fraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
    let tiny = 1e-300
    var c = 1.0
    var d = 1 - (a + b) * x / (a + 1)
    d = 1 / (abs(d) < tiny ? tiny : d)
    var h = d
    for m in 1...1000 {
      let k = Double(m)
      for numerator in [
        k * (b - k) * x / ((a + 2 * k - 1) * (a + 2 * k)),
        -(a + k) * (a + b + k) * x / ((a + 2 * k) * (a + 2 * k + 1)),
      ] {
        d = 1 + numerator * d
        d = 1 / (abs(d) < tiny ? tiny : d)
        c = 1 + numerator / c
        if abs(c) < tiny { c = tiny }
        h *= d * c
      }
      if abs(d * c - 1) < 1e-15 { break }
    }
    return h
  }
}
