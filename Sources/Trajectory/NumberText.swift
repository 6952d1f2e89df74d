import Glibc

/// Numbers in input texts.
package enum NumberText {
  /// A finite number: digits, optional point and exponent (e, E, d or D). No hexadecimal numbers,
  /// no `nan` or `inf`, nothing that overflows.
  package static func double(_ text: ArraySlice<UInt8>) -> Double? {
    text.withUnsafeBufferPointer { bytes in
      guard var place = bytes.baseAddress else { return nil }
      let end = place + bytes.count
      guard let value = double(&place, end), place == end else { return nil }
      return value
    }
  }

  /// The number that begins at a place, correctly rounded; the place moves to the byte after it,
  /// which is white space or the end. Without a number the place is of no use.
  @inline(__always)
  static func double(_ place: inout UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) -> Double? {
    let start = place
    var p = place
    guard p < end else { return nil }
    let negative = p.pointee == 45
    if negative || p.pointee == 43 { p += 1 }
    // Nineteen digits fit; leading zeros count for nothing.
    var mantissa: UInt64 = 0
    let integerStart = p
    while p < end, p.pointee &- 48 < 10 {
      mantissa = mantissa &* 10 &+ UInt64(p.pointee &- 48)
      p += 1
    }
    var digits = p - integerStart
    var power = 0
    if p < end, p.pointee == 46 {
      p += 1
      let fraction = p
      while p < end, p.pointee &- 48 < 10 {
        mantissa = mantissa &* 10 &+ UInt64(p.pointee &- 48)
        p += 1
      }
      power = fraction - p
      digits -= power
    }
    guard digits > 0 else { return nil }
    if p < end, p.pointee | 32 == 101 || p.pointee | 32 == 100 {
      p += 1
      var down = false
      if p < end, p.pointee == 43 || p.pointee == 45 {
        down = p.pointee == 45
        p += 1
      }
      let first = p
      var exponent = 0
      while p < end, p.pointee &- 48 < 10 {
        if exponent < 100_000 { exponent = exponent * 10 + Int(p.pointee &- 48) }
        p += 1
      }
      guard p > first else { return nil }
      power += down ? -exponent : exponent
    }
    guard p == end || p.pointee &- 1 < 32 else { return nil }
    place = p
    if digits <= 19, let value = scaled(mantissa, power) { return negative ? -value : value }
    return slow(start, p - start)
  }

  /// m·10^e correctly rounded, or nil where 5^|e| has more than 64 bits.
  @inline(__always)
  private static func scaled(_ m: UInt64, _ e: Int) -> Double? {
    if m == 0 { return 0 }
    if m < 1 << 53, e >= -22, e <= 22 {
      // Both are exact, so that one rounding is the right one.
      return e < 0 ? Double(m) / powersOfTen[-e] : Double(m) * powersOfTen[e]
    }
    guard e >= -27, e <= 27 else { return nil }
    let five = powersOfFive[abs(e)]
    // 64 leading bits of the result, the last of which says whether anything was cut off.
    var bits: UInt64
    var exponent: Int
    if e < 0 {
      let up = m.leadingZeroBitCount
      let down = five.leadingZeroBitCount
      let n = m << UInt64(up)
      let d = five << UInt64(down)
      let shift: UInt64 = n >= d ? 1 : 0
      let (quotient, rest) = d.dividingFullWidth((n >> shift, shift == 1 ? n << 63 : 0))
      bits = quotient | (rest == 0 ? 0 : 1)
      exponent = down - up - 64 + Int(shift) + e
    } else {
      let (high, low) = m.multipliedFullWidth(by: five)
      if high == 0 {
        bits = low
        exponent = e
      } else {
        let up = UInt64(high.leadingZeroBitCount)
        bits = up == 0 ? high : high << up | low >> (64 - up)
        if low << up != 0 { bits |= 1 }
        exponent = 64 - Int(up) + e
      }
    }
    return Double(bits) * Double(sign: .plus, exponent: exponent, significand: 1)
  }

  /// Checked numbers of many digits or large exponents.
  @inline(never)
  private static func slow(_ start: UnsafePointer<UInt8>, _ count: Int) -> Double? {
    guard count < 400 else { return nil }
    let value = withUnsafeTemporaryAllocation(of: CChar.self, capacity: count + 1) { buffer in
      for i in 0..<count {
        let c = start[i]
        buffer[i] = CChar(bitPattern: c | 32 == 100 ? 101 : c)
      }
      buffer[count] = 0
      guard let base = buffer.baseAddress else { return Double.nan }
      return strtod(base, nil)
    }
    return value.isFinite ? value : nil
  }

  // Pointers that are never freed: an array would be retained and released for every number.
  private nonisolated(unsafe) static let powersOfTen = table([
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
    1e18, 1e19, 1e20, 1e21, 1e22,
  ])
  private nonisolated(unsafe) static let powersOfFive = table(
    (0...27).map { n in (0..<n).reduce(1 as UInt64) { product, _ in product * 5 } })

  private static func table<Value>(_ values: [Value]) -> UnsafePointer<Value> {
    let pointer = UnsafeMutablePointer<Value>.allocate(capacity: values.count)
    pointer.initialize(from: values, count: values.count)
    return UnsafePointer(pointer)
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
