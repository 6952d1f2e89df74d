import Foundation
import Matter

/// The energy resolution of a spectrometer with a Fermi chopper, by the time-of-flight model of
/// PyChop: moderator, chopper, aperture, detector and sample spread the flight time.
/// Lengths in m, times in s, energies in meV, frequencies in Hz.
package struct FermiChopper: Sendable {
  /// A slit package: slit width, radius and curvature of the slats, in m.
  struct Package: Sendable {
    let slit, radius, curvature: Double
  }
  /// What the moderator does to the pulse.
  enum Moderator: Sendable {
    /// Ikeda and Carpenter's pulse with s₁, s₂, b₁, b₂, E_m.
    case ikedaCarpenter(s1: Double, s2: Double, b1: Double, b2: Double, em: Double)
    /// Measured widths below 73 meV, a fit above: MAPS.
    case maps
  }

  let name: String
  /// Distances: moderator to chopper, aperture to chopper, chopper to sample, sample to detector.
  let x0, xa, x1, x2: Double
  /// Aperture width and angle of the moderator in degrees.
  let aperture, moderatorAngle: Double
  let moderator: Moderator
  let packages: [String: Package]
  let defaultPackage: String
  let defaultFrequency: Double
  let frequencies: [Double]

  private static let fwhm = (8 * log(2.0)).squareRoot()
  /// Speed of a neutron of 1 meV, in m/s; the second, rounded, is in two of the model's terms.
  private static let speed = 437.393362604208619
  private static let roundedSpeed = 437.392
  private static let sampleWidth = 0.048
  private static let detectorDiameter = 0.025

  /// MAPS or ARCS with the parameters of 2025; nil for others.
  package static func spectrometer(named name: String) -> FermiChopper? {
    switch name {
    case "MAPS": maps
    case "ARCS": arcs
    default: nil
    }
  }

  static let maps = FermiChopper(
    name: "MAPS", x0: 10.143, xa: 8.27, x1: 1.899, x2: 6, aperture: 0.094, moderatorAngle: 32,
    moderator: .maps,
    packages: [
      "A": Package(slit: 1.087e-3, radius: 0.049, curvature: 1.300),
      "B": Package(slit: 1.812e-3, radius: 0.049, curvature: 0.920),
      "S": Package(slit: 2.899e-3, radius: 0.049, curvature: 1.300),
    ], defaultPackage: "A", defaultFrequency: 400,
    frequencies: (1...12).map { Double(50 * $0) })

  /// ARCS with the moderator tuned to measurements (Mantid pull request 38591, January 2025).
  static let arcs = arcs(
    moderator: .ikedaCarpenter(s1: 281, s2: 79, b1: 0.087, b2: 0.4, em: 172), smi: (1.5e-3, 0.64))
  /// ARCS with the moderator of PyChop 2020 to 2024, whose widths are 1.3 to 2.2 times larger.
  package static let arcsBefore2025 = arcs(
    moderator: .ikedaCarpenter(s1: 119.63, s2: 33.618, b1: 0.037, b2: 0.17, em: 172.42),
    smi: (1.52e-3, 0.58))

  private static func arcs(
    moderator: Moderator, smi: (slit: Double, curvature: Double)
  ) -> FermiChopper {
    FermiChopper(
      name: "ARCS", x0: 11.61, xa: 9.342, x1: 2, x2: 3, aperture: 0.1751, moderatorAngle: -13.75,
      moderator: moderator,
      packages: [
        "ARCS-100-1.5-AST": Package(slit: 1.52e-3, radius: 0.05, curvature: 0.58),
        "ARCS-700-1.5-AST": Package(slit: 1.52e-3, radius: 0.05, curvature: 1.535),
        "ARCS-700-0.5-AST": Package(slit: 0.51e-3, radius: 0.05, curvature: 1.535),
        "ARCS-100-1.5-SMI": Package(slit: smi.slit, radius: 0.05, curvature: smi.curvature),
        "ARCS-700-1.5-SMI": Package(slit: smi.slit, radius: 0.05, curvature: 1.535),
        "SEQ-100-2.0-AST": Package(slit: 2.03e-3, radius: 0.05, curvature: 0.58),
        "SEQ-700-3.5-AST": Package(slit: 3.56e-3, radius: 0.05, curvature: 1.535),
      ], defaultPackage: "ARCS-100-1.5-AST", defaultFrequency: 300,
      frequencies: (1...10).map { Double(60 * $0) })
  }

  /// σ of the energy transfer: a quartic through 40 energies from 0 to just below E_i, another on
  /// the side of gain.
  /// - Throws: for packages and frequencies that the instrument does not have, and where the chopper
  ///   lets no neutron of the incident energy through.
  package func resolution(
    incidentEnergy: Double, package name: String?, frequency: Double?
  ) throws(InputError) -> Resolution {
    let packageName = name ?? defaultPackage
    guard let package = packages[packageName] ?? packages["\(self.name)-\(packageName)"] else {
      throw InputError(
        "\(self.name) has no chopper package \(packageName)",
        remedy: "Give one of " + packages.keys.sorted().joined(separator: ", "))
    }
    let frequency = frequency ?? defaultFrequency
    guard frequencies.contains(frequency) else {
      throw InputError(
        "the chopper of \(self.name) does not turn at \(Decimals.text(frequency)) Hz",
        remedy: "Give one of " + frequencies.map { Decimals.text($0) }.joined(separator: ", "))
    }
    func widths(_ sign: Double) -> [Double]? {
      self.widths(
        incidentEnergy: incidentEnergy, transfers: (0..<40).map { sign * Double($0) / 40 },
        package: package, frequency: frequency)
    }
    guard let loss = widths(1), let gain = widths(-1) else {
      throw InputError(
        "package \(packageName) at \(Decimals.text(frequency)) Hz lets no neutron of "
          + "\(Decimals.text(incidentEnergy)) meV through",
        remedy: "Change the frequency or the package")
    }
    let abscissae = (0..<40).map { 2 * Double($0) / 39 - 1 }
    return Resolution(
      .twoSided(
        loss: PolynomialFit.coefficients(abscissae, loss, degree: 4),
        gain: PolynomialFit.coefficients(abscissae, gain, degree: 4),
        range: incidentEnergy * 39 / 40, limit: incidentEnergy),
      description: "\(self.name), E_i = \(Decimals.text(incidentEnergy)) meV, \(packageName) at "
        + "\(Decimals.text(frequency)) Hz")
  }

  /// σ at energy transfers in units of E_i; nil where the chopper is closed.
  private func widths(
    incidentEnergy: Double, transfers: [Double], package: Package, frequency: Double
  ) -> [Double]? {
    guard
      let chopper = Self.chopperVariance(
        package, incidentEnergy: incidentEnergy, frequency: frequency)
    else { return nil }
    let f2 = Self.fwhm * Self.fwhm
    let omega = 2 * Double.pi * frequency
    let vi = Self.speed * incidentEnergy.squareRoot()
    let pulse = moderatorVariance(incidentEnergy)
    let slope = tan(moderatorAngle * .pi / 180)
    let d = omega * (xa + x1)
    let g1 = 1 - omega * slope / vi * (xa + x1)
    let g2 = 1 - omega * slope / vi * (x0 - xa)
    let radius = Self.detectorDiameter / 2 * (1 - 0.063)
    return transfers.map { transfer in
      let final = incidentEnergy * (1 - transfer)
      let vf = Self.speed * final.squareRoot()
      let r = (vi / vf) * (vi / vf) * (vi / vf)
      let m = (x1 + r * x2) / x0
      let a = (1 + x1 / x0 * g1) / d + r * x2 / x0 * g1 / d
      let b = -(1 + x1 / x0 * g2) / d - r * x2 / x0 * g2 / d
      let kf = (0.48259640220781652 * final).squareRoot()
      let depth = TubeDetector.variance(meanFreePaths: 2 * radius * 500.4685368 / kf)
      let tau2 =
        pulse * m * m + chopper * (1 + m) * (1 + m) + a * a * aperture * aperture * f2 / 12
        + depth * radius * radius * f2 / (vf * vf)
        + b * b * Self.sampleWidth * Self.sampleWidth * f2 / 12
      return 2 * Self.speed * (final * final * final * tau2).squareRoot() / x2 / Self.fwhm
    }
  }

  /// The variance of the opening time, as FWHM².
  private static func chopperVariance(
    _ package: Package, incidentEnergy: Double, frequency: Double
  ) -> Double? {
    let omega = 2 * Double.pi * frequency
    let (p, radius) = (package.slit, package.radius)
    let gamma =
      2 * radius * radius / p
      * abs(1 / package.curvature - 2 * omega / (roundedSpeed * incidentEnergy.squareRoot()))
    guard gamma < 4 else { return nil }
    let square: Double
    if gamma <= 1 {
      let g2 = gamma * gamma
      square = (1 - g2 * g2 / 10) / (1 - g2 / 6)
    } else {
      let root = gamma.squareRoot()
      square = 0.6 * gamma * (root - 2) * (root - 2) * (root + 8) / (root + 4)
    }
    let time = p / (2 * radius * omega)
    return time * time / 6 * square * fwhm * fwhm
  }

  /// Measured widths of the moderator of MAPS: wavelengths in Å, FWHM in µs.
  private static let measured: [(wavelength: Double, width: Double)] = [
    (1.05928, 20), (1.27303, 25), (1.44378, 30), (1.55951, 31), (1.70813, 35), (1.91018, 37),
    (2.07872, 38), (2.2052, 40), (2.41516, 41), (2.47745, 40), (2.70006, 44), (3.11649, 47),
    (3.25499, 48), (3.81593, 54), (5.39537, 62),
  ]

  private func moderatorVariance(_ energy: Double) -> Double {
    switch moderator {
    case .ikedaCarpenter(let s1, let s2, let b1, let b2, let em):
      let a = 4.37392e-4 * (s1 * s1 + s2 * s2 * 81.8048 / energy).squareRoot() * energy.squareRoot()
      let b = energy > 130 ? b2 : b1
      let r = exp(-energy / em)
      return (3 / (a * a) + r * (2 - r) / (b * b)) * 1e-12 * Self.fwhm * Self.fwhm
    case .maps:
      let wavelength = (81.8042103582802156 / energy).squareRoot()
      let table = Self.measured
      if wavelength >= table[0].wavelength {
        let x = min(wavelength, table[table.count - 1].wavelength)
        let i = min(
          (table.firstIndex { $0.wavelength > x } ?? table.count - 1) - 1, table.count - 2)
        let u =
          (x - table[i].wavelength) / (table[i + 1].wavelength - table[i].wavelength)
        let width = table[i].width + u * (table[i + 1].width - table[i].width)
        return width * 1e-6 * width * 1e-6
      }
      let s = ((150 - energy) * (0.01 / Self.fwhm) + energy * (70 / Self.fwhm)) / 150
      let hat =
        1 + (erf((150 - energy) / (2.squareRoot() * s)) - erf(-energy / (2.squareRoot() * s))) / 2
      let time =
        (38.6e-3 * hat + 0.5226e-3 * energy.squareRoot()) / 1.96
        / (Self.roundedSpeed * energy.squareRoot()) * Self.fwhm
      return time * time
    }
  }
}
