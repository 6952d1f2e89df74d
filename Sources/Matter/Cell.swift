/// Cell vectors as rows a, b, c, in Å, of either handedness.
public struct Cell: Sendable, Equatable {
  /// The cell vectors, in Å.
  public let a, b, c: SIMD3<Double>

  /// What is wrong with a set of cell vectors.
  public enum Problem: Error, Equatable {
    /// A vector has an infinite or NaN component.
    case notFinite
    /// The vectors span no volume.
    case noVolume
  }

  /// A cell of three vectors.
  /// - Throws: `Problem` for non-finite vectors or zero volume.
  public init(a: SIMD3<Double>, b: SIMD3<Double>, c: SIMD3<Double>) throws(Problem) {
    let matrix = Matrix3(a, b, c)
    guard matrix.isFinite else { throw .notFinite }
    let edges = (dot(a, a) * dot(b, b) * dot(c, c)).squareRoot()
    guard abs(matrix.determinant) > 1e-10 * edges, edges.isFinite else { throw .noVolume }
    (self.a, self.b, self.c) = (a, b, c)
  }

  /// A cell whose rows are those of a matrix.
  /// - Throws: `Problem` for non-finite vectors or zero volume.
  public init(rows: Matrix3) throws(Problem) { try self.init(a: rows.x, b: rows.y, c: rows.z) }

  /// An orthogonal cell along x, y and z.
  /// - Throws: `Problem` for non-finite or zero edges.
  public init(orthogonal edges: SIMD3<Double>) throws(Problem) {
    try self.init(rows: Matrix3(diagonal: edges))
  }

  /// A cell of lengths (Å) and angles (degrees, α = ∠(b,c), β = ∠(a,c), γ = ∠(a,b)) with a along x
  /// and b in the xy plane.
  /// - Throws: `Problem` where no such cell exists.
  public init(lengths: SIMD3<Double>, angles: SIMD3<Double>) throws(Problem) {
    let cosines = SIMD3(angles.x, angles.y, angles.z).map(Self.cosine)
    let sine = (1 - cosines.z * cosines.z).squareRoot()
    let cx = cosines.y
    let cy = (cosines.x - cosines.y * cosines.z) / sine
    let square = 1 - cx * cx - cy * cy
    guard square > 0 else { throw .noVolume }
    try self.init(
      a: [lengths.x, 0, 0], b: [lengths.y * cosines.z, lengths.y * sine, 0],
      c: [lengths.z * cx, lengths.z * cy, lengths.z * square.squareRoot()])
  }

  private static func cosine(_ degrees: Double) -> Double {
    degrees == 90 ? 0 : Cosine.of(degrees: degrees)
  }

  /// The vectors as the rows of a matrix.
  public var rows: Matrix3 { Matrix3(a, b, c) }
  /// The volume |a·(b×c)|, in Å³.
  public var volume: Double { abs(rows.determinant) }
  /// Whether a·(b×c) > 0.
  public var isRightHanded: Bool { rows.determinant > 0 }
  /// Lengths of the vectors, in Å.
  public var lengths: SIMD3<Double> {
    [dot(a, a).squareRoot(), dot(b, b).squareRoot(), dot(c, c).squareRoot()]
  }
  /// Angles α = ∠(b,c), β = ∠(a,c), γ = ∠(a,b), in degrees; exactly 90 for orthogonal vectors.
  public var angles: SIMD3<Double> {
    let l = lengths
    return [
      Cosine.degrees(dot(b, c) / (l.y * l.z)), Cosine.degrees(dot(a, c) / (l.x * l.z)),
      Cosine.degrees(dot(a, b) / (l.x * l.y)),
    ]
  }
  /// Whether all angles are right angles, to rounding.
  public var isOrthogonal: Bool {
    let l = lengths
    return abs(dot(a, b)) < 1e-9 * l.x * l.y && abs(dot(a, c)) < 1e-9 * l.x * l.z
      && abs(dot(b, c)) < 1e-9 * l.y * l.z
  }
  /// Distances between opposite faces along a, b and c, in Å.
  public var thickness: SIMD3<Double> {
    let v = volume
    func width(_ u: SIMD3<Double>, _ w: SIMD3<Double>) -> Double {
      let normal = cross(u, w)
      return v / dot(normal, normal).squareRoot()
    }
    return [width(b, c), width(c, a), width(a, b)]
  }
  /// Cartesian from fractional coordinates.
  public func cartesian(_ s: SIMD3<Double>) -> SIMD3<Double> { a * s.x + b * s.y + c * s.z }
  /// The matrix that takes a Cartesian column vector to fractional coordinates.
  public var fractionalMatrix: Matrix3 { rows.transpose.inverse }
}

extension SIMD3<Double> {
  fileprivate func map(_ f: (Double) -> Double) -> SIMD3<Double> { [f(x), f(y), f(z)] }
}
