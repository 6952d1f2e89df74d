import Matter

/// A named set of atoms, for which an observable is averaged.
public struct AtomGroup: Sendable, Equatable {
  /// The name, such as an element's symbol.
  public var name: String
  /// Indices of the atoms, from 0.
  public var atoms: [Int]

  /// A named set of atoms.
  public init(name: String, atoms: [Int]) {
    self.name = name
    self.atoms = atoms
  }

  /// One group for each element, in alphabetical order of the symbols.
  public static func byElement(_ elements: [Element]) -> [AtomGroup] {
    var atoms: [String: [Int]] = [:]
    for (i, element) in elements.enumerated() { atoms[element.symbol, default: []].append(i) }
    return atoms.sorted { $0.key < $1.key }.map { AtomGroup(name: $0.key, atoms: $0.value) }
  }

  /// Whether every atom of the group is one of `atomCount` atoms, each named once.
  func isValid(atomCount: Int) -> Bool {
    Set(atoms).count == atoms.count && atoms.allSatisfy { $0 >= 0 && $0 < atomCount }
  }
}
