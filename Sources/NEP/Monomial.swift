/// coefficient · Π s[index], a term of a many-body channel as a polynomial in the packed s.
struct Monomial {
  let coefficient: Double
  let indices: [Int]

  func value(_ s: [Double]) -> Double { indices.reduce(coefficient) { $0 * s[$1] } }

  func addGradient(_ s: [Double], times slope: Double, to gradient: inout [Double]) {
    for (k, index) in indices.enumerated() {
      var product = coefficient * slope
      for (other, i) in indices.enumerated() where other != k { product *= s[i] }
      gradient[index] += product
    }
  }

  /// The channel as a polynomial. Four-body channels are the contraction of
  /// A_l0 = √C_l0 s_l0, A_lm = (−1)^m √C_lm (s^Re + i s^Im), A_l,−m = √C_lm (s^Re − i s^Im)
  /// with the Wigner 3-j symbol; the five-body one is (7/15) q_{l=1}².
  static func expansion(of channel: NEPModel.Channel) -> [Monomial] {
    let harmonics = SolidHarmonic.all(upTo: max(2, channel.degree))
    switch channel {
    case .q1111:
      var result: [Monomial] = []
      for a in 0..<3 {
        for b in 0..<3 {
          result.append(
            Monomial(
              coefficient: 7 / 15 * harmonics[a].weight * harmonics[b].weight,
              indices: [a, a, b, b]))
        }
      }
      return merged(result)
    case .q222: return contraction(2, 2, 2, harmonics)
    case .q112: return contraction(1, 1, 2, harmonics)
    case .q123: return contraction(1, 2, 3, harmonics)
    case .q233: return contraction(2, 3, 3, harmonics)
    case .q134: return contraction(1, 3, 4, harmonics)
    }
  }

  private static func contraction(
    _ l1: Int, _ l2: Int, _ l3: Int, _ harmonics: [SolidHarmonic]
  ) -> [Monomial] {
    /// A_lm as terms (re, im, index of s).
    func moment(_ l: Int, _ m: Int) -> [(re: Double, im: Double, index: Int)] {
      let first = l * l - 1
      if m == 0 { return [(harmonics[first].norm.squareRoot(), 0, first)] }
      let index = first + 2 * abs(m) - 1
      let root = harmonics[index].norm.squareRoot()
      if m < 0 { return [(root, 0, index), (0, -root, index + 1)] }
      let sign: Double = m % 2 == 0 ? 1 : -1
      return [(sign * root, 0, index), (0, sign * root, index + 1)]
    }
    var result: [Monomial] = []
    for m1 in -l1...l1 {
      for m2 in -l2...l2 where abs(m1 + m2) <= l3 {
        let w = Wigner.threeJ(l1, l2, l3, m1, m2, -m1 - m2)
        for a in moment(l1, m1) {
          for b in moment(l2, m2) {
            for c in moment(l3, -m1 - m2) {
              let re = a.re * b.re - a.im * b.im
              let im = a.re * b.im + a.im * b.re
              result.append(
                Monomial(
                  coefficient: w * (re * c.re - im * c.im), indices: [a.index, b.index, c.index]))
            }
          }
        }
      }
    }
    return merged(result)
  }

  /// Equal products added; terms that cancel dropped.
  private static func merged(_ terms: [Monomial]) -> [Monomial] {
    var sums: [[Int]: Double] = [:]
    for term in terms { sums[term.indices.sorted(), default: 0] += term.coefficient }
    let largest = sums.values.map(abs).max() ?? 0
    return sums.filter { abs($0.value) > 1e-12 * largest }
      .sorted { $0.key.lexicographicallyPrecedes($1.key) }
      .map { Monomial(coefficient: $0.value, indices: $0.key) }
  }
}

/// Wigner's 3-j symbol.
enum Wigner {
  /// By Racah's sum, for m1 + m2 + m3 = 0.
  static func threeJ(_ a: Int, _ b: Int, _ c: Int, _ ma: Int, _ mb: Int, _ mc: Int) -> Double {
    guard ma + mb + mc == 0, c >= abs(a - b), c <= a + b else { return 0 }
    let triangle =
      factorial(a + b - c) * factorial(a - b + c) * factorial(-a + b + c) / factorial(a + b + c + 1)
    let root =
      (triangle * factorial(a + ma) * factorial(a - ma) * factorial(b + mb) * factorial(b - mb)
      * factorial(c + mc) * factorial(c - mc)).squareRoot()
    var sum = 0.0
    for t in 0...a + b + c {
      let arguments = [t, c - b + t + ma, c - a + t - mb, a + b - c - t, a - t - ma, b - t + mb]
      if arguments.contains(where: { $0 < 0 }) { continue }
      sum += (t % 2 == 0 ? 1 : -1) / arguments.reduce(1) { $0 * factorial($1) }
    }
    let sign: Double = abs(a - b - mc) % 2 == 0 ? 1 : -1
    return sign * root * sum
  }

  private static func factorial(_ n: Int) -> Double {
    n < 2 ? 1 : (2...n).reduce(1) { $0 * Double($1) }
  }
}
