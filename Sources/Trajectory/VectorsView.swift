import Matter

/// Vectors in a loop: their pointers, formed once, because every access across modules is a call.
/// The vectors must live as long.
struct VectorsView {
  private let x, y, z: UnsafeMutablePointer<Double>
  let count: Int

  init(_ vectors: borrowing Vectors) {
    (x, y, z, count) = (vectors.x, vectors.y, vectors.z, vectors.count)
  }

  /// A vector by an index in 0..<count.
  @inline(__always)
  subscript(index: Int) -> SIMD3<Double> {
    get {
      assert(index >= 0 && index < count)
      return [x[index], y[index], z[index]]
    }
    nonmutating set {
      assert(index >= 0 && index < count)
      x[index] = newValue.x
      y[index] = newValue.y
      z[index] = newValue.z
    }
  }
}

/// A matrix in a loop, by its columns.
struct MatrixColumns {
  private let first, second, third: SIMD3<Double>

  /// The columns of a matrix.
  init(_ matrix: Matrix3) {
    let rows = matrix.transpose
    (first, second, third) = (rows.x, rows.y, rows.z)
  }

  /// The matrix that makes Cartesian from fractional coordinates.
  init(cartesian cell: Cell) { (first, second, third) = (cell.a, cell.b, cell.c) }

  @inline(__always)
  static func * (m: MatrixColumns, v: SIMD3<Double>) -> SIMD3<Double> {
    m.first * v.x + m.second * v.y + m.third * v.z
  }
}
