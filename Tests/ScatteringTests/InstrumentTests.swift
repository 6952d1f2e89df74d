import Foundation
import Matter
import Scattering
import TestSupport
import Testing

@Suite("instruments") struct InstrumentTests {
  @Test(
    "q limits of ten instruments equal the cosine rule's table",
    .enabled(if: Reference.isAvailable, "needs the reference folder"))
  func limits() throws {
    var count = 0
    for row in try Fixture.table("q_limits.csv") {
      var settings = Instrument.Settings(incidentEnergy: Double(row[2]))
      settings.resolution = .constant(1)
      let name = row[0]
      let instrument = try Instrument.named(name, settings)
      let energy = try #require(Double(row[6]))
      let low = try #require(Double(row[4]))
      let high = try #require(Double(row[5]))
      let bank =
        instrument.banks.first {
          abs($0.angles.lowerBound - low) < 1e-5 && abs($0.angles.upperBound - high) < 1e-5
        }
        ?? Instrument.Bank(name: "range", angles: low...high)
      // Lagrange's range is that of all its detectors, the banks are its mid-points.
      #expect(instrument.banks.contains(bank) || name == "Lagrange")
      let seen = try #require(instrument.limits(bank, energy: energy))
      #expect(abs(seen.lowerBound / (try #require(Double(row[7]))) - 1) < 2e-7)
      #expect(abs(seen.upperBound / (try #require(Double(row[8]))) - 1) < 2e-7)
      count += 1
    }
    #expect(count == 348)
  }

