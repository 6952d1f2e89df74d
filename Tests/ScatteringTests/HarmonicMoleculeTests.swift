import Foundation
import Matter
import Scattering
import TestSupport
import Testing

/// The water-like molecule in a cage of reference/scattering/abins_toy: anisotropic, 9 modes from
/// 169 to 3751 cm⁻¹. Along one direction of Q every expansion is exact for it, so the powder average
/// over directions is the exact spectrum of classical and of quantum motion.
@Suite("order-resolved correction of a harmonic molecule") struct HarmonicMoleculeTests {
  private static let gridStep = 8 / 8.065543937349211
  private static let last = 512

  private struct Molecule {
    let wavenumbers: [Double]
    let vectors: [[[Double]]]
    let masses: [Double]

    init() throws {
      let object = try Fixture.object("abins_toy.json")
      wavenumbers = try #require(object["nu_cm1"] as? [NSNumber]).map(\.doubleValue)
      vectors = try #require(object["eigenvectors_mode_atom_axis"] as? [[[NSNumber]]])
        .map { $0.map { $0.map(\.doubleValue) } }
      masses = try #require(object["mass_Da"] as? [NSNumber]).map(\.doubleValue)
    }

    /// The spectrum of an atom along a direction, or its mean over directions.
    func spectrum(atom: Int, direction: SIMD3<Double>?, temperature: Double) -> SelfSpectrum {
      var density = [Double](repeating: 0, count: last + 1)
      var total = 0.0
      for (nu, mode) in zip(wavenumbers, vectors) {
        let e = mode[atom]
        let projection =
          direction.map { $0.x * e[0] + $0.y * e[1] + $0.z * e[2] }
          .map { $0 * $0 } ?? (e[0] * e[0] + e[1] * e[1] + e[2] * e[2]) / 3
        let position = nu / 8
        let base = Int(position)
        density[base] += projection * (1 - position + Double(base))
        density[base + 1] += projection * (position - Double(base))
        total += projection
      }
      // The vectors of an atom are orthonormal over all modes, so every direction has total 1.
      precondition(abs(total - 1) < 1e-9)
      return SelfSpectrum(
        density: density, step: gridStep, mass: masses[atom], temperature: temperature)
    }
  }

  /// Directions over half a sphere and their weights.
  private static let directions: [(SIMD3<Double>, Double)] = {
    // Gauss and Legendre's rule of 12 points, the upper half.
    let nodes = [
      (0.1252334085114689, 0.2491470458134028), (0.3678314989981802, 0.2334925365383548),
      (0.5873179542866175, 0.2031674267230659), (0.7699026741943047, 0.1600783285433462),
      (0.9041172563704749, 0.1069393259953184), (0.9815606342467192, 0.0471753363865118),
    ]
    return nodes.flatMap { z, weight in
      (0..<12).map { k in
        let s = (1 - z * z).squareRoot()
        let phi = 2 * Double.pi * Double(k) / 12
        return ([s * cos(phi), s * sin(phi), z], weight / 12)
      }
    }
  }()

  /// Orders 1... at each energy on TOSCA's backward line.
  private static func orders(
    of molecule: Molecule, atom: Int, statistics: MultiphononExpansion.Statistics,
    temperature: Double, line: [Double]
  ) -> [[Double]] {
    var result = [[Double]](repeating: [Double](repeating: 0, count: last + 1), count: 12)
    for (direction, weight) in directions {
      let expansion = MultiphononExpansion(
        molecule.spectrum(atom: atom, direction: direction, temperature: temperature),
        statistics: statistics, temperature: temperature, largestQ: line[last])
      for (n, values) in expansion.orders.prefix(12).enumerated() {
        for k in 1...last {
          let q2 = line[k] * line[k]
          result[n][k] +=
            weight * exp(-q2 * expansion.meanSquare) * pow(q2, Double(n + 1)) * values[last + k]
        }
      }
    }
    return result
  }

  @Test(
    "it gives overtones their weight, which the first-order factor misses",
    .enabled(if: Reference.isAvailable, "needs the reference folder"), arguments: [10.0, 300])
  func molecule(temperature: Double) throws {
    let molecule = try Molecule()
    let tosca = try Instrument.named("TOSCA")
    let line = try (0...Self.last).map {
      try #require(
        tosca.momentum(
          energy: Double($0) * Self.gridStep, angle: tosca.banks[1].angles.lowerBound))
    }
    let cases = try #require(try Fixture.object("abins_toy.json")["cases"] as? [[String: Any]])
    let reference = try #require(
      cases.first { $0["bank"] as? String == "backward" && ($0["T_K"] as? NSNumber) == 10 })
    let integrals = try #require(reference["integrated_per_atom_per_order"] as? [[NSNumber]])

    for atom in 0..<3 {
      let quantum = Self.orders(
        of: molecule, atom: atom, statistics: .quantum, temperature: temperature, line: line)
      let classical = Self.orders(
        of: molecule, atom: atom, statistics: .classical, temperature: temperature, line: line)
      // The reference averages the Debye-Waller factor over directions by itself, which is exact
      // only for small displacements: those of the oxygen.
      for n in 1...3 where temperature == 10 && atom == 0 {
        let area = quantum[n - 1].reduce(0, +) * Self.gridStep
        #expect(abs(area / integrals[atom][n - 1].doubleValue - 1) < 5e-3)
      }
      let exact = (0...Self.last).map { k in quantum.reduce(0) { $0 + $1[k] } }
      let measured = (0...Self.last).map { k in classical.reduce(0) { $0 + $1[k] } }
      let correction = OrderResolvedCorrection(
        molecule.spectrum(atom: atom, direction: nil, temperature: temperature),
        temperature: temperature, largestQ: line[Self.last])
      let ours = (0...Self.last).map { measured[$0] * correction.factors(norms: [line[$0]])[$0] }
      let first = (0...Self.last).map {
        measured[$0]
          * QuantumFactor.harmonic.value(
            energy: Double($0) * Self.gridStep, temperature: temperature)
      }
      func error(_ values: [Double]) -> Double {
        (1...Self.last).reduce(0) { $0 + abs(values[$1] - exact[$1]) }
          / exact.dropFirst().reduce(0, +)
      }
      #expect(error(ours) < 0.4 * error(first))
      for n in 1...3 {
        // Energies where this order is most of the exact spectrum.
        let band = (1...Self.last).filter { quantum[n - 1][$0] > 0.8 * exact[$0] }
        func ratio(_ values: [Double]) -> Double {
          band.reduce(0) { $0 + values[$1] } / band.reduce(0) { $0 + exact[$1] }
        }
        #expect(abs(log(ratio(ours))) < 0.5 * abs(log(ratio(first))))
      }
    }
  }
}
