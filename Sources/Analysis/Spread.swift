/// Standard errors from averages over equal parts.
enum Spread {
  /// The standard error of the mean of independent values; NaN for fewer than two.
  static func standardError(_ values: [Double]) -> Double {
    let n = Double(values.count)
    guard values.count > 1 else { return .nan }
    let mean = values.reduce(0, +) / n
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / (n * (n - 1))).squareRoot()
  }

  /// The larger of two standard errors, each of which may be unknown (NaN).
  static func larger(_ a: Double, _ b: Double) -> Double {
    a.isNaN ? b : b.isNaN ? a : max(a, b)
  }

  /// Standard errors of a curve from curves of stretches of time, which are shorter, and of parts of
  /// the particles, which take neighbours that move together for independent.
  ///
  /// Where both are known the larger holds. Beyond the reach of the stretches the parts' error is
  /// multiplied by the ratio of the two (root mean square, if above 1) over the last half of it.
  static func standardErrors(count: Int, timeBlocks: [[Double]], parts: [[Double]]) -> [Double] {
    func column(_ curves: [[Double]], _ l: Int) -> [Double] { curves.map { $0[l] } }
    let reach = timeBlocks.map(\.count).min() ?? 0
    var time = (0..<reach).map { standardError(column(timeBlocks, $0)) }
    let particle = (0..<count).map { standardError(column(parts, $0)) }
    var timeSquares = 0.0
    var particleSquares = 0.0
    for l in reach / 2..<reach where time[l].isFinite && particle[l].isFinite {
      timeSquares += time[l] * time[l]
      particleSquares += particle[l] * particle[l]
    }
    let ratio = particleSquares > 0 ? max(1, (timeSquares / particleSquares).squareRoot()) : 1
    time += [Double](repeating: .nan, count: count - reach)
    return (0..<count).map { l in
      l < reach ? larger(time[l], particle[l]) : particle[l] * ratio
    }
  }
}
