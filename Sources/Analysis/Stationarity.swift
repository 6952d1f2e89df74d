/// Whether a series is stationary, from three tests that look for different faults: a slope
/// (`LinearDrift`), a different start (`Geweke`), and any wandering of the level (`KPSS`).
public struct Stationarity: Sendable, Equatable {
  /// What the tests say together.
  public enum Verdict: String, Sendable {
    /// No test objects at 1 %.
    case stationary
    /// At least one test objects at 1 %.
    case notStationary = "not stationary"
    /// The values do not change.
    case constant
    /// Fewer than 20 values or 20 statistical inefficiencies.
    case notEnoughData = "not enough data"
    /// Some values are NaN or infinite.
    case notFinite = "values not finite"
  }

  /// The verdict.
  public var verdict: Verdict
  /// The line through the series.
  public var drift: LinearDrift
  /// Geweke's z and its probability.
  public var gewekeZ, gewekeProbability: Double
  /// η of the KPSS test.
  public var kpss: Double
  /// Statistical inefficiency of the series without its trend, in values.
  public var inefficiency: Double

  /// The tests of a series of equally spaced values.
  public init(_ series: [Double]) {
    drift = LinearDrift(series)
    (gewekeZ, gewekeProbability) = Geweke.test(series)
    kpss = KPSS.statistic(series)
    let isFinite = series.allSatisfy(\.isFinite)
    inefficiency =
      isFinite ? StatisticalInefficiency.of(LinearDrift.withoutTrend(series)) : .nan
    if !isFinite {
      verdict = .notFinite
    } else if series.count < 20 {
      verdict = .notEnoughData
    } else if BlockAverage.isConstant(series) {
      verdict = .constant
    } else if drift.probability < 0.01 || gewekeProbability < 0.01 || kpss > KPSS.critical1 {
      verdict = .notStationary
    } else if drift.probability.isNaN {
      verdict = .notEnoughData
    } else {
      verdict = .stationary
    }
  }
}