  @Test("no q where the neutron would have less than no energy, forward scattering included")
  func closed() throws {
    let own = try Instrument(
      name: "own", geometry: .direct(incidentEnergy: 50),
      banks: [.init(name: "all", angles: -10...180)], resolution: nil)
    #expect(own.limits(own.banks[0], energy: 50.1) == nil)
    let elastic = try #require(own.limits(own.banks[0], energy: 0))
    // 0 and 180 degrees lie inside: from no momentum to twice the wave vector.
    #expect(elastic.lowerBound == 0)
    #expect(abs(elastic.upperBound - 2 * (50 / 2.0721248519893347).squareRoot()) < 1e-12)
    #expect(own.mask(edges: [0, 1, 2], energy: 60) == [false, false])
    #expect(throws: InputError.self) {
      try Instrument(
        name: "x", geometry: .indirect(finalEnergy: 0), banks: own.banks, resolution: nil)
    }
    #expect(throws: InputError.self) {
      try Instrument(name: "x", geometry: .direct(incidentEnergy: 5), banks: [], resolution: nil)
    }
  }

  @Test(
    "σ of TOSCA, Lagrange, MAPS and ARCS with either moderator equal resins', closed choppers too",
    .enabled(if: Reference.isAvailable, "needs the reference folder"))
  func resolution() throws {
    var worst: [String: Double] = [:]
    var (open, closed) = (0, 0)
    var made: [String: Resolution?] = [:]
    for row in try Fixture.table("resolution_resins.csv") {
      let key = row[0...4].joined(separator: ",")
      let energy = Double(row[3])
      let frequency = Double(row[4])
      if made[key] == nil {
        made[key] = .some(
          try? {
            if row[1] == "PyChop_fit_v1", row[0] == "ARCS" {
              return try FermiChopper.arcsBefore2025.resolution(
                incidentEnergy: energy ?? 0, package: row[2], frequency: frequency)
            }
            let settings = Instrument.Settings(
              incidentEnergy: energy, chopper: energy == nil ? nil : row[2], frequency: frequency,
              monochromator: row[0] == "Lagrange" ? row[2] : nil)
            // Two of the table's frequencies of MAPS and ARCS are allowed ones only here.
            return try Instrument.named(row[0], settings).resolution
          }())
      }
      let resolution = made[key] ?? nil
      guard let sigma = Double(row[6]) else {
        #expect(row[6] == "NoTransmissionError" && resolution == nil)
        closed += 1
        continue
      }
      let transfer = try #require(Double(row[5]))
      let width = try #require(resolution)
      let value = try #require(width.sigma(transfer))
      worst[row[0]] = max(worst[row[0]] ?? 0, abs(value / sigma - 1))
      open += 1
    }
    #expect(open == 2063 && closed == 69)
    #expect(worst.values.allSatisfy { $0 < 6e-9 } && worst.count == 4)
  }

  @Test("a chopper's widths go on steadily into the neutron's gain of energy")
  func gain() throws {
    let arcs = try Instrument.named("ARCS", .init(incidentEnergy: 100))
    let sigma = try #require(arcs.resolution)
    let (loss, none, gain) = (sigma.sigma(5), sigma.sigma(0), sigma.sigma(-5))
    let left = try #require(gain) - #require(none)
    let right = try #require(none) - #require(loss)
    #expect(left > 0 && right > 0 && abs(left / right - 1) < 0.2)
    #expect(sigma.sigma(100) == nil && sigma.sigma(-200) == nil)
    #expect(abs(try #require(sigma.sigma(-1e-9)) / #require(none) - 1) < 1e-3)
  }

  @Test("the absorption depth in a thin and in a black tube")
  func tube() {
    #expect(abs(TubeDetector.variance(meanFreePaths: 0) - 0.25) < 1e-13)
    #expect(
      abs(TubeDetector.variance(meanFreePaths: 1e3) - (2.0 / 3 - Double.pi * Double.pi / 16)) < 1e-5
    )
  }

  @Test("settings that an instrument lacks or does not have are refused")
  func settings() {
    let wrong: [(String, Instrument.Settings, String)] = [
      ("TOSKA", .init(), "TOSKA is no known instrument"),
      ("MAPS", .init(), "MAPS needs an incident energy"),
      ("ARCS", .init(incidentEnergy: 10), "out of its range"),
      ("TOSCA", .init(incidentEnergy: 10), "TOSCA has no `incident_energy`"),
      ("MAPS", .init(incidentEnergy: 100, chopper: "Z"), "no chopper package Z"),
      ("MAPS", .init(incidentEnergy: 100, frequency: 333), "does not turn at 333 Hz"),
      ("MAPS", .init(incidentEnergy: 50, frequency: 600), "no neutron of 50 meV"),
      ("Lagrange", .init(monochromator: "Ge"), "no monochromator Ge"),
    ]
    for (name, settings, text) in wrong {
      let error = #expect(throws: InputError.self) { try Instrument.named(name, settings) }
      #expect(error?.description.contains(text) == true, "\(error?.description ?? "")")
    }
  }

  @Test("broadening keeps the area, gives the width of the true energy and knows narrow lines")
  func broadening() {
    let energies = (0..<600).map { Double($0) * 0.5 }
    var values = [Double](repeating: 0, count: 600)
    values[200] = 3
    values[400] = 1
    let line = Spectrum(energies: energies, values: values, unit: "1")
    let wide = line.broadened(by: .polynomial([0, 0.02]))
    #expect(abs(wide.values.reduce(0, +) - 4) < 1e-10)
    // σ = 2 meV at 100 meV.
    let (sum, square) = energies.indices[100..<300].reduce((0.0, 0.0)) {
      let d = energies[$1] - 100
      return ($0.0 + wide.values[$1], $0.1 + wide.values[$1] * d * d)
    }
    // A binned Gaussian has the variance of the bin in addition.
    #expect(abs(square / sum - (4 + 0.25 / 12)) < 2e-3)
    let narrow = line.broadened(by: .constant(0.01))
    #expect(abs(narrow.values[200] - 3) < 1e-12)
    let sampled = line.broadened(by: .polynomial([0, 0.02]), sampling: .sampled)
    #expect(abs(sampled.values[200] - 3 * 0.5 / (2 * (2 * Double.pi).squareRoot())) < 1e-12)
  }
}
