/// A chemical element, by atomic number (1 to 118).
public struct Element: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The atomic number.
  public let atomicNumber: Int

  /// The element of an atomic number, or nil outside 1...118.
  public init?(atomicNumber: Int) {
    guard atomicNumber > 0, atomicNumber < Self.symbols.count else { return nil }
    self.atomicNumber = atomicNumber
  }

  /// The element of an exactly spelled symbol, such as `Si`; nil for anything else.
  public init?(symbol: String) {
    guard let number = Self.numbers[symbol] else { return nil }
    atomicNumber = number
  }

  /// The symbol, such as `Si`.
  public var symbol: String { Self.symbols[atomicNumber] }
  /// The natural atomic weight, in amu.
  public var mass: Double { Self.masses[atomicNumber] }
  /// The covalent radius, in Å.
  public var covalentRadius: Double { Self.radii[atomicNumber] }
  /// The symbol.
  public var description: String { symbol }

  /// Order by atomic number.
  public static func < (left: Element, right: Element) -> Bool {
    left.atomicNumber < right.atomicNumber
  }

  private static let numbers: [String: Int] = Dictionary(
    uniqueKeysWithValues: symbols.enumerated().dropFirst().map { ($0.element, $0.offset) })
}
