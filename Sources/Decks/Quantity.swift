import Glibc
import Matter

/// A number with a unit, as users write it: `200 ps`, `1.5 GPa`, `1e-4 eV/A`.
package enum Quantity: Sendable, CaseIterable {
  /// Time of the motion, in fs.
  case time
  /// Time on the clock, in s.
  case wallClock
  /// Temperature, in K.
  case temperature
  /// Pressure, in eV/Å³.
  case pressure
  /// Force, in eV/Å.
  case force
  /// Compressibility, in Å³/eV.
  case compressibility
  /// Length, in Å.
  case length
  /// Mass, in amu.
  case mass
  /// Wave vector, in rad/Å.
  case waveVector
  /// Energy of an excitation, in meV.
  case excitation
  /// Frequency of a machine, in Hz.
  case frequency
  /// Mean square displacement, in Å².
  case area
  /// Scattering length, in fm.
  case scatteringLength
  /// Scattering cross section, in barn.
  case crossSection

  /// value = number · multiplier / divisor.
  private struct Unit {
    var name: String
    var multiplier = 1.0
    var divisor = 1.0
    func value(_ number: Double) -> Double { number * multiplier / divisor }
  }

  private var units: [Unit] {
    let gigapascal = Units.gigapascal
    return switch self {
    case .time:
      [
        Unit(name: "fs"), Unit(name: "ps", multiplier: 1e3), Unit(name: "ns", multiplier: 1e6),
        Unit(name: "us", multiplier: 1e9),
      ]
    case .wallClock:
      [
        Unit(name: "s"), Unit(name: "min", multiplier: 60), Unit(name: "h", multiplier: 3600),
        Unit(name: "d", multiplier: 86400),
      ]
    case .temperature: [Unit(name: "K")]
    case .pressure:
      [
        Unit(name: "GPa", divisor: gigapascal), Unit(name: "MPa", divisor: gigapascal * 1e3),
        Unit(name: "bar", divisor: gigapascal * 1e4), Unit(name: "kbar", divisor: gigapascal * 10),
        Unit(name: "atm", multiplier: 101325, divisor: gigapascal * 1e9), Unit(name: "eV/A^3"),
      ]
    case .force: [Unit(name: "eV/A")]
    case .compressibility:
      [
        Unit(name: "1/GPa", multiplier: gigapascal),
        Unit(name: "1/MPa", multiplier: gigapascal * 1e3),
        Unit(name: "1/bar", multiplier: gigapascal * 1e4), Unit(name: "A^3/eV"),
      ]
    case .length: [Unit(name: "A")]
    case .mass: [Unit(name: "amu")]
    case .waveVector: [Unit(name: "1/A")]
    case .excitation:
      [
        Unit(name: "meV"), Unit(name: "eV", multiplier: 1000),
        Unit(name: "cm-1", divisor: Units.wavenumber),
        Unit(name: "THz", multiplier: Units.terahertz),
      ]
    case .frequency: [Unit(name: "Hz")]
    case .area: [Unit(name: "A^2")]
    case .scatteringLength: [Unit(name: "fm")]
    case .crossSection: [Unit(name: "barn")]
    }
  }

  /// The units a message names.
  package var acceptedUnits: String { units.map(\.name).joined(separator: ", ") }

  /// The value of a text in the internal unit of its kind.
  /// - Throws: an error without a place that says what is accepted.
  package func value(of text: String) throws(InputError) -> Double {
    guard let (number, rest) = try Number.scan(text) else {
      throw InputError(
        "'\(text.clipped)' is not a number with a unit",
        remedy: "Write a number and \(oneUnit), such as \(example)")
    }
    guard !rest.isEmpty else {
      if self == .mass { return number }
      let unit = units[0].name
      throw InputError(
        "\(text.clipped) has no unit", remedy: "Write it with \(oneUnit): \(text.clipped) \(unit)")
    }
    let unit = Self.normalized(rest)
    guard let match = units.first(where: { $0.name == unit }) else {
      throw unknownUnit(String(rest), text: text, number: number)
    }
    let value = match.value(number)
    guard value.isFinite else {
      throw InputError("\(text.clipped) is too large", remedy: "Write a smaller number")
    }
    return value
  }

  private var oneUnit: String {
    units.count == 1 ? "the unit \(acceptedUnits)" : "one of \(acceptedUnits)"
  }

  private var example: String {
    switch self {
    case .time: "200 ps"
    case .wallClock: "10 min"
    case .temperature: "300 K"
    case .pressure: "1.5 GPa"
    case .force: "1e-4 eV/A"
    case .compressibility: "0.1 1/GPa"
    case .length: "10 A"
    case .mass: "2.014 amu"
    case .waveVector: "14 1/A"
    case .excitation: "100 meV"
    case .frequency: "300 Hz"
    case .area: "0.013 A^2"
    case .scatteringLength: "6.671 fm"
    case .crossSection: "2.05 barn"
    }
  }

  private static func normalized(_ unit: some StringProtocol) -> String {
    var result = ""
    for scalar in unit.unicodeScalars {
      switch scalar {
      case " ": continue
      case "\u{C5}", "\u{212B}": result += "A"
      case "\u{B3}": result += "^3"
      case "\u{B2}": result += "^2"
      case "\u{B9}": result += "1"
      case "\u{207B}": result += "-"
      case "\u{B5}", "\u{3BC}": result += "u"
      default: result.unicodeScalars.append(scalar)
      }
    }
    switch result {
    case "A^-1", "A-1", "/A", "rad/A": return "1/A"
    case "cm^-1", "1/cm": return "cm-1"
    case "GPa^-1", "/GPa": return "1/GPa"
    case "MPa^-1", "/MPa": return "1/MPa"
    case "bar^-1", "/bar": return "1/bar"
    case "eV/A3": return "eV/A^3"
    case "A3/eV": return "A^3/eV"
    default: return result
    }
  }

  private func unknownUnit(_ unit: String, text: String, number: Double) -> InputError {
    if self == .temperature, ["C", "°C", "degC", "celsius"].contains(unit) {
      let kelvin = ((number + 273.15) * 100).rounded() / 100
      return InputError(
        "\(text.clipped) is not in K", remedy: "Write it in kelvin: \(Number.text(kelvin)) K")
    }
    if let first = unit.first, first == "_" || first == "," {
      return InputError(
        "'\(text.clipped)' is not a number", remedy: "Write digits without separators")
    }
    let known = Quantity.allCases.first { kind in
      kind.units.contains { $0.name == Self.normalized(unit) }
    }
    let kind = known.map { ", \($0.article)" } ?? ""
    let near = units.map(\.name).first {
      $0.lowercased() == Self.normalized(unit).lowercased()
    }
    let numeral = Number.text(number)
    return InputError(
      "'\(unit.clipped)' is not a unit of \(name)\(kind)",
      remedy: near.map { "Did you mean \(numeral) \($0)?" }
        ?? "Write it with \(oneUnit), such as \(example)")
  }

  private var name: String {
    switch self {
    case .time: "time"
    case .wallClock: "wall-clock time"
    case .temperature: "temperature"
    case .pressure: "pressure"
    case .force: "force"
    case .compressibility: "compressibility"
    case .length: "length"
    case .mass: "mass"
    case .waveVector: "wave vector"
    case .excitation: "energy"
    case .frequency: "frequency"
    case .area: "mean square displacement"
    case .scatteringLength: "scattering length"
    case .crossSection: "cross section"
    }
  }

  private var article: String { "but of \(name)" }

  /// A text that reads back as exactly the same value, in the unit that looks best.
  package func text(_ value: Double) -> String {
    let candidates: [Unit]
    switch self {
    case .time, .wallClock: candidates = units.reversed().filter { $0.name != "us" }
    default: candidates = [units[0]]
    }
    for unit in candidates {
      let number = value * unit.divisor / unit.multiplier
      if candidates.count > 1, abs(number) < 1 { continue }
      for attempt in [Number.rounded(number), number, number.nextUp, number.nextDown] {
        let text = Number.text(attempt)
        if candidates.count > 1, text.count > 9 { continue }
        if let back = Double(text), unit.value(back) == value { return "\(text) \(unit.name)" }
      }
    }
    // Every kind has a unit of factor one.
    let base = units.first { $0.multiplier == 1 && $0.divisor == 1 } ?? units[0]
    return "\(Number.text(value)) \(base.name)"
  }
}
