import Matter
import Neighbors
import Parallel

/// Atoms that do not interact.
public final class IdealGas: Potential {
  /// Covers every element.
  public let elements: [Element]? = nil
  /// No reach.
  public let cutoff = 0.0
  /// An ideal gas.
  public init() {}

  /// Energy, forces and virial of all atoms.
  public func evaluate(
    _ configuration: borrowing Configuration, _ neighbors: NeighborList, needing: Requirements,
    team: ThreadTeam, into result: inout Evaluation
  ) throws(ModelError) {
    result.energy = 0
    result.virial = .zero
    for i in 0..<configuration.count {
      result.energies[i] = 0
      result.forces[i] = .zero
    }
  }
}
