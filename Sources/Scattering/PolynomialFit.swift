/// Least squares by a polynomial.
enum PolynomialFit {
  /// The coefficients c_0... of the polynomial of a degree nearest to y at x in −1...1: the columns
  /// x^i are made orthogonal in turn, twice over, as the normal equations lose too many digits.
  static func coefficients(_ x: [Double], _ y: [Double], degree: Int) -> [Double] {
    // Each basis function is kept with its values and its coefficients in powers of x.
    var basis: [(values: [Double], powers: [Double])] = []
    var result = [Double](repeating: 0, count: degree + 1)
    var rest = y
    for power in 0...degree {
      var values = x.map { t in (0..<power).reduce(1.0) { a, _ in a * t } }
      var powers = [Double](repeating: 0, count: degree + 1)
      powers[power] = 1
      for _ in 0..<2 {
        for other in basis {
          let projection = inner(values, other.values)
          for i in values.indices { values[i] -= projection * other.values[i] }
          for i in powers.indices { powers[i] -= projection * other.powers[i] }
        }
      }
      let norm = inner(values, values).squareRoot()
      values = values.map { $0 / norm }
      powers = powers.map { $0 / norm }
      let weight = inner(rest, values)
      for i in rest.indices { rest[i] -= weight * values[i] }
      for i in result.indices { result[i] += weight * powers[i] }
      basis.append((values, powers))
    }
    return result
  }

  private static func inner(_ a: [Double], _ b: [Double]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  }
}
