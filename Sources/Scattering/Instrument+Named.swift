import Foundation
import Matter

// Angles and energies: SCATTERING tables of AbINS (TOSCA, Lagrange) and PyChop (choppers).
extension Instrument {
  /// What a deck says beside the name.
  public struct Settings: Sendable {
    /// The incident energy of direct geometry, in meV.
    public var incidentEnergy: Double?
    /// The chopper package.
    public var chopper: String?
    /// The frequency of the chopper, in Hz.
    public var frequency: Double?
    /// The monochromator of Lagrange.
    public var monochromator: String?
    /// A resolution to use in the place of the instrument's.
    public var resolution: Resolution?

    /// Nothing said.
    public init(
      incidentEnergy: Double? = nil, chopper: String? = nil, frequency: Double? = nil,
      monochromator: String? = nil, resolution: Resolution? = nil
    ) {
      self.incidentEnergy = incidentEnergy
      self.chopper = chopper
      self.frequency = frequency
      self.monochromator = monochromator
      self.resolution = resolution
    }
  }

  /// The final energy of TOSCA in AbINS, 32 cm⁻¹, in meV.
  static let finalEnergyOfTOSCA: Double = 32 / Units.wavenumber

  /// Direct-geometry instruments with the range of 2θ, in degrees, and of incident energies, in meV.
  private static let direct:
    [String: (angles: ClosedRange<Double>, energies: ClosedRange<Double>)] = [
      "MAPS": (3.0...59.8, 0...2000), "ARCS": (2.373...135.955, 20...1500),
      "MERLIN": (2.838...135.69, 0...2000), "MARI": (3.43...134.14, 0...2000),
      "LET": (2.65...140, 0...2000), "SEQUOIA": (1.997...61.926, 0...6000),
      "CNCS": (3.806...132.609, 0...100), "HYSPEC": (5...65, 0...100),
      "PANTHER": (5...140, 0...2000),
    ]

  /// The names that are known.
  public static var names: [String] { ["TOSCA", "Lagrange"] + direct.keys.sorted() }

  /// An instrument by name.
  /// - Throws: for unknown names, settings that it does not have, and missing or impossible ones.
  public static func named(
    _ name: String, _ settings: Settings = Settings()
  ) throws(InputError) -> Instrument {
    switch name.uppercased() {
    case "TOSCA":
      try refuse(
        settings, of: "TOSCA", ["incident_energy", "chopper", "frequency", "monochromator"])
      // AbINS: σ = 2.5 + 0.005 ν + 1e-7 ν² with all in cm⁻¹.
      let width = Resolution(
        .polynomial([2.5 / Units.wavenumber, 0.005, 1e-7 * Units.wavenumber]),
        description: "TOSCA, σ = 2.5 + 0.005 ν + 1e-7 ν² (cm⁻¹)")
      return Instrument(
        checked: "TOSCA", .indirect(finalEnergy: finalEnergyOfTOSCA),
        [
          Bank(name: "forward", angle: 45),
          Bank(name: "backward", angle: 2.356 * 180 / .pi),
        ], settings.resolution ?? width)
    case "LAGRANGE", "IN1-LAGRANGE":
      try refuse(settings, of: "Lagrange", ["incident_energy", "chopper", "frequency"])
      let width =
        if let own = settings.resolution {
          own
        } else {
          try lagrange(settings.monochromator ?? "Cu(220)")
        }
      return Instrument(
        checked: "Lagrange", .indirect(finalEnergy: 4.5),
        [18.0, 34, 50, 66, 82].map { Bank(name: "\(Int($0)) degrees", angle: $0) }, width)
    case let upper:
      guard let found = direct[upper] else {
        throw InputError(
          "\(name) is no known instrument",
          remedy: "Give one of " + names.joined(separator: ", ")
            + ", or a geometry of your own")
      }
      try refuse(settings, of: upper, ["monochromator"])
      guard let energy = settings.incidentEnergy, energy > 0, found.energies.contains(energy) else {
        throw InputError(
          settings.incidentEnergy.map {
            "the incident energy of \(upper), \(Decimals.text($0)) meV, is out of its range"
          } ?? "\(upper) needs an incident energy",
          remedy: "Give `incident_energy` above \(Decimals.text(found.energies.lowerBound)) and up "
            + "to \(Decimals.text(found.energies.upperBound)) meV")
      }
      let width: Resolution? =
        if let own = settings.resolution {
          own
        } else if let chopper = FermiChopper.spectrometer(named: upper) {
          try chopper.resolution(
            incidentEnergy: energy, package: settings.chopper, frequency: settings.frequency)
        } else if upper == "PANTHER" {
          panther(incidentEnergy: energy)
        } else {
          nil
        }
      return Instrument(
        checked: upper, .direct(incidentEnergy: energy),
        [Bank(name: "detectors", angles: found.angles)], width)
    }
  }

  private static func refuse(
    _ settings: Settings, of name: String, _ keys: [String]
  ) throws(InputError) {
    let given: [String: Bool] = [
      "incident_energy": settings.incidentEnergy != nil, "chopper": settings.chopper != nil,
      "frequency": settings.frequency != nil, "monochromator": settings.monochromator != nil,
    ]
    for key in keys where given[key] == true {
      throw InputError("\(name) has no `\(key)`", remedy: "Leave it out")
    }
  }

  /// Half of the quoted 2σ of a monochromator of Lagrange.
  private static func lagrange(_ monochromator: String) throws(InputError) -> Resolution {
    let description = "Lagrange, \(monochromator)"
    switch monochromator {
    case "Cu(220)":
      return Resolution(
        .step(
          at: 25, below: 0.4, coefficients: [-3.5961e-2 / 2, 2.156e-2 / 2, 7.6987e-5 / 2]),
        description: description)
    case "Cu(331)":
      let c = [6.58362118e-01, 5.15925386e-04, 1.11911095e-04, -8.60511597e-08]
      return Resolution(.polynomial(c.map { $0 / 2 }), description: description)
    case "Si(311)", "Si(111)":
      return Resolution(.polynomial([0.4]), description: description)
    default:
      throw InputError(
        "Lagrange has no monochromator \(monochromator)",
        remedy: "Give Cu(220), Cu(331), Si(311) or Si(111)")
    }
  }

  private static func panther(incidentEnergy e: Double) -> Resolution {
    let fwhm = [
      9.776165626 - 0.152436944 * e + 1.00756607e-3 * e * e, 0.0236164119 - 7.907533e-4 * e,
      6.472263719e-4 - 8.569721e-9 * e * e, 1.481983265e-6 - 2.3477398e-13 * e * e * e,
    ]
    let scale = 1 / (8 * log(2.0)).squareRoot()
    return Resolution(
      .polynomial(fwhm.map { $0 * scale }),
      description: "PANTHER, E_i = \(Decimals.text(e)) meV")
  }
}
