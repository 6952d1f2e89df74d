/// How much of the start of a series to leave out [Chodera, J. Chem. Theory Comput. 12, 1799
/// (2016)]: the start that leaves the most independent samples, (n − t₀)/g(t₀).
public struct Equilibration: Sendable, Equatable {
  /// Values before the equilibrated part.
  public var first: Int
  /// Statistical inefficiency of the equilibrated part, in values.
  public var inefficiency: Double
  /// Independent samples in the equilibrated part.
  public var effectiveSamples: Double

  /// The detected start of a series; nothing is left out of fewer than 20 values.
  ///
  /// Longer series than 4096 values are looked at in means of equal length, and 128 starts are
  /// tried, closer together near the beginning; at least a tenth of the series stays.
  public init(detecting series: [Double]) {
    let n = series.count
    guard n >= 20, series.allSatisfy(\.isFinite), !BlockAverage.isConstant(series) else {
      first = 0
      inefficiency = series.allSatisfy(\.isFinite) ? StatisticalInefficiency.of(series) : 1
      effectiveSamples = Double(n) / inefficiency
      return
    }
    let length = (n + 4095) / 4096
    let count = n / length
    let coarse = BlockAverage.means(Array(series[..<(count * length)]), count: count)
    let last = count * 9 / 10
    var best = (start: 0, samples: -1.0)
    var previous = -1
    for k in 0...128 {
      let x = Double(k) / 128
      let start = Int(Double(last) * x * x)
      guard start > previous else { continue }
      previous = start
      let rest = Array(coarse[start...])
      let samples = Double(rest.count) / StatisticalInefficiency.of(rest)
      if samples > best.samples { best = (start, samples) }
    }
    first = best.start * length
    inefficiency = StatisticalInefficiency.of(Array(series[first...]))
    effectiveSamples = Double(n - first) / inefficiency
  }
}
