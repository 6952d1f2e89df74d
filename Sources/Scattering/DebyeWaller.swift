import Foundation

/// The Debye–Waller factor of intensities.
public enum DebyeWaller {
  /// exp(−q²U/3) at |q| in rad/Å, U = ⟨|r − ⟨r⟩|²⟩ in Å².
  public static func factor(q: Double, meanSquare: Double) -> Double {
    exp(-q * q * meanSquare / 3)
  }
}
