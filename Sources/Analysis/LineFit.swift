/// Least squares.
enum LineFit {
  /// The slope of a line through equidistant values; NaN for fewer than two.
  static func slope(_ values: ArraySlice<Double>, spacing: Double) -> Double {
    let n = Double(values.count)
    guard values.count > 1 else { return .nan }
    let middle = (n - 1) / 2
    var sum = 0.0
    for (i, y) in values.enumerated() { sum += (Double(i) - middle) * y }
    return sum * 12 / (n * (n * n - 1)) / spacing
  }
}
