/// Numbers for people, without a locale.
public enum Decimal {
  /// A number with a fixed count of decimals; `nan` and `inf` as such.
  public static func fixed(_ value: Double, _ decimals: Int) -> String {
    guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let scaled = (abs(value) * scale).rounded(.toNearestOrEven)
    guard scaled < 9e18 else { return "\(value)" }
    let whole = UInt64(scaled)
    let unit = UInt64(scale)
    let sign = value < 0 && whole != 0 ? "-" : ""
    if decimals == 0 { return sign + "\(whole)" }
    let fraction = String(whole % unit)
    return sign + "\(whole / unit)."
      + String(repeating: "0", count: decimals - fraction.count) + fraction
  }

  /// About four significant digits.
  public static func short(_ value: Double) -> String {
    let size = abs(value)
    if size == 0 { return "0" }
    if !value.isFinite || size >= 1e6 || size < 1e-4 {
      guard value.isFinite else { return "\(value)" }
      var exponent = 0
      var mantissa = value
      while abs(mantissa) >= 10 {
        mantissa /= 10
        exponent += 1
      }
      while abs(mantissa) < 1 {
        mantissa *= 10
        exponent -= 1
      }
      return fixed(mantissa, 3) + "e\(exponent)"
    }
    return fixed(value, size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 5)
  }

  /// `812 B`, `1.4 GB`.
  public static func bytes(_ value: Double) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB"]
    var v = value
    var k = 0
    while v >= 1000, k < units.count - 1 {
      v /= 1000
      k += 1
    }
    return fixed(v, k == 0 ? 0 : 1) + " " + units[k]
  }

  /// `2 d 03 h`, `1 h 05 min`, `4 min 10 s`, `12.3 s`.
  public static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e12 else { return "unknown" }
    if seconds < 60 { return fixed(seconds, 1) + " s" }
    let s = Int(seconds)
    if s < 3600 { return "\(s / 60) min \(s % 60) s" }
    if s < 86400 { return "\(s / 3600) h \(s % 3600 / 60) min" }
    return "\(s / 86400) d \(s % 86400 / 3600) h"
  }
}
