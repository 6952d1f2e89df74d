/// Sums in an order fixed by the count alone: eight interleaved partial sums within blocks of 1024,
/// blocks added pairwise. Equal for any number of threads, and accurate to a few ulp.
public enum DeterministicSum {
  /// The sum of `count` values.
  public static func sum(_ values: UnsafePointer<Double>, count: Int) -> Double {
    if count <= 1024 {
      var lanes = SIMD8<Double>.zero
      var i = 0
      while i + 8 <= count {
        lanes += UnsafeRawPointer(values + i).loadUnaligned(as: SIMD8<Double>.self)
        i += 8
      }
      var tail = 0.0
      while i < count {
        tail += values[i]
        i += 1
      }
      let half = lanes.lowHalf + lanes.highHalf
      let quarter = half.lowHalf + half.highHalf
      return quarter.x + quarter.y + tail
    }
    let blocks = (count + 1023) / 1024
    let left = (blocks + 1) / 2 * 1024
    return sum(values, count: left) + sum(values + left, count: count - left)
  }
}
