/// An exact fraction, in lowest terms with a positive denominator.
public struct Rational: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// The numerator.
  public let numerator: Int
  /// The denominator, above 0.
  public let denominator: Int

  /// An integer.
  public init(_ integer: Int) { self.init(integer, 1) }

  /// The fraction of two integers; the denominator not 0.
  public init(_ numerator: Int, _ denominator: Int) {
    precondition(denominator != 0)
    var (a, b) = (abs(numerator), abs(denominator))
    while b != 0 { (a, b) = (b, a % b) }
    let sign = denominator < 0 ? -1 : 1
    self.numerator = sign * numerator / a
    self.denominator = sign * denominator / a
  }

  /// The fraction of the smallest denominator within 1e-6 of a number, as 1/3 for 0.333333;
  /// nil where none has a denominator up to 200.
  public init?(nearest value: Double) {
    guard value.isFinite, abs(value) < 1e6 else { return nil }
    for denominator in 1...200 {
      let numerator = (value * Double(denominator)).rounded(.toNearestOrEven)
      if abs(numerator / Double(denominator) - value) <= 1e-6 {
        self.init(Int(numerator), denominator)
        return
      }
    }
    return nil
  }

  /// The fraction of a text: an integer, a decimal number, or two integers about a slash.
  public init?(text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    if parts.count == 2 {
      guard let n = Int(parts[0].filter { $0 != " " }), let d = Int(parts[1].filter { $0 != " " }),
        (1...1000).contains(d), abs(n) <= 1_000_000
      else { return nil }
      self.init(n, d)
    } else {
      guard let value = Double(text) else { return nil }
      self.init(nearest: value)
    }
  }

  /// The nearest number.
  public var value: Double { Double(numerator) / Double(denominator) }
  /// Whether it is an integer.
  public var isInteger: Bool { denominator == 1 }
  /// `3/8`, or `2` for an integer.
  public var description: String {
    isInteger ? "\(numerator)" : "\(numerator)/\(denominator)"
  }

  /// The largest integer not above it.
  var floor: Int {
    let quotient = numerator / denominator
    return numerator % denominator < 0 ? quotient - 1 : quotient
  }

  /// The sum.
  public static func + (a: Rational, b: Rational) -> Rational {
    Rational(
      a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator)
  }
  /// The difference.
  public static func - (a: Rational, b: Rational) -> Rational { a + Rational(-1) * b }
  /// The product.
  public static func * (a: Rational, b: Rational) -> Rational {
    Rational(a.numerator * b.numerator, a.denominator * b.denominator)
  }
  /// The quotient; the divisor not 0.
  public static func / (a: Rational, b: Rational) -> Rational {
    Rational(a.numerator * b.denominator, a.denominator * b.numerator)
  }
  /// The order of numbers.
  public static func < (a: Rational, b: Rational) -> Bool {
    a.numerator * b.denominator < b.numerator * a.denominator
  }
}
