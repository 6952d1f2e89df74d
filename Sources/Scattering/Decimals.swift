import Foundation

/// Numbers in messages and histories.
enum Decimals {
  /// A number with the given significant digits and no more zeros than it needs.
  static func text(_ value: Double, digits: Int = 6) -> String {
    let rounded = value == 0 ? 0 : value
    return String(format: "%.\(digits)g", rounded)
  }
}
