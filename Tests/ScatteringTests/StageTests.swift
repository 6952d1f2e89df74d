import Foundation
import Matter
import Scattering
import TestSupport
import Testing

@Suite("stages of a spectrum") struct StageTests {
  /// S(q, E) of trajectory A, neutron-weighted, from the definitions of its functions.
  private static func map(hkl: [SIMD3<Int>]) throws -> ScatteringMap {
    let coordinates = try Fixture.variable("coordinates", of: "A.nc")
    let names = try #require(try Fixture.object("A_modes.json")["names"] as? [String])
    let lattice = ReciprocalLattice(try Fixture.cellA)
    let points = QPointList.supercell(hkl, lattice: lattice)
    let (atoms, frames, lags) = (64, 400, 100)
    var columns: [Double] = []
    for point in points {
      let q = point.vector
      var total = [Double](repeating: 0, count: lags + 1)
      var density: [String: (re: [Double], im: [Double])] = [:]
      for a in 0..<atoms {
        var (re, im) = ([Double](), [Double]())
        for t in 0..<frames {
          let r = (t * atoms + a) * 3
          let phase = q.x * coordinates[r] + q.y * coordinates[r + 1] + q.z * coordinates[r + 2]
          re.append(cos(phase))
          im.append(sin(phase))
        }
        let sigma = names[a] == "H" ? 80.26 : 0.004
        add(re, im, re, im, sigma * 100 / (4 * .pi), to: &total)
        if density[names[a]] == nil {
          density[names[a]] = (re, im)
        } else {
          for t in 0..<frames {
            density[names[a]]?.re[t] += re[t]
            density[names[a]]?.im[t] += im[t]
          }
        }
      }
      let length = ["H": -3.739, "Si": 4.1491]
      for (a, rho) in density {
        for (b, other) in density {
          add(
            rho.re, rho.im, other.re, other.im, (length[a] ?? 0) * (length[b] ?? 0), to: &total)
        }
      }
      columns += CosineTransform(lags: lags).spectrum(
        of: total.map { $0 / Double(atoms) }, timestep: 4)
    }
    let omega = (0...lags).map { 2 * Double.pi * Double($0) / (Double(2 * lags + 1) * 4) }
    return ScatteringMap(
      norms: points.map(\.norm), omega: omega, values: columns, unit: "fm^2")
  }

  /// Adds weight·Re⟨a(t) b*(t + l)⟩ for every lag.
  private static func add(
    _ re: [Double], _ im: [Double], _ re2: [Double], _ im2: [Double], _ weight: Double,
    to total: inout [Double]
  ) {
    for l in total.indices {
      var sum = 0.0
      for t in 0..<re.count - l { sum += re[t] * re2[t + l] + im[t] * im2[t + l] }
      total[l] += weight * sum / Double(re.count - l)
    }
  }

  @Test(
    "TOSCA's stages and a direct-geometry mean of trajectory A equal the reference",
    .enabled(if: Reference.isAvailable, "needs the reference folder"))
  func pipeline() throws {
    let object = try Fixture.object("A_pipeline.json")
    func numbers(_ key: String) throws -> [Double] {
      try #require(object[key] as? [NSNumber], "\(key)").map(\.doubleValue)
    }
    let hkl = try #require(object["hkl"] as? [[NSNumber]]).map { row in
      SIMD3(row[0].intValue, row[1].intValue, row[2].intValue)
    }
    let map = try Self.map(hkl: hkl)
    #expect(deviation(map.energies, from: try numbers("E_meV")) < 1e-9)
    let shells = try numbers("raw_q")
    func stages(_ order: SpectrumStages.Order) throws -> SpectrumStages {
      try SpectrumStages(
        map, instrument: try Instrument.named("TOSCA"), shells: shells, width: 0.3,
        quantum: .factor(.harmonic, temperature: 300), order: order, energyStep: 0.5,
        sampling: .sampled)
    }
    let last = try stages(.quantumLast)
    let grid = try numbers("fine_E_meV").count
    #expect(deviation(last.raw.values, from: try numbers("raw")) < 1e-8)
    #expect(deviation(last.kinematic.values, from: try numbers("kinematic_mean")) < 1e-8)
    #expect(last.resolution.energies.count >= grid)
    // The reference's grid ends at 300 meV, so what lies beyond does not spill into it there.
    let inner = 0..<grid - 30
    func compare(_ spectrum: Spectrum, _ key: String) throws -> Double {
      deviation(Array(spectrum.values[inner]), from: Array(try numbers(key)[inner]))
    }
    #expect(try compare(last.resolution, "broadened") < 1e-8)
    #expect(try compare(last.quantum, "broadened_then_quantum") < 1e-8)
    #expect(try compare(try stages(.quantumFirst).quantum, "quantum_then_broadened") < 1e-8)

    let direct = try Instrument(
      name: "direct", geometry: .direct(incidentEnergy: 200),
      banks: [.init(name: "detectors", angles: 3...59.8)], resolution: nil)
    let seen = try SpectrumStages(
      map, instrument: direct, shells: shells, width: 0.3, quantum: nil, reduction: .mean)
    let reference = try #require(object["direct_Ei200_mean_over_accessible_q"] as? [Any])
    for (value, expected) in zip(seen.kinematic.values, reference) {
      if let expected = expected as? NSNumber {
        #expect(abs(value / expected.doubleValue - 1) < 1e-8)
      } else {
        #expect(value.isNaN)
      }
    }
    #expect(last.quantum.history.count == 3 && last.quantum.unit == "fm^2/meV")
  }

  @Test("corrections of a map are kept in its history and do what they say")
  func corrections() {
    let map = ScatteringMap(
      norms: [0, 1, 2, 2], energies: [0, 10, 20], values: [Double](repeating: 2, count: 12),
      unit: "1/meV")
    let two = map.mirrored()
    #expect(two.energies == [-20, -10, 0, 10, 20])
    let balanced = two.corrected(by: .harmonic, temperature: 100)
    let x = 10 / 8.617333262
    #expect(abs(balanced.values[1] / balanced.values[3] / exp(-x) - 1) < 1e-12)
    let divided = map.dividedByQSquare().dividedByDebyeWaller(meanSquare: 0.3)
      .timesFrequencySquare()
    #expect(divided.values[0].isNaN)
    #expect(abs(divided.values[7] - 2 / 4 * exp(4 * 0.1) * 100) < 1e-10)
    #expect(
      divided.history == [
        "divided by q²", "divided by the Debye-Waller factor, U = 0.3 Å²", "times ω² (E² in meV²)",
      ])
    // Two zones of two points each; the row of q = 0 is NaN and left out.
    let zones = divided.averagedOverZones(2)
    #expect(zones.norms == [0, 1])
    #expect(abs(zones.values[1] - divided.values[7]) < 1e-12)
    #expect(abs(zones.values[4] - 0.5 * (divided.values[4] + divided.values[10])) < 1e-12)
  }

  @Test("partials are divided by the Debye-Waller factors of their species")
  func debyeWaller() {
    let functions = PartialFunctions(
      norms: [2], columns: 1, coherent: [.init(0, 1): [1], .init(1, 1): [1]], incoherent: [0: [1]]
    ).dividedByDebyeWaller([0.3, 0.6])
    #expect(abs((functions.coherent[.init(1, 0)]?[0] ?? 0) - exp(4 * 0.15)) < 1e-14)
    #expect(abs((functions.coherent[.init(1, 1)]?[0] ?? 0) - exp(4 * 0.2)) < 1e-14)
    #expect(abs((functions.incoherent[0]?[0] ?? 0) - exp(4 * 0.1)) < 1e-14)
  }
}
