import Glibc

/// Numbers in input texts.
package enum NumberText {
  /// A finite number: digits, optional point and exponent (e, E, d or D). No hexadecimal numbers,
  /// no `nan` or `inf`, nothing that overflows.
  package static func double(_ text: ArraySlice<UInt8>) -> Double? {
    guard text.count > 0, text.count < 400 else { return nil }
    var digits = 0
    var point = false
    var index = text.startIndex
    let end = text.endIndex
    func isDigit(_ c: UInt8) -> Bool { c &- 48 < 10 }
    if text[index] == 43 || text[index] == 45 { index += 1 }
    while index < end {
      let c = text[index]
      if isDigit(c) {
        digits += 1
      } else if c == 46, !point {
        point = true
      } else {
        break
      }
      index += 1
    }
    guard digits > 0 else { return nil }
    var exponent = -1
    if index < end {
      guard [69, 101, 68, 100].contains(text[index]) else { return nil }
      exponent = index - text.startIndex
      index += 1
      if index < end, text[index] == 43 || text[index] == 45 { index += 1 }
      guard index < end else { return nil }
      while index < end {
        guard isDigit(text[index]) else { return nil }
        index += 1
      }
    }
    let value = withUnsafeTemporaryAllocation(of: CChar.self, capacity: text.count + 1) { buffer in
      for (i, c) in text.enumerated() { buffer[i] = CChar(bitPattern: i == exponent ? 101 : c) }
      buffer[text.count] = 0
      return strtod(buffer.baseAddress!, nil)
    }
    return value.isFinite ? value : nil
  }

  /// An integer.
  package static func integer(_ text: ArraySlice<UInt8>) -> Int? {
    Int(String(decoding: text, as: UTF8.self))
  }

  /// Why a text is no number, for messages.
  package static func problem(_ text: ArraySlice<UInt8>) -> String {
    let word = String(decoding: text.prefix(40), as: UTF8.self)
    let lower = word.lowercased()
    if ["nan", "inf", "+inf", "-inf", "infinity", "-infinity"].contains(lower) {
      return "'\(word)', which is not finite"
    }
    if text.allSatisfy({ "0123456789+-.eEdD".utf8.contains($0) }),
      text.contains(where: { $0 &- 48 < 10 }),
      double(text) == nil, text.filter({ $0 == 46 }).count <= 1
    {
      return "'\(word)', which is too large or not a number"
    }
    if text.contains(44) { return "'\(word)'; numbers have a decimal point and no commas" }
    return "'\(word)'"
  }
}
