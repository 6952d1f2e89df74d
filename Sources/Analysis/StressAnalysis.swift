import Trajectory

/// The six stress components of a run or of replicas in time: statistics, running averages and
/// autocorrelations.
public struct StressAnalysis: Sendable, Equatable {
  /// xx, yy, zz, yz, xz, xy.
  public static let components = ["xx", "yy", "zz", "yz", "xz", "xy"]
  /// Times in ps, to the end of the shortest replica.
  public var times: [Double]
  /// Stress in GPa, positive in tension, by replica and component.
  public var stress: [[[Double]]]
  /// The statistics of each replica and component, over the whole length.
  public var statistics: [[SeriesStatistics]]
  /// Times of the autocorrelations, in ps.
  public var lags: [Double]
  /// Autocorrelation of each component about its mean, by replica, in GPa².
  public var autocorrelation: [[[Double]]]

  /// The analysis of a series, or of replicas; nil if one holds no stresses. Autocorrelations reach
  /// to a tenth of the shortest.
  public init?(_ series: ThermoSeries..., window: Int) {
    self.init(replicas: series, window: window)
  }

  init?(replicas: [ThermoSeries], window: Int) {
    let whole = replicas.compactMap(\.stress)
    guard let count = replicas.map(\.count).min(), count > 0, whole.count == replicas.count
    else { return nil }
    times = Array(replicas[0].times.prefix(count))
    stress = whole.map { $0.map { Array($0.prefix(count)) } }
    statistics = whole.map { $0.map { SeriesStatistics($0, window: window) } }
    let lagCount = max(1, count / 10)
    lags = (0..<lagCount).map { Double($0) * replicas[0].spacing }
    autocorrelation = whole.map {
      $0.map { component in
        component.allSatisfy(\.isFinite)
          ? Autocorrelation.covariance(component, lagCount: lagCount)
          : [Double](repeating: .nan, count: lagCount)
      }
    }
  }
}
