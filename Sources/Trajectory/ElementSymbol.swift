import Matter

/// Element symbols as users write them: only exact ones are taken, others are refused with what to
/// write instead.
package enum ElementSymbol {
  /// The element of a token of a file.
  package static func parse(
    _ text: String, file: String?, line: Int?, column: Int?
  ) throws(InputError) -> Element {
    if let element = Element(symbol: text) { return element }
    func fail(_ what: String, _ remedy: String) -> InputError {
      InputError(
        "expected an element symbol, found '\(text.prefix(40))'\(what)", remedy: remedy, file: file,
        line: line, column: column)
    }
    if text == "D" || text == "T" {
      throw fail(
        ", an isotope of hydrogen",
        "Write H, and give the mass in the deck: masses: {H: \(text == "D" ? "2.014" : "3.016")}")
    }
    if ["x", "xx", "du", "vac", "q", "bq", "gh"].contains(text.lowercased()) {
      throw fail(", a dummy atom", "Remove dummy atoms: a potential knows elements only")
    }
    let letters = String(text.prefix { $0.isASCII && $0.isLetter })
    let rest = text.dropFirst(letters.count)
    let proper = letters.prefix(1).uppercased() + letters.dropFirst().lowercased()
    if let first = text.first, first.isASCII, first.isNumber {
      if let number = Int(text), let element = Element(atomicNumber: number) {
        throw fail(", an atomic number", "Write the symbol, \(element.symbol)")
      }
      let symbol = String(text.drop { $0.isNumber })
      if Element(symbol: symbol) != nil {
        throw fail(
          ", an isotope", "Write \(symbol), and give the mass in the deck: masses: {\(symbol): …}")
      }
    }
    guard let element = Element(symbol: proper) else {
      throw fail("", "Symbols are H, He, Li, … Og")
    }
    if rest.isEmpty {
      throw fail(", in other letters", "Write \(element.symbol)")
    }
    if rest.contains("+") || rest.contains("-") {
      throw fail(", with a charge", "Write \(element.symbol) without the charge")
    }
    throw fail(", a label", "Write \(element.symbol) alone")
  }
}

extension Element {
  /// The one element whose natural mass is within 0.05 amu of a mass, or nil.
  init?(naturalMass mass: Double) {
    let near = (1...118).compactMap { Element(atomicNumber: $0) }
      .filter { abs($0.mass - mass) < 0.05 }
    guard near.count == 1 else { return nil }
    self = near[0]
  }
}
