import Trajectory

/// The six stress components in time: statistics, running averages and autocorrelations.
public struct StressAnalysis: Sendable, Equatable {
  /// xx, yy, zz, yz, xz, xy.
  public static let components = ["xx", "yy", "zz", "yz", "xz", "xy"]
  /// Times in ps.
  public var times: [Double]
  /// Stress in GPa, positive in tension, component by component.
  public var stress: [[Double]]
  /// The statistics of each component.
  public var statistics: [SeriesStatistics]
  /// Times of the autocorrelations, in ps.
  public var lags: [Double]
  /// Autocorrelation of each component about its mean, in GPa².
  public var autocorrelation: [[Double]]

  /// The analysis of a series; nil if it holds no stresses. Autocorrelations reach to a tenth of
  /// the series.
  public init?(_ series: ThermoSeries, window: Int) {
    guard let stress = series.stress, series.count > 0 else { return nil }
    times = series.times
    self.stress = stress
    statistics = stress.map { SeriesStatistics($0, window: window) }
    let count = max(1, series.count / 10)
    lags = (0..<count).map { Double($0) * series.spacing }
    autocorrelation = stress.map { component in
      component.allSatisfy(\.isFinite)
        ? Autocorrelation.covariance(component, lagCount: count)
        : [Double](repeating: .nan, count: count)
    }
  }
}
