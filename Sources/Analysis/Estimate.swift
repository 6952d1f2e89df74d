/// A number from a simulation with its uncertainty.
public struct Estimate: Sendable, Equatable {
  /// The best value; NaN where there is none.
  public var value: Double
  /// Its standard error; NaN where there are not enough data to tell.
  public var standardError: Double
  /// Degrees of freedom of the standard error, for intervals with Student's t.
  public var degreesOfFreedom: Int
  /// The number of independent samples that the data are worth.
  public var effectiveSamples: Double

  /// A number with its uncertainty; without one it says that there are not enough data.
  public init(
    _ value: Double, standardError: Double = .nan, degreesOfFreedom: Int = 0,
    effectiveSamples: Double = .nan
  ) {
    self.value = value
    self.standardError = standardError
    self.degreesOfFreedom = degreesOfFreedom
    self.effectiveSamples = effectiveSamples
  }

  /// Whether the uncertainty is known.
  public var hasError: Bool { standardError.isFinite }

  /// Half of the width of the 95 % interval.
  public var interval95: Double {
    guard hasError else { return .nan }
    if standardError == 0 || degreesOfFreedom < 1 { return 0 }
    return standardError
      * StudentT.quantile(twoSided: 0.05, degreesOfFreedom: Double(degreesOfFreedom))
  }

  /// The same quantity in other units.
  public static func * (estimate: Estimate, factor: Double) -> Estimate {
    var result = estimate
    result.value *= factor
    result.standardError *= abs(factor)
    return result
  }

  /// The same quantity from another zero.
  public static func + (estimate: Estimate, shift: Double) -> Estimate {
    var result = estimate
    result.value += shift
    return result
  }

  /// The mean of independent replicas, its error from their spread; one replica stays as it is.
  public static func mean(ofReplicas estimates: [Estimate]) -> Estimate {
    let known = estimates.filter(\.value.isFinite)
    guard known.count > 1 else { return known.first ?? Estimate(.nan) }
    let n = Double(known.count)
    let mean = known.reduce(0) { $0 + $1.value } / n
    let squares = known.reduce(0) { $0 + ($1.value - mean) * ($1.value - mean) }
    return Estimate(
      mean, standardError: (squares / (n * (n - 1))).squareRoot(),
      degreesOfFreedom: known.count - 1,
      effectiveSamples: known.reduce(0) { $0 + $1.effectiveSamples })
  }
}
