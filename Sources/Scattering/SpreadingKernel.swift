import CHost
import Foundation

/// What spreads atoms over a grid before a Fourier transform: exp(β(√(1 − z²) − 1)) on |z| ≤ 1, the
/// "exponential of semicircle" of Barnett, Magland and af Klinteberg (SIAM J. Sci. Comput. 41, C479,
/// 2019), `width` grid steps wide. The error of the transform is near exp(−π width √(1 − 1/σ)) for a
/// grid σ times finer than the modes need.
struct SpreadingKernel: Sendable {
  /// The number of grid points in each direction that an atom touches, at most `lanes`.
  let width: Int
  /// σ.
  let oversampling: Double
  /// The number of taps that are computed; those beyond `width` are 0.
  static var lanes: Int { 16 }

  private let beta: Double
  /// Of the taps as polynomials in 2f − 1, highest power first, sixteen taps for each power.
  private let coefficients: [SIMD8<Double>]
  private let nodes: [(z: Double, weight: Double)]

  /// The narrowest kernel of a tolerance; nil where it were wider than `lanes`.
  init?(tolerance: Double, oversampling: Double) {
    let rate = Double.pi * (1 - 1 / oversampling).squareRoot()
    let width = Int((-log(tolerance) / rate).rounded(.up)) + 1
    guard width <= Self.lanes else { return nil }
    self.width = width
    self.oversampling = oversampling
    let (w, b) = (
      Double(width), 0.976 * Double.pi * Double(width) * (1 - 0.5 / oversampling)
    )
    beta = b
    nodes = Self.legendreNodes(64)
    let taps = (0..<width).map { tap in
      Self.polynomial(degree: width + 3) { u in
        Self.value((0.5 * (u + 1) - 0.5 * w + Double(tap)) * 2 / w, b)
      }
    }
    coefficients = (0..<width + 4).reversed().flatMap { power in
      (0..<2).map { half in
        SIMD8((0..<8).map { 8 * half + $0 < taps.count ? taps[8 * half + $0][power] : 0 })
      }
    }
  }

  private static func value(_ z: Double, _ beta: Double) -> Double {
    abs(z) <= 1 ? exp(beta * ((1 - z * z).squareRoot() - 1)) : 0
  }

  /// The values at the grid points f − width/2, f − width/2 + 1, … from an atom, f in [0, 1].
  @inline(__always)
  func taps(
    _ f: Double, _ coefficients: UnsafePointer<SIMD8<Double>>
  ) -> (SIMD8<Double>, SIMD8<Double>) {
    let u = SIMD8(repeating: f + f - 1)
    var (a, b) = (coefficients[0], coefficients[1])
    for k in 1..<width + 4 {
      a = f64x8_fma(a, u, coefficients[2 * k])
      b = f64x8_fma(b, u, coefficients[2 * k + 1])
    }
    return (a, b)
  }

  /// Calls `body` with what `taps` needs.
  func withCoefficients(_ body: (UnsafePointer<SIMD8<Double>>) -> Void) {
    coefficients.withUnsafeBufferPointer { if let start = $0.baseAddress { body(start) } }
  }

  /// ∫ kernel(x) cos(2πhx/n) dx over x in grid steps.
  func transform(_ h: Int, length n: Int) -> Double {
    let phase = Double.pi * Double(width) * Double(h) / Double(n)
    return Double(width)
      * nodes.reduce(0) { $0 + $1.weight * Self.value($1.z, beta) * cos(phase * $1.z) }
  }

  /// Powers 0...degree of the interpolation at Chebyshev points of [−1, 1].
  private static func polynomial(degree: Int, _ f: (Double) -> Double) -> [Double] {
    let n = degree + 1
    let angles = (0..<n).map { Double.pi * (Double($0) + 0.5) / Double(n) }
    let values = angles.map { f(cos($0)) }
    var result = [Double](repeating: 0, count: n)
    var (last, current) = ([Double](repeating: 0, count: n), [Double](repeating: 0, count: n))
    current[0] = 1
    for k in 0..<n {
      let sum = zip(angles, values).reduce(0) { $0 + $1.1 * cos(Double(k) * $1.0) }
      for power in 0...k { result[power] += (k == 0 ? 1 : 2) * sum / Double(n) * current[power] }
      // T_{k+1} = 2u T_k − T_{k−1}; T_1 = u.
      var next = last.map { -$0 }
      for power in 0..<n - 1 { next[power + 1] += (k == 0 ? 1 : 2) * current[power] }
      (last, current) = (current, next)
    }
    return result
  }

  /// Gauss–Legendre nodes and weights of [0, 1].
  private static func legendreNodes(_ count: Int) -> [(z: Double, weight: Double)] {
    (0..<count).map { i in
      var x = cos(Double.pi * (Double(i) + 0.75) / (Double(count) + 0.5))
      var slope = 0.0
      for _ in 0..<100 {
        var (p, q) = (1.0, 0.0)
        for k in 0..<count {
          (p, q) = (
            (Double(2 * k + 1) * x * p - Double(k) * q) / Double(k + 1), p
          )
        }
        slope = Double(count) * (x * p - q) / (x * x - 1)
        let step = p / slope
        x -= step
        if abs(step) < 1e-15 { break }
      }
      return (0.5 * (1 + x), 1 / ((1 - x * x) * slope * slope))
    }
  }
}
