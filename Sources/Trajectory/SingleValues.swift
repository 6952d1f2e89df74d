/// Floats of a file as doubles.
enum SingleValues {
  /// Decodes `count` floats, every `stride`-th of those from a place on, into doubles.
  /// - Returns: the index of the first that is not finite or a fill value, or nil.
  @inline(__always)
  static func decode(
    _ bytes: UnsafeRawPointer, _ swapped: Bool, _ count: Int, stride: Int, factor: Double = 1,
    into target: UnsafeMutablePointer<Double>
  ) -> Int? {
    // Largest magnitude as an integer: infinities, NaN and fill values are above 1e30.
    var largest: UInt32 = 0
    for i in 0..<count {
      let raw = bytes.loadUnaligned(fromByteOffset: 4 * stride * i, as: UInt32.self)
      let bits = swapped ? raw.byteSwapped : raw
      largest = max(largest, bits & 0x7fff_ffff)
      target[i] = Double(Float(bitPattern: bits)) * factor
    }
    guard largest > Float(1e30).bitPattern else { return nil }
    return (0..<count).first { !(abs(target[$0]) < 1e30 * abs(factor)) }
  }
}
