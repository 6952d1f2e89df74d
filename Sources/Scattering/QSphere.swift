import Foundation
import Matter

/// The points of the reciprocal lattice in a spherical shell, all or a sample.
public struct QSphere: Sendable {
  /// The smallest and the largest |q|, in rad/Å.
  public let minimum, maximum: Double

  /// A shell of radii.
  /// - Throws: unless 0 ≤ minimum < maximum.
  public init(minimum: Double = 0, maximum: Double) throws(InputError) {
    guard minimum >= 0, minimum < maximum, maximum.isFinite else {
      throw InputError(
        "the sphere reaches from |q| = \(Decimals.text(minimum)) to \(Decimals.text(maximum)) 1/Å",
        remedy: "Give 0 ≤ min < max")
    }
    self.minimum = minimum
    self.maximum = maximum
  }

  /// The number of points to expect, by the volume of the shell.
  public func expectedCount(lattice: ReciprocalLattice) -> Double {
    let shell = 4 * Double.pi / 3 * (maximum * maximum * maximum - minimum * minimum * minimum)
    return shell / abs(lattice.rows.determinant)
  }

  /// Every lattice point of the shell, in lexicographic order of (h, k, l). The radii are taken
  /// with 1e-12 to spare, so that a set of equivalent points is never cut by rounding.
  public func points(lattice: ReciprocalLattice) -> [QPoint] {
    let lower = minimum * (1 - 1e-12)
    let upper = maximum * (1 + 1e-12)
    // 2π/|a_i| is the distance of the lattice planes of index i.
    let reach = (0..<3).map { Int((upper * lattice.cell.lengths[$0] / (2 * .pi)).rounded(.up)) }
    var points: [QPoint] = []
    for h in -reach[0]...reach[0] {
      for k in -reach[1]...reach[1] {
        for l in -reach[2]...reach[2] {
          let point = lattice.point([h, k, l])
          let norm = point.norm
          if norm >= lower, norm <= upper { points.append(point) }
        }
      }
    }
    return points
  }

  /// About `count` points of uniform density in |q| beyond some radius P: each is kept with the
  /// probability min(1, (P/|q|)²). The sample is that of dynasor's `get_spherical_qpoints` for the
  /// same seed; all points where they are not more than `count`.
  public func sample(_ count: Int, seed: UInt32, lattice: ReciprocalLattice) -> [QPoint] {
    let all = points(lattice: lattice)
    guard count < all.count else { return all }
    let radius = pruningRadius(count: count, volume: abs(lattice.rows.determinant))
    guard radius < maximum else { return all }
    var random = MersenneTwister(seed: seed)
    return all.filter { point in
      let norm = point.norm
      let probability = norm < 1e-8 ? 1 : radius * radius / (norm * norm)
      return probability > random.uniform()
    }
  }

  /// The radius P of a sample: the root of P³ − (3/2) Q P² + (3/2) v N/(4π) + q_min³/2 = 0 below Q.
  func pruningRadius(count: Int, volume: Double) -> Double {
    let q3 = maximum * maximum * maximum
    let d = 1.5 * volume * Double(count) / (4 * .pi) + 0.5 * minimum * minimum * minimum
    // Three real roots, of which the middle one is P, exist for 0 ≤ d ≤ Q³/2.
    guard 2 * d <= q3 else { return maximum }
    return maximum * (0.5 + cos(acos(1 - 4 * d / q3) / 3 - 2 * .pi / 3))
  }
}
