/// Whether the first tenth and the last half of a series have the same mean [Geweke, in Bayesian
/// Statistics 4 (1992)].
public enum Geweke {
  /// The difference of the means in its standard errors, and the probability of one at least as
  /// large in a stationary series; NaN without enough data.
  ///
  /// The variances of the two means come from variance and inefficiency of the whole series without
  /// its trend, because the first tenth alone is mostly too short to tell them.
  public static func test(_ series: [Double]) -> (z: Double, probability: Double) {
    let n = series.count
    guard n >= 20, series.allSatisfy(\.isFinite) else { return (.nan, .nan) }
    if BlockAverage.isConstant(series) { return (0, 1) }
    let flat = LinearDrift.withoutTrend(series)
    let g = StatisticalInefficiency.of(flat)
    let (early, late) = (n / 10, n / 2)
    guard let cut = BlockAverage.cut(n, inefficiency: g), Double(early) >= 2 * g else {
      return (.nan, .nan)
    }
    let variance = BlockAverage.mean(flat, inefficiency: g).standardError
    let unit = variance * variance * Double(n)
    let first = series[..<early].mean
    let last = series[(n - late)...].mean
    let z = (first - last) / (unit * (1 / Double(early) + 1 / Double(late))).squareRoot()
    return (z, StudentT.twoSided(z, degreesOfFreedom: Double(cut.count - 1)))
  }
}
