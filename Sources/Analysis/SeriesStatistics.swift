/// What is said of every series: where it is equilibrated, its mean from there, its spread, its
/// stationarity, and running averages.
public struct SeriesStatistics: Sendable, Equatable {
  /// The equilibrated part, as detected.
  public var equilibration: Equilibration
  /// The mean over the equilibrated part.
  public var mean: Estimate
  /// The standard deviation over the equilibrated part.
  public var standardDeviation: Double
  /// The tests, on the whole series.
  public var stationarity: Stationarity
  /// Mean and standard deviation in a moving window, over the whole series.
  public var running: RunningWindow

  /// The statistics of a series of equally spaced values.
  public init(_ series: [Double], window: Int) {
    equilibration = Equilibration(detecting: series)
    let kept = Array(series[min(equilibration.first, series.count)...])
    mean = BlockAverage.mean(kept)
    standardDeviation = Self.standardDeviation(kept)
    stationarity = Stationarity(series)
    running = RunningWindow(series, length: window)
  }

  static func standardDeviation(_ values: [Double]) -> Double {
    guard values.count > 1 else { return .nan }
    let mean = values.mean
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (squares / Double(values.count - 1)).squareRoot()
  }
}
