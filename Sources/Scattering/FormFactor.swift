import Foundation

/// A form factor f(s) = c + Σ a_i exp(−b_i s²) + Z·0.023934/s², s = q/4π, the last term only for
/// electrons scattered by ions of charge Z.
public struct FormFactor: Sendable, Equatable {
  /// Amplitudes: electrons for X-rays, Å for electrons.
  public let a: [Double]
  /// Widths, in Å².
  public let b: [Double]
  /// The constant.
  public let c: Double
  /// The charge of the ion, for electrons.
  public let charge: Int
  /// The largest q it was fitted to, in rad/Å.
  public let largestQ: Double

  /// A factor of its parameters; as many widths as amplitudes.
  public init(a: [Double], b: [Double], c: Double, charge: Int, largestQ: Double) {
    precondition(a.count == b.count)
    self.a = a
    self.b = b
    self.c = c
    self.charge = charge
    self.largestQ = largestQ
  }

  /// The factor at |q| in rad/Å; infinite at q = 0 for electrons and ions.
  public func value(_ q: Double) -> Double {
    let s2 = (q / (4 * Double.pi)) * (q / (4 * Double.pi))
    var f = c
    for (a, b) in zip(a, b) { f += a * exp(-b * s2) }
    if charge != 0 { f += 0.023934 * Double(charge) / s2 }
    return f
  }
}
