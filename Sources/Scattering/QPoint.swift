import Matter

/// A point of the reciprocal lattice of the supercell: the integers are exact and hold for every
/// frame of a moving cell, the Cartesian vector is that of the mean cell.
public struct QPoint: Sendable, Equatable {
  /// Multiples of the supercell's reciprocal vectors.
  public let hkl: SIMD3<Int>
  /// The Cartesian vector in the mean cell, in rad/Å.
  public let vector: SIMD3<Double>

  /// A point of integers and its vector.
  public init(hkl: SIMD3<Int>, vector: SIMD3<Double>) {
    self.hkl = hkl
    self.vector = vector
  }

  /// |q|, in rad/Å.
  public var norm: Double { dot(vector, vector).squareRoot() }

  func distance(to q: SIMD3<Double>) -> Double {
    let d = vector - q
    return dot(d, d).squareRoot()
  }
}

/// The points that have to be computed for a list of points: q and −q have the same functions
/// (all are even in q), and a point may be listed more than once, as Γ in several segments.
public struct DistinctQPoints: Sendable {
  /// One of each ±q, in the order of first appearance.
  public let points: [QPoint]
  /// For each point of the list, the index in `points` that has its functions.
  public let index: [Int]

  /// The distinct points of a list.
  public init(_ list: [QPoint]) {
    var places: [SIMD3<Int>: Int] = [:]
    places.reserveCapacity(list.count)
    var points: [QPoint] = []
    index = list.map { point in
      let n = point.hkl
      let isUpper = n.z > 0 || (n.z == 0 && (n.y > 0 || (n.y == 0 && n.x >= 0)))
      let key = isUpper ? n : 0 &- n
      if let place = places[key] { return place }
      places[key] = points.count
      points.append(point)
      return points.count - 1
    }
    self.points = points
  }
}
