import Glibc
import Matter

/// Decimal numbers as text, in every locale the same.
enum Number {
  /// The number a text begins with, and what follows it; nil when it begins with none.
  static func scan(_ text: String) throws(InputError) -> (Double, Substring)? {
    let trimmed = Substring(text).trimmed
    let bytes = Array(trimmed.utf8)
    var i = 0
    func isDigit(_ k: Int) -> Bool { k < bytes.count && (48...57).contains(bytes[k]) }
    if i < bytes.count, bytes[i] == 43 || bytes[i] == 45 { i += 1 }
    let start = i
    while isDigit(i) { i += 1 }
    var digits = i - start
    if i < bytes.count, bytes[i] == 46 {
      i += 1
      let fraction = i
      while isDigit(i) { i += 1 }
      digits += i - fraction
    }
    guard digits > 0 else { return nil }
    let mantissa = bytes[start..<i].contains { (49...57).contains($0) }
    if i < bytes.count, bytes[i] == 101 || bytes[i] == 69 {
      let sign = i + 1 < bytes.count && (bytes[i + 1] == 43 || bytes[i + 1] == 45) ? 1 : 0
      if isDigit(i + 1 + sign) {
        i += 1 + sign
        while isDigit(i) { i += 1 }
      }
    }
    let numeral = String(decoding: bytes[..<i], as: UTF8.self)
    guard let value = Double(numeral), value.isFinite else {
      throw InputError("\(numeral.clipped) is too large", remedy: "Write a smaller number")
    }
    guard !mantissa || value.isNormal else {
      throw InputError("\(numeral.clipped) is too small", remedy: "Write a larger number, or 0")
    }
    return (value, Substring(decoding: bytes[i...], as: UTF8.self).trimmed)
  }

  /// The shortest text that reads back the same.
  static func text(_ value: Double) -> String {
    let text = value.description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// Rounded to 12 significant digits.
  static func rounded(_ value: Double) -> Double {
    guard value != 0, value.isFinite else { return value }
    let digits = 12 - Int(log10(abs(value)).rounded(.up))
    let scale = pow(10, Double(abs(digits)))
    let result = digits >= 0 ? (value * scale).rounded() / scale : (value / scale).rounded() * scale
    return result.isFinite ? result : value
  }
}

extension Substring {
  /// Without spaces and tabs at its ends.
  var trimmed: Substring {
    var result = self
    while let first = result.unicodeScalars.first, first == " " || first == "\t" {
      result.unicodeScalars.removeFirst()
    }
    while let last = result.unicodeScalars.last, last == " " || last == "\t" {
      result.unicodeScalars.removeLast()
    }
    return result
  }
}
