import Dynamics
import Foundation
import Matter
import Potentials
import TestSupport
import Testing

/// Mean and standard error from the means of blocks.
struct BlockAverage {
  private var blocks: [Double] = []
  private var sum = 0.0
  private var count = 0
  let length: Int
  init(length: Int) { self.length = length }
  mutating func add(_ x: Double) {
    sum += x
    count += 1
    if count == length {
      blocks.append(sum / Double(length))
      sum = 0
      count = 0
    }
  }
  var mean: Double { blocks.reduce(0, +) / Double(blocks.count) }
  var error: Double {
    let m = mean
    let s = blocks.reduce(0) { $0 + ($1 - m) * ($1 - m) }
    return (s / Double(blocks.count * (blocks.count - 1))).squareRoot()
  }
  func sigmas(from expected: Double) -> Double { (mean - expected) / error }
}

@Suite("Ensembles")
struct EnsembleTests {
  static let gasKT = 300 * Units.boltzmann
  static let gasPressure = 500 * gasKT / 8000

  static let gas: [Case] = {
    let thermostats: [(String, RunPlan.Thermostat)] = [
      ("bussi", .bussi(relaxationFs: 100)), ("langevin", .langevin(relaxationFs: 100)),
    ]
    let barostats: [(String, RunPlan.Barostat)] = [
      ("mtk", .mtk(coupling: .isotropic, relaxationFs: 400)),
      (
        "rescaling",
        .stochasticCellRescaling(
          coupling: .isotropic, relaxationFs: 1200, compressibility: 1 / gasPressure)
      ),
    ]
    return thermostats.flatMap { t in
      barostats.map { b in
        Case(
          "\(t.0) with \(b.0)",
          .npt(
            temperature: Case.at(300), thermostat: t.1, pressure: .scalar(Case.at(gasPressure)),
            barostat: b.1))
      }
    }
  }()

  @Test("An ideal gas has ⟨V⟩ = N kT/P and its spread V/√N", arguments: gas)
  func idealGas(_ c: Case) throws {
    let s = NamedSystems.fcc("Ar", edge: 4, cells: [5, 5, 5])
    var bench = try Bench(s, IdealGas(), c.ensemble, timestepFs: 4, temperature: 300)
    for _ in 0..<1000 { try bench.advance() }
    // The volume forgets itself in about 500 steps; shorter blocks would understate the error.
    var volume = BlockAverage(length: 4000)
    var spread = BlockAverage(length: 4000)
    for _ in 0..<32000 {
      try bench.advance()
      let v = bench.state.configuration.cell.volume
      volume.add(v)
      spread.add((v - 8000) * (v - 8000))
    }
    #expect(abs(volume.sigmas(from: 8000)) < 4, "\(volume.mean) ± \(volume.error)")
    #expect(volume.error < 100)
    let expected = 8000.0 * 8000 / 500
    #expect(abs(spread.sigmas(from: expected)) < 4, "\(spread.mean / expected)")
  }

  @Test(
    "Thermostats give ⟨K⟩ = N_f kT/2 with N_f = 3N − 3",
    arguments: [
      Case(
        "nose-hoover",
        .nvt(temperature: Case.at(36), thermostat: .noseHoover(relaxationFs: 200, chain: 3))),
      Case("bussi", .nvt(temperature: Case.at(36), thermostat: .bussi(relaxationFs: 200))),
      Case("langevin", .nvt(temperature: Case.at(36), thermostat: .langevin(relaxationFs: 200))),
    ])
  func kinetic(_ c: Case) throws {
    var bench = try IntegratorTests.argon(c, timestepFs: 4)
    for _ in 0..<2000 { try bench.advance() }
    var average = BlockAverage(length: 1000)
    for _ in 0..<15000 {
      try bench.advance()
      average.add(bench.state.temperature)
    }
    // Full-step velocities are low by about (ωΔt)²/4 < 0.1 %, counting 3N would give 3 %.
    #expect(abs(average.sigmas(from: Case.kelvin)) < 4, "\(average.mean) ± \(average.error)")
    #expect(average.error < 0.01 * Case.kelvin)
  }

  @Test(
    "The cell of mtk has n_c/2 kT of kinetic energy: 1, 3 and 6",
    arguments: Case.thermostats.flatMap { t in
      Case.barostats(tau: 1500).filter { $0.0.contains("mtk") }.map { b in
        Case("\(t.0) with \(b.0)", Case.npt(t.1, b.1))
      }
    })
  func cellTemperature(_ c: Case) throws {
    let count =
      c.description.contains("isotropic") ? 1.0 : c.description.contains("orthorhombic") ? 3 : 6
    var bench = try IntegratorTests.argon(c, timestepFs: 8)
    for _ in 0..<3000 { try bench.advance() }
    var average = BlockAverage(length: 1000)
    for _ in 0..<25000 {
      try bench.advance()
      let integrator = try #require(bench.integrator as? MTKIntegrator)
      average.add(integrator.barostat.twoK / (Units.boltzmann * Case.kelvin))
    }
    #expect(abs(average.sigmas(from: count)) < 4, "\(average.mean) ± \(average.error)")
    #expect(average.error < (count == 1 ? 0.3 : 0.15) * count)
  }

  @Test("Initial velocities are Maxwell–Boltzmann with the center of mass at rest")
  func velocities() {
    let state = NamedSystems.argon32.state()
    var average = BlockAverage(length: 20)
    for seed in 0..<2000 {
      state.setVelocities(temperature: 100, seed: UInt64(seed))
      average.add(state.temperature)
    }
    #expect(abs(average.sigmas(from: 100)) < 4)
    // The spread of the mean of 20 is 100 √(2/93/20).
    let expected = 100 * (2.0 / 93 / 2000).squareRoot()
    #expect(abs(average.error / expected - 1) < 0.3)
  }
}
