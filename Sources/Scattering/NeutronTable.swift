import Matter

/// Bound neutron scattering lengths and incoherent cross sections (Sears 1992).
public enum NeutronTable {
  /// What the table says about an element or an isotope.
  public struct Entry: Sendable, Equatable {
    /// The mass number, or 0 for the natural element.
    public let massNumber: Int
    /// The coherent scattering length, in fm.
    public let real, imaginary: Double
    /// The incoherent cross section, in barn; nil where it is not known.
    public let incoherentCrossSection: Double?
  }

  private static let entries: [String: [Entry]] = {
    var table: [String: [Entry]] = [:]
    for line in sears1992.split(separator: "\n") {
      let parts = line.split(separator: "|").map { $0.split(separator: " ") }
      guard let symbol = parts.first?.first else { continue }
      table[String(symbol)] = parts.dropFirst().compactMap { fields in
        guard fields.count == 4, let mass = Int(fields[0]), let real = Double(fields[1]),
          let imaginary = Double(fields[2])
        else { return nil }
        return Entry(
          massNumber: mass, real: real, imaginary: imaginary,
          incoherentCrossSection: Double(fields[3]))
      }
    }
    return table
  }()

  /// The natural element where the table has it, then its isotopes.
  public static func rows(of element: Element) -> [Entry] { entries[element.symbol] ?? [] }

  /// The row of the natural element, or of its only isotope; nil where the table has neither.
  public static func natural(_ element: Element) -> Entry? {
    let rows = rows(of: element)
    return rows.first { $0.massNumber == 0 } ?? (rows.count == 1 ? rows[0] : nil)
  }

  /// What an element scatters.
  /// - Parameter composition: its isotopes.
  /// - Throws: for isotopes or cross sections that the table does not have, and fractions that do
  ///   not add up to 1.
  public static func scattering(
    of element: Element, composition: IsotopeComposition = .natural
  ) throws(InputError) -> NeutronScattering {
    switch composition {
    case .natural:
      guard let row = natural(element) else {
        throw InputError(
          "the neutron table has no natural \(element.symbol)", remedy: known(element))
      }
      return NeutronScattering(
        real: row.real, imaginary: row.imaginary,
        incoherent: try incoherent(row, element) * Units.barn / (4 * .pi))
    case .mixture(let parts):
      let total = parts.reduce(0) { $0 + $1.fraction }
      guard parts.allSatisfy({ $0.fraction >= 0 }), abs(total - 1) < 1e-6 else {
        throw InputError(
          "the isotopes of \(element.symbol) add up to \(Decimals.text(total))",
          remedy: "Give fractions from 0 to 1 that add up to 1")
      }
      var (real, imaginary, square, own) = (0.0, 0.0, 0.0, 0.0)
      for part in parts {
        guard let row = rows(of: element).first(where: { $0.massNumber == part.massNumber }) else {
          throw InputError(
            "the neutron table has no \(element.symbol)-\(part.massNumber)", remedy: known(element))
        }
        real += part.fraction * row.real
        imaginary += part.fraction * row.imaginary
        square += part.fraction * (row.real * row.real + row.imaginary * row.imaginary)
        own += part.fraction * (try incoherent(row, element))
      }
      // Isotopic disorder scatters incoherently too: ⟨|b|²⟩ − |⟨b⟩|².
      let disorder = max(0, square - real * real - imaginary * imaginary)
      return NeutronScattering(
        real: real, imaginary: imaginary, incoherent: disorder + own * Units.barn / (4 * .pi))
    }
  }

  private static func incoherent(_ row: Entry, _ element: Element) throws(InputError) -> Double {
    guard let value = row.incoherentCrossSection else {
      throw InputError(
        "the neutron table has no incoherent cross section of "
          + (row.massNumber == 0
            ? "natural \(element.symbol)" : "\(element.symbol)-\(row.massNumber)"),
        remedy: "Give its weights in the deck, under `weights`")
    }
    return value
  }

  private static func known(_ element: Element) -> String {
    let isotopes = rows(of: element).filter { $0.massNumber > 0 }
      .map { "\(element.symbol)-\($0.massNumber)" }
    return isotopes.isEmpty
      ? "Give its weights in the deck, under `weights`"
      : "It has " + isotopes.joined(separator: ", ")
  }
}

/// What an atom scatters of neutrons.
public struct NeutronScattering: Sendable, Equatable {
  /// The coherent scattering length, in fm.
  public let real, imaginary: Double
  /// The mean square incoherent length σ_inc/4π, in fm².
  public let incoherent: Double

  /// The coherent cross section 4π|b|², in barn.
  public var coherentCrossSection: Double {
    4 * .pi * (real * real + imaginary * imaginary) / Units.barn
  }
  /// The incoherent cross section, in barn.
  public var incoherentCrossSection: Double { 4 * .pi * incoherent / Units.barn }
}
