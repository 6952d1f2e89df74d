import Matter

extension Cell {
  /// The rotation Q that turns the cell so that a lies along x and b in the xy plane, both on their
  /// positive sides; c has z > 0 for a right-handed cell. Exactly the unit matrix for a cell that
  /// already lies so.
  package var rotationToStandard: Matrix3 {
    if a.y == 0, a.z == 0, b.z == 0, a.x > 0, b.y > 0 { return .identity }
    let x = a * (1 / dot(a, a).squareRoot())
    let normal = cross(a, b)
    let z = normal * (1 / dot(normal, normal).squareRoot())
    return Matrix3(x, cross(z, x), z)
  }

  /// The cell turned by a rotation to the standard orientation, with exact zeros below it.
  package func turnedToStandard(by q: Matrix3) -> Cell {
    let (a, b, c) = (q * a, q * b, q * c)
    guard let cell = try? Cell(a: [a.x, 0, 0], b: [b.x, b.y, 0], c: c) else {
      preconditionFailure("a rotated cell keeps its volume")
    }
    return cell
  }

  /// Whether a lies along x and b in the xy plane.
  package var isStandard: Bool { a.y == 0 && a.z == 0 && b.z == 0 }
}

/// The structure with cell, positions and velocities turned so that a lies along x and b in the xy
/// plane, as orthorhombic and triclinic barostats need it; unchanged if it lies so or has no cell.
public func rotatedToStandard(_ structure: Structure) -> Structure {
  guard let cell = structure.cell else { return structure }
  let q = cell.rotationToStandard
  if q == .identity { return structure }
  var result = structure
  result.cell = cell.turnedToStandard(by: q)
  result.positions = structure.positions.map { q * $0 }
  result.velocities = structure.velocities?.map { q * $0 }
  return result
}
