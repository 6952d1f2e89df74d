import Foundation

/// Angles in degrees and their cosines.
enum Cosine {
  static func of(degrees: Double) -> Double { cos(degrees * .pi / 180) }
  static func degrees(_ cosine: Double) -> Double {
    cosine == 0 ? 90 : acos(min(1, max(-1, cosine))) * 180 / .pi
  }
}
