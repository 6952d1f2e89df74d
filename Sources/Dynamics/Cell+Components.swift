import Matter

extension Cell {
  /// a_x, b_x, b_y, c_x, c_y, c_z of the cell turned so that a lies along x and b in the xy plane.
  var standardComponents: [Double] {
    let q = rotationToStandard
    let cell = q == .identity ? self : turnedToStandard(by: q)
    return [cell.a.x, cell.b.x, cell.b.y, cell.c.x, cell.c.y, cell.c.z]
  }
}
