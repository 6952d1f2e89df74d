/// A 3×3 matrix, stored as rows.
public struct Matrix3: Sendable, Equatable {
  /// The rows.
  public var x, y, z: SIMD3<Double>

  /// A matrix of three rows.
  public init(_ x: SIMD3<Double>, _ y: SIMD3<Double>, _ z: SIMD3<Double>) {
    self.x = x
    self.y = y
    self.z = z
  }

  /// A diagonal matrix.
  public init(diagonal d: SIMD3<Double>) {
    self.init([d.x, 0, 0], [0, d.y, 0], [0, 0, d.z])
  }

  /// The zero matrix.
  public static let zero = Matrix3(.zero, .zero, .zero)
  /// The unit matrix.
  public static let identity = Matrix3(diagonal: [1, 1, 1])

  /// The entry of a row and a column, each in 0..<3.
  public subscript(row: Int, column: Int) -> Double {
    get { row == 0 ? x[column] : row == 1 ? y[column] : z[column] }
    set {
      switch row {
      case 0: x[column] = newValue
      case 1: y[column] = newValue
      default: z[column] = newValue
      }
    }
  }

  /// The transpose.
  public var transpose: Matrix3 {
    Matrix3([x.x, y.x, z.x], [x.y, y.y, z.y], [x.z, y.z, z.z])
  }
  /// The trace.
  public var trace: Double { x.x + y.y + z.z }
  /// The determinant.
  public var determinant: Double { dot(x, cross(y, z)) }
  /// The inverse; infinite or NaN entries for a singular matrix.
  public var inverse: Matrix3 {
    let scale = 1 / determinant
    return Matrix3(cross(y, z) * scale, cross(z, x) * scale, cross(x, y) * scale).transpose
  }
  /// Whether every entry is finite.
  public var isFinite: Bool {
    (0..<3).allSatisfy { x[$0].isFinite && y[$0].isFinite && z[$0].isFinite }
  }

  /// The sum.
  public static func + (a: Matrix3, b: Matrix3) -> Matrix3 {
    Matrix3(a.x + b.x, a.y + b.y, a.z + b.z)
  }
  /// The difference.
  public static func - (a: Matrix3, b: Matrix3) -> Matrix3 {
    Matrix3(a.x - b.x, a.y - b.y, a.z - b.z)
  }
  /// The matrix times a number.
  public static func * (a: Matrix3, s: Double) -> Matrix3 { Matrix3(a.x * s, a.y * s, a.z * s) }
  /// The matrix applied to a column vector.
  public static func * (a: Matrix3, v: SIMD3<Double>) -> SIMD3<Double> {
    [dot(a.x, v), dot(a.y, v), dot(a.z, v)]
  }
  /// The matrix product.
  public static func * (a: Matrix3, b: Matrix3) -> Matrix3 {
    let t = b.transpose
    return Matrix3(t * a.x, t * a.y, t * a.z)
  }

  /// The exponential by its Taylor series to 12th order, exact to rounding for norms below about
  /// 0.05 and the same on every platform.
  public var exponential: Matrix3 {
    var term = Matrix3.identity
    var sum = Matrix3.identity
    for n in 1...12 {
      term = term * self * (1 / Double(n))
      sum = sum + term
    }
    return sum
  }
}

/// The scalar product.
public func dot(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Double {
  a.x * b.x + a.y * b.y + a.z * b.z
}

/// The vector product.
public func cross(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> SIMD3<Double> {
  [a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x]
}
