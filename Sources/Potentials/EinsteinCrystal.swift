import Matter
import Neighbors
import Parallel

/// Harmonic wells of one stiffness, ½ k Σ |u_i − ū|², with u the displacements from sites that move
/// with the cell and ū their mean: the wells ride on the whole, so momentum is conserved and exactly
/// 3N − 3 modes oscillate.
public final class EinsteinCrystal: Potential {
  /// Covers every element.
  public let elements: [Element]? = nil
  /// No reach.
  public let cutoff = 0.0
  /// Stiffness k, in eV/Å².
  public let stiffness: Double
  private let sites: [SIMD3<Double>]

  /// Wells at the positions of a configuration.
  /// - Parameter stiffness: in eV/Å²
  public init(stiffness: Double, sites configuration: borrowing Configuration) {
    self.stiffness = stiffness
    let toFractional = configuration.cell.fractionalMatrix
    sites = configuration.positions.array.map { toFractional * $0 }
  }

  /// Energy, forces and virial of all atoms.
  public func evaluate(
    _ configuration: borrowing Configuration, _ neighbors: NeighborList, needing: Requirements,
    team: ThreadTeam, into result: inout Evaluation
  ) throws(ModelError) {
    guard configuration.count == sites.count else {
      throw ModelError(
        "the crystal has \(sites.count) sites, the structure \(configuration.count) atoms")
    }
    var mean = SIMD3<Double>.zero
    for i in 0..<sites.count {
      mean += configuration.positions[i] - configuration.cell.cartesian(sites[i])
    }
    mean /= Double(max(1, sites.count))
    var virial = Tensor6.zero
    for i in 0..<sites.count {
      let u = configuration.positions[i] - configuration.cell.cartesian(sites[i]) - mean
      result.energies[i] = stiffness / 2 * dot(u, u)
      result.forces[i] = u * -stiffness
      virial =
        virial
        + Tensor6(
          xx: u.x * u.x, yy: u.y * u.y, zz: u.z * u.z, yz: u.y * u.z, xz: u.x * u.z,
          xy: u.x * u.y) * -stiffness
    }
    result.virial = virial.matrix
    result.energy = DeterministicSum.sum(result.energies.pointer, count: sites.count)
  }
}
