import Matter

/// Explicit lists of q-points.
public enum QPointList {
  /// What to do with a vector that is no point of the reciprocal lattice.
  public enum Incommensurate: Sendable {
    /// Refuse it.
    case refuse
    /// Take the nearest lattice point.
    case snap
  }

  /// How far coordinates may be from integers.
  static let tolerance = 1e-5

  /// Lattice points of Cartesian vectors, in rad/Å.
  /// - Throws: a line for each vector that is not finite, or not commensurate unless snapping.
  public static func cartesian(
    _ vectors: [SIMD3<Double>], lattice: ReciprocalLattice,
    incommensurate: Incommensurate = .refuse
  ) throws(InputErrors) -> [QPoint] {
    var errors: [InputError] = []
    var points: [QPoint] = []
    for (i, q) in vectors.enumerated() {
      guard (0..<3).allSatisfy({ q[$0].isFinite && abs(q[$0]) < 1e6 }) else {
        errors.append(
          InputError(
            "q-point \(i + 1), \(text(q)), is not a vector in 1/Å",
            remedy: "Give three finite numbers"))
        continue
      }
      let nearest = lattice.nearest(to: q)
      let x = lattice.coordinates(q)
      let isCommensurate = (0..<3).allSatisfy {
        abs(x[$0] - x[$0].rounded()) < tolerance
      }
      if !isCommensurate, incommensurate == .refuse {
        errors.append(
          InputError(
            "q-point \(i + 1), \(text(q)) 1/Å, is not commensurate with the cell: it is "
              + "\(text(x)) of the reciprocal vectors, and these must be integers",
            remedy: "The nearest point is \(text(nearest.vector)); `snap: true` takes such points"))
        continue
      }
      points.append(nearest)
    }
    if !errors.isEmpty { throw InputErrors(errors) }
    return points
  }

  /// Lattice points of integer multiples of the supercell's reciprocal vectors.
  public static func supercell(_ hkl: [SIMD3<Int>], lattice: ReciprocalLattice) -> [QPoint] {
    hkl.map { lattice.point($0) }
  }

  /// Lattice points of coordinates along the reciprocal vectors of another cell, of which the
  /// lattice's cell is a supercell.
  /// - Throws: a line for each point that is not commensurate unless snapping.
  public static func coordinates(
    _ hkl: [SIMD3<Double>], of relation: SupercellRelation, lattice: ReciprocalLattice,
    incommensurate: Incommensurate = .refuse
  ) throws(InputErrors) -> [QPoint] {
    var errors: [InputError] = []
    var points: [QPoint] = []
    for (i, f) in hkl.enumerated() {
      guard (0..<3).allSatisfy({ f[$0].isFinite && abs(f[$0]) < 1e6 }) else {
        errors.append(
          InputError("hkl \(i + 1), \(text(f)), is not finite", remedy: "Give three finite numbers")
        )
        continue
      }
      let n = relation.supercellCoordinates(f)
      let rounded = n.rounded(.toNearestOrEven)
      let isCommensurate = (0..<3).allSatisfy { abs(n[$0] - rounded[$0]) < tolerance }
      let point =
        isCommensurate
        ? lattice.point(SIMD3<Int>(rounded)) : lattice.nearest(to: lattice.vector(n))
      if !isCommensurate, incommensurate == .refuse {
        errors.append(
          InputError(
            "hkl \(i + 1), \(text(f)), is not commensurate with the supercell: it is \(text(n)) "
              + "of its reciprocal vectors, and these must be integers",
            remedy: "The nearest point is \(text(relation.coordinates(point.hkl))); "
              + "`snap: true` takes such points"))
        continue
      }
      points.append(point)
    }
    if !errors.isEmpty { throw InputErrors(errors) }
    return points
  }

  private static func text(_ v: SIMD3<Double>) -> String {
    "(" + (0..<3).map { Decimals.text(v[$0], digits: 6) }.joined(separator: ", ") + ")"
  }
}
