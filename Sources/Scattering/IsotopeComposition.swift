import Matter

/// The isotopes of an element in the sample.
public enum IsotopeComposition: Sendable {
  /// As found on Earth.
  case natural
  /// Isotopes by mass number with the fraction of atoms.
  case mixture([(massNumber: Int, fraction: Double)])

  /// The composition of one name: `natural`, `D`, `T`, `H-2`, `H2` or `2H`.
  /// - Throws: for a name of another element, or none.
  public init(_ name: String, of element: Element) throws(InputError) {
    if name == "natural" || name == element.symbol {
      self = .natural
    } else {
      self = .mixture([(try Self.massNumber(name, of: element), 1)])
    }
  }

  /// A mixture of names with fractions, as {D: 0.98, H-1: 0.02}.
  /// - Throws: for a name of another element, or none.
  public init(_ parts: [(name: String, fraction: Double)], of element: Element) throws(InputError) {
    var mixture: [(massNumber: Int, fraction: Double)] = []
    for part in parts {
      mixture.append((try Self.massNumber(part.name, of: element), part.fraction))
    }
    self = .mixture(mixture)
  }

  private static func massNumber(_ name: String, of element: Element) throws(InputError) -> Int {
    let symbol = element.symbol
    if symbol == "H", let number = ["D": 2, "T": 3][name] { return number }
    let digits = name.filter { $0.isASCII && $0.isNumber }
    let spellings = ["\(digits)\(symbol)", "\(symbol)\(digits)", "\(symbol)-\(digits)"]
    guard let number = Int(digits), spellings.contains(name) else {
      let isotopes = NeutronTable.rows(of: element).filter { $0.massNumber > 0 }
        .map { "\(symbol)-\($0.massNumber)" }
      throw InputError(
        "\(name) is no isotope of \(symbol)",
        remedy: "Write one of natural, " + isotopes.joined(separator: ", ")
          + (symbol == "H" ? ", D, T" : ""))
    }
    return number
  }
}
