/// Atoms as files hold them: a value to read, check, repeat and strain before a run.
public struct Structure: Sendable, Equatable {
  /// The element of each atom.
  public var elements: [Element]
  /// Positions, in Å, not wrapped.
  public var positions: [SIMD3<Double>]
  /// The cell, or nil for a molecule in no cell.
  public var cell: Cell?
  /// Which directions repeat.
  public var periodicity: Periodicity
  /// Velocities in internal units (Å per Å·√(amu/eV)), where the file has them.
  public var velocities: [SIMD3<Double>]?
  /// Masses in amu, where the file has them.
  public var masses: [Double]?

  /// A structure of elements and positions.
  public init(
    elements: [Element], positions: [SIMD3<Double>], cell: Cell?, periodicity: Periodicity,
    velocities: [SIMD3<Double>]? = nil, masses: [Double]? = nil
  ) {
    self.elements = elements
    self.positions = positions
    self.cell = cell
    self.periodicity = periodicity
    self.velocities = velocities
    self.masses = masses
  }

  /// The number of atoms.
  public var count: Int { elements.count }

  /// The cell, or for a molecule in no cell a box 10 Å wider than the atoms.
  public var framingCell: Cell {
    if let cell { return cell }
    var low = SIMD3<Double>(repeating: .infinity)
    var high = -low
    for p in positions {
      for k in 0..<3 {
        low[k] = min(low[k], p[k])
        high[k] = max(high[k], p[k])
      }
    }
    let edges = positions.isEmpty ? SIMD3(repeating: 10) : high - low + 10
    guard let box = try? Cell(orthogonal: edges) else {
      preconditionFailure("positions are finite, checked on reading")
    }
    return box
  }

  /// The configuration that a potential sees.
  public func configuration() -> Configuration {
    Configuration(
      elements: elements, cell: framingCell, periodicity: cell == nil ? .none : periodicity,
      positions: Vectors(positions))
  }

  /// The structure repeated with new cell vectors A = M·(a, b, c); M an integer matrix, row i the
  /// multiples of a, b, c in the new vector i. Atoms of one cell stay together, cells in the order
  /// of their lattice points; velocities and masses are repeated.
  /// - Returns: nil if M is singular or the structure has no cell.
  public func repeated(_ m: [[Int]]) -> Structure? {
    guard let cell else { return nil }
    let matrix = Matrix3(
      SIMD3(m[0].map(Double.init)), SIMD3(m[1].map(Double.init)), SIMD3(m[2].map(Double.init)))
    let determinant =
      m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
      - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
      + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    guard determinant != 0, let new = try? Cell(rows: matrix * cell.rows) else { return nil }
    let inverse = matrix.transpose.inverse
    // Lattice points n with fractional coordinates of the new cell in [0, 1).
    var low = [0, 0, 0]
    var high = [0, 0, 0]
    for k in 0..<3 {
      for row in m {
        low[k] += min(0, row[k])
        high[k] += max(0, row[k])
      }
    }
    var points: [SIMD3<Double>] = []
    for i in low[0]...high[0] {
      for j in low[1]...high[1] {
        for l in low[2]...high[2] {
          let n = SIMD3(Double(i), Double(j), Double(l))
          let s = inverse * n
          if (0..<3).allSatisfy({ s[$0] > -1e-9 && s[$0] < 1 - 1e-9 }) { points.append(n) }
        }
      }
    }
    guard points.count == abs(determinant) else { return nil }
    var result = Structure(
      elements: [], positions: [], cell: new, periodicity: periodicity,
      velocities: velocities == nil ? nil : [], masses: masses == nil ? nil : [])
    for n in points {
      let shift = cell.cartesian(n)
      result.elements += elements
      result.positions += positions.map { $0 + shift }
      if let velocities { result.velocities? += velocities }
      if let masses { result.masses? += masses }
    }
    return result
  }
}
