import Foundation
import Matter

/// How a supercell is made of a smaller cell: rows of the integer matrix P are the supercell's
/// vectors in multiples of the cell's, A_i = Σ_j P_ij a_j.
public struct SupercellRelation: Sendable {
  /// The rows of P.
  public let matrix: [SIMD3<Int>]
  /// The largest entry of the strain between P·cell and the supercell: thermal expansion, or
  /// the difference of the potentials that gave the two cells.
  public let strain: Double

  /// The largest strain that is taken for the same crystal.
  static let largestStrain = 0.03

  /// The relation of a supercell to a smaller cell.
  /// - Parameters:
  ///   - cells: the number of small cells in the supercell by the number of atoms; the volume is
  ///     then compared after the scale it implies.
  /// - Throws: where the supercell is not made of the cell, or is turned against it.
  public init(of supercell: Cell, in cell: Cell, cells: Int? = nil) throws(InputError) {
    let exact = supercell.rows * cell.rows.inverse
    var scale = 1.0
    if let cells, cells > 0 {
      scale = cbrt(Double(cells) / abs(exact.determinant))
    }
    let scaled = exact * scale
    let rounded = Matrix3(
      scaled.x.rounded(.toNearestOrEven), scaled.y.rounded(.toNearestOrEven),
      scaled.z.rounded(.toNearestOrEven))
    let determinant = rounded.determinant.rounded()
    guard determinant != 0, cells.map({ Double($0) == abs(determinant) }) ?? true else {
      throw Self.mismatch(scaled)
    }
    let residual = rounded.inverse * exact
    var worst = 0.0
    for i in 0..<3 {
      for j in 0..<3 { worst = max(worst, abs(residual[i, j] - (i == j ? 1 : 0))) }
    }
    guard worst <= Self.largestStrain else { throw Self.mismatch(scaled) }
    matrix = [SIMD3<Int>(rounded.x), SIMD3<Int>(rounded.y), SIMD3<Int>(rounded.z)]
    strain = worst
  }

  private static func mismatch(_ m: Matrix3) -> InputError {
    let rows = [m.x, m.y, m.z].map { row in
      "[" + (0..<3).map { Decimals.text(row[$0], digits: 4) }.joined(separator: ", ") + "]"
    }
    return InputError(
      "the cell of the trajectory is not a supercell of the cell given: its vectors are "
        + rows.joined(separator: ", ") + " of it, and these must be integers to "
        + "\(Int(largestStrain * 100)) % strain",
      remedy: "Give the cell in the orientation it has in the trajectory")
  }

  /// Coordinates along the supercell's reciprocal vectors, n = P f, of coordinates f along the
  /// cell's.
  public func supercellCoordinates(_ f: SIMD3<Double>) -> SIMD3<Double> { rows * f }

  /// The same in integers, of a reciprocal lattice vector of the cell.
  public func supercellCoordinates(_ f: SIMD3<Int>) -> SIMD3<Int> {
    [(matrix[0] &* f).wrappedSum(), (matrix[1] &* f).wrappedSum(), (matrix[2] &* f).wrappedSum()]
  }

  /// Coordinates along the cell's reciprocal vectors of a lattice point of the supercell.
  public func coordinates(_ hkl: SIMD3<Int>) -> SIMD3<Double> {
    rows.inverse * SIMD3(Double(hkl.x), Double(hkl.y), Double(hkl.z))
  }

  private var rows: Matrix3 {
    Matrix3(SIMD3<Double>(matrix[0]), SIMD3<Double>(matrix[1]), SIMD3<Double>(matrix[2]))
  }

  /// The lattice points that belong to the cell's reciprocal vectors 0 ≤ f < 1, by exact
  /// arithmetic, in lexicographic order: |det P| of them.
  public func commensuratePoints(lattice: ReciprocalLattice) -> [QPoint] {
    // n = P f: the corners of the unit cube bound n; f = adj(P) n / det P must be in [0, 1).
    var low = SIMD3<Int>(repeating: 0)
    var high = SIMD3<Int>(repeating: 0)
    for i in 0..<3 {
      for j in 0..<3 {
        low[i] += min(0, matrix[i][j])
        high[i] += max(0, matrix[i][j])
      }
    }
    func cross(_ u: SIMD3<Int>, _ v: SIMD3<Int>) -> SIMD3<Int> {
      [u.y * v.z - u.z * v.y, u.z * v.x - u.x * v.z, u.x * v.y - u.y * v.x]
    }
    let columns = [
      cross(matrix[1], matrix[2]), cross(matrix[2], matrix[0]), cross(matrix[0], matrix[1]),
    ]
    let determinant = (matrix[0] &* columns[0]).wrappedSum()
    var points: [QPoint] = []
    for h in low.x...high.x {
      for k in low.y...high.y {
        for l in low.z...high.z {
          let f = columns[0] &* h &+ columns[1] &* k &+ columns[2] &* l
          let isInside = (0..<3).allSatisfy {
            let numerator = determinant > 0 ? f[$0] : -f[$0]
            return numerator >= 0 && numerator < abs(determinant)
          }
          if isInside { points.append(lattice.point([h, k, l])) }
        }
      }
    }
    return points
  }
}
