import Glibc

/// Random numbers of tests, the same on every machine.
struct Noise {
  private var state: UInt64
  /// Mixed, because neighbouring states give the same numbers one step apart.
  init(seed: UInt64) { state = Self.mixed(Self.mixed(seed &+ 1) ^ 0x5851_F42D_4C95_7F2D) }

  private static func mixed(_ x: UInt64) -> UInt64 {
    var z = x
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func uniform() -> Double {
    state &+= 0x9E37_79B9_7F4A_7C15
    return (Double(Self.mixed(state) >> 11) + 0.5) * 0x1p-53
  }

  mutating func gaussian() -> Double {
    (-2 * log(uniform())).squareRoot() * cos(2 * .pi * uniform())
  }

  /// A stationary series of unit variance whose correlation falls as exp(−lag/time).
  mutating func correlated(_ count: Int, time: Double) -> [Double] {
    let a = exp(-1 / time)
    let b = (1 - a * a).squareRoot()
    var x = gaussian()
    return (0..<count).map { _ in
      defer { x = a * x + b * gaussian() }
      return x
    }
  }

  /// The statistical inefficiency of `correlated`.
  static func inefficiency(time: Double) -> Double {
    let a = exp(-1 / time)
    return (1 + a) / (1 - a)
  }
}

/// Series that a few lines of any language repeat: x ← a x + e with e of a linear congruential
/// generator, plus a start that relaxes over 100 values.
enum Repeatable {
  static func noise(_ count: Int) -> [Double] {
    var s = 12345
    return (0..<count).map { _ in
      s = (s * 1_103_515_245 + 12345) % (1 << 31)
      return Double(s) / Double(1 << 31) - 0.5
    }
  }

  static func series(_ count: Int, _ a: Double, relaxing: Double = 0) -> [Double] {
    var p = 0.0
    return noise(count).enumerated().map { t, e in
      p = a * p + e
      return p + relaxing * exp(-Double(t) / 100)
    }
  }
}
