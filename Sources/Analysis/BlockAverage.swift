/// Means of correlated series with honest errors.
///
/// The series is cut into blocks of at least five statistical inefficiencies, at most twenty
/// blocks; their spread gives the standard error, Student's t with one degree of freedom less than
/// blocks the interval. What neighbouring blocks still share is put back with the factor
/// 1/(1 − (τ/b)(1 + 1/B)) of an exponential correlation, τ = (g − 1)/2 samples, b the length of B
/// blocks. Fewer than 20 inefficiencies are not enough for an error.
public enum BlockAverage {
  /// Fewest inefficiencies in a block.
  static let inefficienciesPerBlock = 5.0
  /// Fewest and most blocks.
  static let fewestBlocks = 4
  static let mostBlocks = 20

  /// How a series is cut.
  struct Cut {
    var count: Int
    var length: Double
    var inefficiency: Double
    /// What the variance of the block means has to be multiplied by.
    var correction: Double
  }

  /// The blocks of a series of n values with an inefficiency, or nil for too short a series.
  static func cut(_ n: Int, inefficiency g: Double) -> Cut? {
    let shortest = max(1, (g > 1 ? inefficienciesPerBlock : 1) * g)
    let count = min(mostBlocks, Int(Double(n) / shortest))
    guard count >= fewestBlocks else { return nil }
    let length = Double(n) / Double(count)
    let tau = (g - 1) / 2
    let correction = 1 / (1 - tau / length * (1 + 1 / Double(count)))
    return Cut(count: count, length: length, inefficiency: g, correction: correction)
  }

  /// The means of `count` blocks, equal in length to one value.
  static func means(_ series: [Double], count: Int) -> [Double] {
    var result: [Double] = []
    result.reserveCapacity(count)
    for k in 0..<count {
      let (start, end) = (k * series.count / count, (k + 1) * series.count / count)
      result.append(series[start..<end].mean)
    }
    return result
  }

  /// The mean of a series with its standard error.
  /// - Parameter inefficiency: where another series sets it
  /// - Returns: NaN for no values or values that are not finite; no error for too few values.
  public static func mean(_ series: [Double], inefficiency: Double? = nil) -> Estimate {
    let n = series.count
    guard n > 0 else { return Estimate(.nan, effectiveSamples: 0) }
    guard series.allSatisfy(\.isFinite) else { return Estimate(.nan) }
    if isConstant(series) {
      return Estimate(
        series[0], standardError: n > 1 ? 0 : .nan, degreesOfFreedom: n - 1,
        effectiveSamples: Double(n))
    }
    let mean = series.mean
    let g = inefficiency ?? StatisticalInefficiency.of(series)
    let effective = Double(n) / g
    guard let cut = cut(n, inefficiency: g) else {
      return Estimate(mean, effectiveSamples: effective)
    }
    let blocks = means(series, count: cut.count)
    let middle = blocks.mean
    let squares = blocks.reduce(0) { $0 + ($1 - middle) * ($1 - middle) }
    let variance = squares / Double(cut.count * (cut.count - 1)) * cut.correction
    return Estimate(
      mean, standardError: variance.squareRoot(), degreesOfFreedom: cut.count - 1,
      effectiveSamples: effective)
  }

  /// Whether all values agree to rounding.
  static func isConstant(_ series: [Double]) -> Bool {
    guard let low = series.min(), let high = series.max() else { return true }
    return high - low <= 1e-12 * max(abs(low), abs(high))
  }

  /// The variance of a correlated series with its standard error. The sample variance is divided
  /// by 1 − g/n, because the mean is taken from the same samples.
  public static func variance(_ series: [Double]) -> Estimate {
    let n = series.count
    guard n > 1, series.allSatisfy(\.isFinite) else { return Estimate(.nan) }
    let mean = series.mean
    let ratio = StatisticalInefficiency.of(series) / Double(n)
    let estimate = self.mean(series.map { ($0 - mean) * ($0 - mean) })
    guard ratio < 1 else { return Estimate(.nan, effectiveSamples: estimate.effectiveSamples) }
    return estimate * (1 / (1 - ratio))
  }
}
