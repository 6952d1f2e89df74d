/// Which directions a, b, c repeat.
public struct Periodicity: Sendable, Equatable {
  /// Whether the structure repeats along a, b and c.
  public var a, b, c: Bool
  /// A choice for each direction.
  public init(a: Bool, b: Bool, c: Bool) { (self.a, self.b, self.c) = (a, b, c) }
  /// All three directions repeat.
  public static let all = Periodicity(a: true, b: true, c: true)
  /// No direction repeats.
  public static let none = Periodicity(a: false, b: false, c: false)
  /// The direction 0, 1 or 2.
  public subscript(direction: Int) -> Bool { direction == 0 ? a : direction == 1 ? b : c }
}

/// What a potential sees: elements, cell, and positions in Å, never wrapped.
public struct Configuration: ~Copyable, Sendable {
  /// The element of each atom.
  public let elements: [Element]
  /// The cell. Along directions that do not repeat it only frames the atoms.
  public var cell: Cell
  /// Which directions repeat.
  public let periodicity: Periodicity
  /// Positions, in Å, unwrapped.
  public var positions: Vectors

  /// A configuration; `positions` holds a vector for each element.
  public init(
    elements: [Element], cell: Cell, periodicity: Periodicity = .all, positions: consuming Vectors
  ) {
    precondition(elements.count == positions.count)
    self.elements = elements
    self.cell = cell
    self.periodicity = periodicity
    self.positions = positions
  }

  /// The number of atoms.
  public var count: Int { elements.count }

  /// A copy that shares nothing.
  public func copy() -> Configuration {
    let p = Vectors(count: count)
    p.copy(from: positions)
    return Configuration(elements: elements, cell: cell, periodicity: periodicity, positions: p)
  }
}
