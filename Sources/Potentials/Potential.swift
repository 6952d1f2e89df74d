import Matter
import Neighbors
import Parallel

/// What a caller needs from an evaluation besides energies and forces.
public struct Requirements: OptionSet, Sendable {
  /// The bits.
  public let rawValue: Int
  /// A set from its bits.
  public init(rawValue: Int) { self.rawValue = rawValue }
  /// The virial.
  public static let virial = Requirements(rawValue: 1)
}

/// The result of one evaluation.
public struct Evaluation: ~Copyable, Sendable {
  /// Potential energy, in eV.
  public var energy = 0.0
  /// Energy of each atom, in eV.
  public let energies: AlignedBuffer<Double>
  /// Forces, in eV/Å.
  public let forces: Vectors
  /// Virial Ξ = −∂U/∂ε, in eV, 3×3 as summed over pairs; positive trace pushes the cell outward.
  /// Its antisymmetric part is rounding. Set when asked for.
  public var virial = Matrix3.zero

  /// Room for the results of `count` atoms.
  public init(count: Int) {
    energies = AlignedBuffer(count: count)
    forces = Vectors(count: count)
  }
}

/// Why a potential could not be evaluated.
public struct ModelError: Error, Sendable, CustomStringConvertible {
  /// What happened and what to do.
  public let description: String
  /// The atoms concerned, 0-based, if any.
  public let atoms: [Int]
  /// An error with its message.
  public init(_ description: String, atoms: [Int] = []) {
    self.description = description
    self.atoms = atoms
  }
}

/// An interatomic potential. Parameters do not change; scratch is owned by the instance, so one
/// instance serves one caller at a time.
public protocol Potential: AnyObject {
  /// Elements the potential covers; nil for any.
  var elements: [Element]? { get }
  /// The largest distance at which two atoms interact, in Å.
  var cutoff: Double { get }
  /// Computes energies and forces, and what `needing` names, for all atoms.
  ///
  /// `neighbors` is current for `configuration` and reaches `cutoff`. The result does not depend on
  /// when the list was built, on its skin, or on the number of threads, to the last bit.
  func evaluate(
    _ configuration: borrowing Configuration, _ neighbors: NeighborList, needing: Requirements,
    team: ThreadTeam, into result: inout Evaluation) throws(ModelError)
}
