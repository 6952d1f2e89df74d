import Matter

/// Form factors of atoms and ions from published fits.
public enum FormFactorTable {
  /// Where a factor is from.
  public enum Source: Sendable {
    /// X-rays: Waasmaier and Kirfel (1995), five terms, s up to 6 1/Å.
    case waasmaierKirfel
    /// X-rays: International Tables C (2006), four terms, s up to 2 1/Å. Silicon is there in its
    /// valence state `Sival` and as `Siv`, of which `Si` takes the first.
    case internationalTables
    /// Electrons: Peng et al. (1996) for atoms, Peng (1998) for ions, s up to 6 1/Å.
    case peng
  }

  private static let waasmaierKirfel = read(waasmaierKirfelText, terms: 5, largestS: 6)
  private static let internationalTables = read(internationalTablesText, terms: 4, largestS: 2)
  private static let peng = read(pengText, terms: 5, largestS: 6)

  /// The form factor of an atom (`Si`) or ion (`Si4+`).
  /// - Throws: for a species that the source does not have.
  public static func factor(_ species: String, source: Source) throws(InputError) -> FormFactor {
    let found =
      switch source {
      case .waasmaierKirfel: waasmaierKirfel[species]
      case .internationalTables:
        internationalTables[species] ?? (species == "Si" ? internationalTables["Sival"] : nil)
      case .peng: peng[species]
      }
    guard let found else {
      throw InputError(
        "there is no form factor of \(species)",
        remedy: "Give an element up to Cf, or an ion as Si4+ or O1-")
    }
    return found
  }

  private static func read(_ text: String, terms: Int, largestS: Double) -> [String: FormFactor] {
    var table: [String: FormFactor] = [:]
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      let numbers = fields.dropFirst().compactMap { Double($0) }
      guard let name = fields.first, numbers.count >= 2 * terms else { continue }
      let isElectron = numbers.count == 2 * terms
      table[String(name)] = FormFactor(
        a: Array(numbers[0..<terms]), b: Array(numbers[terms..<2 * terms]),
        c: isElectron ? 0 : numbers[2 * terms], charge: isElectron ? charge(String(name)) : 0,
        largestQ: 4 * .pi * largestS)
    }
    return table
  }

  private static func charge(_ name: String) -> Int {
    let digits = Int(name.filter(\.isNumber)) ?? 0
    return name.hasSuffix("+") ? digits : name.hasSuffix("-") ? -digits : 0
  }
}
