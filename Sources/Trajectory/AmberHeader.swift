import Matter

/// What an AMBER trajectory says once: atoms, contents of a frame, provenance. Two runs with equal
/// headers and frames make files that are equal byte for byte.
public struct AmberHeader: Sendable, Equatable {
  /// The element of each atom.
  public var elements: [Element]
  /// The mass of each atom, in amu.
  public var masses: [Double]
  /// Whether frames hold velocities and forces.
  public var velocities, forces: Bool
  /// Whether frames hold energies, temperature and stress.
  public var energies: Bool
  /// Whether positions are unwrapped, which the file then says.
  public var isUnwrapped: Bool
  /// A title; cut to 80 bytes in the file.
  public var title: String
  /// Further attributes in order, of at most 80 bytes each; names begin with `apus_`.
  public var attributes: [(String, String)]
  /// Which directions repeat. If none does, the file holds no cell; otherwise a direction that does
  /// not repeat has length 0.
  public var periodicity: Periodicity
  /// The rotation from the cell of the run to that of the file (a along x, b in the xy plane), or
  /// nil if there is none; stored as the attribute `apus_rotation`.
  public var rotation: Matrix3?

  /// A header.
  /// - Parameter cell: the cell at the start, of which the orientation is noted
  public init(
    elements: [Element], masses: [Double], velocities: Bool, forces: Bool, energies: Bool = true,
    isUnwrapped: Bool = true, title: String, attributes: [(String, String)] = [],
    periodicity: Periodicity = .all, cell: Cell? = nil
  ) {
    precondition(masses.count == elements.count && !elements.isEmpty)
    self.elements = elements
    self.masses = masses
    self.velocities = velocities
    self.forces = forces
    self.energies = energies
    self.isUnwrapped = isUnwrapped
    self.title = title
    self.attributes = attributes
    self.periodicity = cell == nil && periodicity != .all ? .none : periodicity
    rotation = periodicity == .none ? nil : cell.flatMap(AmberOrientation.rotation)
  }

  /// Whether all fields are equal.
  public static func == (left: AmberHeader, right: AmberHeader) -> Bool {
    left.elements == right.elements && left.masses == right.masses
      && left.velocities == right.velocities && left.forces == right.forces
      && left.energies == right.energies && left.isUnwrapped == right.isUnwrapped
      && left.title == right.title && left.periodicity == right.periodicity
      && left.rotation == right.rotation
      && left.attributes.elementsEqual(right.attributes, by: ==)
  }
}

/// The orientation that lengths and angles imply: a along x, b in the xy plane, right-handed.
public enum AmberOrientation {
  /// Refuses a left-handed cell, which lengths and angles cannot express.
  public static func check(_ cell: Cell, file: String? = nil) throws(InputError) {
    if !cell.isRightHanded { throw InputError(problem, remedy: remedy, file: file) }
  }

  static let problem = "the cell vectors are left-handed: a·(b×c) is negative"
  static let remedy =
    "Swap the vectors b and c (with fractional coordinates swap the second and third as well)"

  /// The proper rotation R with R·a along x and R·b in the xy plane; nil if the cell already has
  /// this orientation.
  public static func rotation(of cell: Cell) -> Matrix3? {
    let (a, b) = (cell.a, cell.b)
    if a.y == 0, a.z == 0, b.z == 0, a.x > 0, b.y > 0 { return nil }
    let first = a * (1 / dot(a, a).squareRoot())
    let normal = cross(a, b)
    let third = normal * (1 / dot(normal, normal).squareRoot())
    return Matrix3(first, cross(third, first), third)
  }
}
