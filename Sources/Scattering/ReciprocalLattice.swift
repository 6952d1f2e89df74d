import Matter

/// The reciprocal lattice of a cell: vectors b₁, b₂, b₃ with a_i·b_j = 2πδ_ij, in rad/Å.
public struct ReciprocalLattice: Sendable, Equatable {
  /// The cell.
  public let cell: Cell
  /// The reciprocal vectors as rows, in rad/Å.
  public let rows: Matrix3

  /// The reciprocal lattice of a cell.
  public init(_ cell: Cell) {
    self.cell = cell
    rows = cell.fractionalMatrix * (2 * Double.pi)
  }

  /// The Cartesian vector h b₁ + k b₂ + l b₃, in rad/Å, of real coordinates.
  public func vector(_ hkl: SIMD3<Double>) -> SIMD3<Double> {
    rows.x * hkl.x + rows.y * hkl.y + rows.z * hkl.z
  }
  /// The lattice point of integer coordinates.
  public func point(_ hkl: SIMD3<Int>) -> QPoint {
    QPoint(hkl: hkl, vector: vector(SIMD3(Double(hkl.x), Double(hkl.y), Double(hkl.z))))
  }
  /// The coordinates q·a_i/2π of a Cartesian vector.
  public func coordinates(_ q: SIMD3<Double>) -> SIMD3<Double> {
    cell.rows * q * (1 / (2 * Double.pi))
  }

  /// The lattice point nearest to a Cartesian vector, in any cell however oblique.
  public func nearest(to q: SIMD3<Double>) -> QPoint {
    let x = coordinates(q)
    let rounded = SIMD3<Int>(x.rounded(.toNearestOrEven))
    var best = point(rounded)
    var distance = best.distance(to: q)
    // |n_i − x_i| = |(n − x)·a_i|/2π ≤ |Δq||a_i|/2π bounds where a nearer point can be.
    let reach = cell.lengths * (distance / (2 * Double.pi))
    let low = SIMD3<Int>((x - reach).rounded(.up))
    let high = SIMD3<Int>((x + reach).rounded(.down))
    for h in min(low.x, rounded.x)...max(high.x, rounded.x) {
      for k in min(low.y, rounded.y)...max(high.y, rounded.y) {
        for l in min(low.z, rounded.z)...max(high.z, rounded.z) {
          let candidate = point([h, k, l])
          let d = candidate.distance(to: q)
          if d < distance * (1 - 1e-12) {
            best = candidate
            distance = d
          }
        }
      }
    }
    return best
  }
}
