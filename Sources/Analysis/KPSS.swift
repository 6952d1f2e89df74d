import Glibc

/// The test of stationarity about a level of Kwiatkowski, Phillips, Schmidt and Shin
/// [J. Econometrics 54, 159 (1992)]: η = Σ S_t²/(n² s²(l)) with S_t the partial sums of the series
/// less its mean and s²(l) its long-run variance with Bartlett weights (their equation 10).
public enum KPSS {
  /// Critical values of η for a level, their table 1.
  public static let critical10 = 0.347
  /// At 5 %.
  public static let critical5 = 0.463
  /// At 1 %.
  public static let critical1 = 0.739

  /// η of a series, or NaN without enough data.
  ///
  /// The test is made on means over two statistical inefficiencies, with their lag
  /// l = trunc(4 (n/100)^¼): with raw values of molecular dynamics that lag is far shorter than the
  /// correlation, and the test rejects what is stationary.
  public static func statistic(_ series: [Double]) -> Double {
    let n = series.count
    guard n >= 20, series.allSatisfy(\.isFinite) else { return .nan }
    if BlockAverage.isConstant(series) { return 0 }
    let g = StatisticalInefficiency.of(LinearDrift.withoutTrend(series))
    let count = Int(Double(n) / (g > 1 ? 2 * g : 1))
    guard count >= 20 else { return .nan }
    return eta(BlockAverage.means(series, count: count))
  }

  /// η of nearly independent values.
  package static func eta(_ values: [Double]) -> Double {
    let n = values.count
    let mean = values.mean
    let d = values.map { $0 - mean }
    let lag = Int(4 * pow(Double(n) / 100, 0.25))
    var longRun = 0.0
    for k in 0...min(lag, n - 1) {
      var sum = 0.0
      for t in k..<n { sum += d[t] * d[t - k] }
      longRun += (k == 0 ? 1 : 2 * (1 - Double(k) / Double(lag + 1))) * sum / Double(n)
    }
    var partial = 0.0
    var squares = 0.0
    for value in d {
      partial += value
      squares += partial * partial
    }
    return longRun > 0 ? squares / (Double(n) * Double(n) * longRun) : .nan
  }
}
