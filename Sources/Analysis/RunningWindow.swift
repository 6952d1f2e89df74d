/// Mean and standard deviation of a series in a window that moves along it.
public struct RunningWindow: Sendable, Equatable {
  /// Values in the window.
  public let length: Int
  /// Mean and standard deviation in the window centred at each value; NaN where the window would
  /// reach past an end.
  public let mean, standardDeviation: [Double]

  /// Windows of `length` values; of a tenth of the series, at least 2 values, if it is not twice as
  /// long as that.
  public init(_ series: [Double], length wanted: Int) {
    let n = series.count
    let length = Self.length(wanted: wanted, count: n)
    self.length = length
    var mean = [Double](repeating: .nan, count: n)
    var deviation = mean
    guard length >= 1, n >= length else {
      (self.mean, standardDeviation) = (mean, deviation)
      return
    }
    // About a value near the series' own, and anew for each stretch of windows, so that rounding
    // does not add up.
    let origin = series[n / 2].isFinite ? series[n / 2] : 0
    var (sum, squares) = (0.0, 0.0)
    for start in 0...n - length {
      if start % 1024 == 0 {
        (sum, squares) = (0, 0)
        for t in start..<start + length {
          let d = series[t] - origin
          sum += d
          squares += d * d
        }
      } else {
        let (new, old) = (series[start + length - 1] - origin, series[start - 1] - origin)
        sum += new - old
        squares += (new - old) * (new + old)
      }
      let m = sum / Double(length)
      let place = start + length / 2
      mean[place] = origin + m
      deviation[place] = max(0, squares / Double(length) - m * m).squareRoot()
    }
    (self.mean, standardDeviation) = (mean, deviation)
  }

  /// The length used for a series of `count` values.
  public static func length(wanted: Int, count: Int) -> Int {
    2 * wanted <= count ? wanted : max(min(2, count), count / 10)
  }
}
