/// MT19937 (Matsumoto and Nishimura, ACM TOMACS 8, 3 (1998)) with the seeding and the doubles of
/// numpy's `RandomState`, for samples that are the same as dynasor's.
package struct MersenneTwister {
  private var state: [UInt32]
  private var next = 624

  /// The generator of a seed.
  package init(seed: UInt32) {
    state = [UInt32](repeating: seed, count: 624)
    for i in 1..<624 {
      state[i] = 1_812_433_253 &* (state[i - 1] ^ (state[i - 1] >> 30)) &+ UInt32(i)
    }
  }

  private mutating func refill() {
    for i in 0..<624 {
      let y = (state[i] & 0x8000_0000) | (state[(i + 1) % 624] & 0x7fff_ffff)
      state[i] = state[(i + 397) % 624] ^ (y >> 1) ^ (y & 1 == 0 ? 0 : 0x9908_b0df)
    }
    next = 0
  }

  /// The next 32 random bits.
  package mutating func word() -> UInt32 {
    if next == 624 { refill() }
    var y = state[next]
    next += 1
    y ^= y >> 11
    y ^= (y << 7) & 0x9d2c_5680
    y ^= (y << 15) & 0xefc6_0000
    return y ^ (y >> 18)
  }

  /// A number in [0, 1) with 53 random bits.
  package mutating func uniform() -> Double {
    let high = Double(word() >> 5)
    let low = Double(word() >> 6)
    return (high * 67_108_864 + low) / 9_007_199_254_740_992
  }
}
