/// The slope of a straight line through a correlated series.
///
/// The line goes through the means of blocks of at least five statistical inefficiencies (of the
/// series without its trend), so that the residuals are nearly independent and Student's t with
/// two degrees of freedom less than blocks holds.
public struct LinearDrift: Sendable, Equatable {
  /// Change of the value over the whole series, in the unit of the series.
  public var change: Estimate
  /// Probability of a slope at least as large without drift; NaN without enough data.
  public var probability: Double

  /// The drift of a series of equally spaced values.
  public init(_ series: [Double]) {
    let n = series.count
    guard n > 2, series.allSatisfy(\.isFinite) else {
      change = Estimate(.nan)
      probability = .nan
      return
    }
    if BlockAverage.isConstant(series) {
      change = Estimate(0, standardError: 0, degreesOfFreedom: n - 2)
      probability = 1
      return
    }
    let whole = Self.fit(series)
    let g = StatisticalInefficiency.of(Self.withoutTrend(series, whole.slope))
    guard let cut = BlockAverage.cut(n, inefficiency: g), cut.count > 3 else {
      change = Estimate(whole.slope * Double(n))
      probability = .nan
      return
    }
    let line = Self.fit(BlockAverage.means(series, count: cut.count))
    let error = (line.slopeVariance * cut.correction).squareRoot()
    let scale = Double(cut.count)
    change = Estimate(
      line.slope * scale, standardError: error * scale, degreesOfFreedom: cut.count - 2,
      effectiveSamples: Double(n) / g)
    probability =
      error > 0
      ? StudentT.twoSided(line.slope / error, degreesOfFreedom: Double(cut.count - 2)) : 0
  }

  /// Slope of least squares against the index, with its variance for independent residuals.
  private static func fit(_ y: [Double]) -> (slope: Double, slopeVariance: Double) {
    let n = Double(y.count)
    let middle = (n - 1) / 2
    let mean = y.mean
    let spread = n * (n * n - 1) / 12
    let slope = LineFit.slope(y[...], spacing: 1)
    var squares = 0.0
    for (t, value) in y.enumerated() {
      let residual = value - mean - slope * (Double(t) - middle)
      squares += residual * residual
    }
    return (slope, squares / max(1, n - 2) / spread)
  }

  /// A series less its straight line of least squares.
  static func withoutTrend(_ series: [Double]) -> [Double] {
    guard series.count > 2 else { return series }
    return withoutTrend(series, fit(series).slope)
  }

  private static func withoutTrend(_ series: [Double], _ slope: Double) -> [Double] {
    let middle = (Double(series.count) - 1) / 2
    return series.enumerated().map { $1 - slope * (Double($0) - middle) }
  }
}
