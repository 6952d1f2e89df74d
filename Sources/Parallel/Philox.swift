import Foundation

/// What a random number is for; part of its counter, so that no two uses share one.
public enum RandomStream: UInt32, Sendable {
  /// Initial velocities.
  case velocities = 1
  /// The thermostat's noise.
  case thermostat = 2
  /// The barostat's noise.
  case barostat = 3
  /// Random choices of an analysis.
  case analysis = 4
  /// Anything in tests.
  case test = 99
}

/// Counter-based random numbers, Philox-4×32-10 (Salmon et al., SC11): a function of seed, stream,
/// step, index and draw, so there is no state to save and no dependence on threads.
public struct Philox: Sendable {
  /// The seed of the run.
  public let seed: UInt64

  /// Random numbers of a seed.
  public init(seed: UInt64) { self.seed = seed }

  /// Four 32-bit words of a counter.
  public static func block(counter: SIMD4<UInt32>, key: SIMD2<UInt32>) -> SIMD4<UInt32> {
    var c = counter
    var k = key
    for _ in 0..<10 {
      let p0 = UInt64(0xD251_1F53) * UInt64(c.x)
      let p1 = UInt64(0xCD9E_8D57) * UInt64(c.z)
      c = SIMD4(
        UInt32(truncatingIfNeeded: p1 >> 32) ^ c.y ^ k.x, UInt32(truncatingIfNeeded: p1),
        UInt32(truncatingIfNeeded: p0 >> 32) ^ c.w ^ k.y, UInt32(truncatingIfNeeded: p0))
      k = k &+ SIMD2(0x9E37_79B9, 0xBB67_AE85)
    }
    return c
  }

  /// Two uniform numbers in (0, 1), 53 bits each.
  /// - Parameters:
  ///   - stream: what they are for
  ///   - step: the step of the run, in 0..<2^56
  ///   - index: the atom, or 0, in 0..<2^32
  ///   - draw: which of several draws, in 0..<2^32
  public func uniform(_ stream: RandomStream, step: Int, index: Int, draw: Int = 0) -> SIMD2<Double>
  {
    let s = UInt64(step)
    let counter = SIMD4(
      UInt32(truncatingIfNeeded: s), UInt32(truncatingIfNeeded: s >> 32) | stream.rawValue << 24,
      UInt32(truncatingIfNeeded: index), UInt32(truncatingIfNeeded: draw))
    let w = Self.block(
      counter: counter,
      key: SIMD2(UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)))
    func unit(_ high: UInt32, _ low: UInt32) -> Double {
      let bits = (UInt64(high) << 32 | UInt64(low)) >> 11
      return (Double(bits) + 0.5) * 0x1p-53
    }
    return [unit(w.x, w.y), unit(w.z, w.w)]
  }

  /// Two independent standard normal numbers (Box–Muller).
  public func normal(_ stream: RandomStream, step: Int, index: Int, draw: Int = 0) -> SIMD2<Double>
  {
    let u = uniform(stream, step: step, index: index, draw: draw)
    let radius = (-2 * log(u.x)).squareRoot()
    let angle = 2 * Double.pi * u.y
    return [radius * cos(angle), radius * sin(angle)]
  }
}
