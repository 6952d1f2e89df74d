/// One angular function b = Z(z)·w, with Z a primitive integer polynomial proportional to the m-th
/// derivative of the Legendre polynomial P_l, and w the real or imaginary part of (x + iy)^m.
///
/// Packed order: l from 1; within l, m = 0, then real and imaginary part of each m.
struct SolidHarmonic {
  let l, m: Int
  let isImaginary: Bool
  /// Z(z) = Σ coefficients[p] z^p.
  let coefficients: [Double]
  /// The factor of s² in the three-body invariant: C_lm, doubled for m > 0.
  let weight: Double
  /// C_lm itself.
  let norm: Double

  static func all(upTo degree: Int) -> [SolidHarmonic] {
    var result: [SolidHarmonic] = []
    for l in 1...degree {
      for m in 0...l {
        let (z, kappa) = legendreDerivative(l, m)
        var factorials = 1.0
        for k in (l - m + 1)..<(l + m + 1) where m > 0 { factorials /= Double(k) }
        let norm = Double(2 * l + 1) / (4 * .pi) * factorials * kappa * kappa
        for part in 0..<(m == 0 ? 1 : 2) {
          result.append(
            SolidHarmonic(
              l: l, m: m, isImaginary: part == 1, coefficients: z,
              weight: m == 0 ? norm : 2 * norm, norm: norm))
        }
      }
    }
    return result
  }

  /// The primitive polynomial Z and κ with d^m P_l/dz^m = κ Z.
  private static func legendreDerivative(_ l: Int, _ m: Int) -> ([Double], Double) {
    // 2^l P_l has integer coefficients: (−1)^k C(l, k) C(2l − 2k, l) z^(l − 2k).
    var integers = [Int](repeating: 0, count: l + 1)
    for k in 0...l / 2 {
      integers[l - 2 * k] = (k % 2 == 0 ? 1 : -1) * binomial(l, k) * binomial(2 * l - 2 * k, l)
    }
    for _ in 0..<m {
      integers = (1..<integers.count).map { integers[$0] * $0 }
    }
    let divisor = integers.reduce(0, gcd)
    return (
      integers.map { Double($0 / divisor) }, Double(divisor) / Double(1 << l)
    )
  }

  private static func binomial(_ n: Int, _ k: Int) -> Int {
    var result = 1
    for i in 0..<k { result = result * (n - i) / (i + 1) }
    return result
  }

  private static func gcd(_ a: Int, _ b: Int) -> Int {
    var (a, b) = (abs(a), abs(b))
    while b != 0 { (a, b) = (b, a % b) }
    return a
  }

  private func z(_ z: Double) -> (value: Double, slope: Double) {
    var value = 0.0
    var slope = 0.0
    for c in coefficients.reversed() {
      slope = slope * z + value
      value = value * z + c
    }
    return (value, slope)
  }

  /// (x + iy)^k.
  private func power(_ u: SIMD3<Double>, _ k: Int) -> (re: Double, im: Double) {
    var w = (re: 1.0, im: 0.0)
    for _ in 0..<k { w = (w.re * u.x - w.im * u.y, w.re * u.y + w.im * u.x) }
    return w
  }

  /// b(u) at a unit vector.
  func value(_ u: SIMD3<Double>) -> Double {
    let w = power(u, m)
    return z(u.z).value * (isImaginary ? w.im : w.re)
  }

  /// The gradient of the polynomial b in free x, y, z.
  func gradient(_ u: SIMD3<Double>) -> SIMD3<Double> {
    let p = z(u.z)
    let w = power(u, m)
    let part = isImaginary ? w.im : w.re
    guard m > 0 else { return [0, 0, p.slope] }
    let v = power(u, m - 1)
    // d(w^m) = m w^(m−1) (dx + i dy)
    let dx = Double(m) * (isImaginary ? v.im : v.re)
    let dy = Double(m) * (isImaginary ? v.re : -v.im)
    return [p.value * dx, p.value * dy, p.slope * part]
  }
}
