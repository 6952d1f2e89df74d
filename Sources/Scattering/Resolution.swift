import Foundation
import Matter

/// The energy resolution of an instrument: a Gaussian whose σ depends on the energy transfer.
/// FWHM = 2.3548 σ.
public struct Resolution: Sendable {
  /// σ (meV) as a function of the energy transfer (meV); all in units of a variable and a scale.
  enum Form: Sendable {
    /// Σ c_i w^i.
    case polynomial([Double])
    /// One value below an energy, a polynomial from there on.
    case step(at: Double, below: Double, coefficients: [Double])
    /// Σ c_i x^i with x = 2|w|/range − 1, one set for loss and one for gain of the neutron, from
    /// −range up to below `limit`.
    case twoSided(loss: [Double], gain: [Double], range: Double, limit: Double)
  }

  let form: Form
  /// What it is, for the history of a result.
  public let description: String

  init(_ form: Form, description: String) {
    self.form = form
    self.description = description
  }

  /// A polynomial in the energy transfer w (meV): σ = Σ c_i w^i, in meV.
  public static func polynomial(_ coefficients: [Double]) -> Resolution {
    Resolution(
      .polynomial(coefficients),
      description: "σ = "
        + coefficients.enumerated().map {
          $0.offset == 0
            ? Decimals.text($0.element) : "\(Decimals.text($0.element)) w^\($0.offset)"
        }.joined(separator: " + ") + " meV")
  }

  /// One width at every energy, σ in meV.
  public static func constant(_ sigma: Double) -> Resolution { polynomial([sigma]) }

  /// σ at an energy transfer, both in meV; nil where the instrument measures nothing.
  public func sigma(_ energy: Double) -> Double? {
    switch form {
    case .polynomial(let c): return Self.sum(c, energy)
    case .step(let at, let below, let c): return energy < at ? below : Self.sum(c, energy)
    case .twoSided(let loss, let gain, let range, let limit):
      guard energy >= -range, energy < limit else { return nil }
      return Self.sum(energy >= 0 ? loss : gain, 2 * abs(energy) / range - 1)
    }
  }

  private static func sum(_ c: [Double], _ x: Double) -> Double {
    c.reversed().reduce(0) { $0 * x + $1 }
  }
}
