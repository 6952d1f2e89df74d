import Matter
import Neighbors
import Parallel

/// A potential with its neighbour list: forces of a configuration, the list kept current.
public final class ForceEvaluator {
  /// The potential.
  public let potential: any Potential
  /// The threads that compute.
  public let team: ThreadTeam
  /// The neighbour list.
  public let neighbors: NeighborList
  /// What is due this step besides what an integrator needs, such as the virial for a row of
  /// output; asking for more never changes forces.
  public var extraRequirements: Requirements = []

  /// - Parameters:
  ///   - skin: added to the cutoff in the list, in Å; the choice changes speed, never results
  public init(potential: any Potential, team: ThreadTeam, skin: Double = 1) {
    self.potential = potential
    self.team = team
    neighbors = NeighborList(cutoff: potential.cutoff, skin: skin)
  }

  /// Brings the list up to date and evaluates.
  /// - Throws: `ModelError` for atoms too close, cells too thin or unwrapped too far, or what the
  ///   potential refuses
  public func evaluate(
    _ configuration: borrowing Configuration, needing: Requirements, into result: inout Evaluation
  ) throws(ModelError) {
    do { try neighbors.update(configuration, team: team) } catch {
      throw ModelError(error.description, atoms: error.atoms)
    }
    try potential.evaluate(
      configuration, neighbors, needing: needing.union(extraRequirements), team: team,
      into: &result)
  }
}
