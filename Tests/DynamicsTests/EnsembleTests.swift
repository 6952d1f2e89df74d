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

  @Test("BAOAB samples the positions of a harmonic crystal exactly at any time step")
  func harmonicLangevin() throws {
    // A Gaussian state between the two half drifts is stationary under the friction there; one half
    // drift and half kick later ⟨q²⟩ = kT/k without error and ⟨v²⟩ = (kT/m)(1 − ω²Δt²/4).
    let site = NamedSystems.argon32
    let stiffness = 3.0
    let c = Case(
      "langevin", .nvt(temperature: Case.at(100), thermostat: .langevin(relaxationFs: 100)))
    // ωΔt = 0.81.
    let dt = 30.0
    var bench = try Bench(
      site, EinsteinCrystal(stiffness: stiffness, sites: site.configuration()), c.ensemble,
      timestepFs: dt, temperature: 100)
    for _ in 0..<500 { try bench.advance() }
    let kT = 100 * Units.boltzmann
    let modes = Double(3 * site.count - 3)
    let step = (stiffness / 39.948).squareRoot() * dt / Units.timeUnit
    var potential = BlockAverage(length: 500)
    var spread = BlockAverage(length: 500)
    var kinetic = BlockAverage(length: 500)
    for _ in 0..<100_000 {
      try bench.advance()
      let u = bench.forces.energy
      potential.add(u)
      spread.add((u - modes / 2 * kT) * (u - modes / 2 * kT))
      kinetic.add(bench.state.kineticEnergy)
    }
    #expect(potential.error < 0.002 * modes / 2 * kT)
    #expect(
      abs(potential.sigmas(from: modes / 2 * kT)) < 4, "\(potential.mean / (modes / 2 * kT))")
    #expect(spread.error < 0.03 * modes / 2 * kT * kT)
    #expect(abs(spread.sigmas(from: modes / 2 * kT * kT)) < 4, "\(spread.mean)")
    let expected = modes / 2 * kT * (1 - step * step / 4)
    #expect(kinetic.error < 0.02 * step * step / 4 * expected)
    #expect(abs(kinetic.sigmas(from: expected)) < 4, "\(kinetic.mean / expected)")
  }

  @Test("Stochastic velocity rescaling gives a harmonic crystal the heat capacity 3N − 3")
  func harmonicBussi() throws {
    // One factor for all velocities leaves the shares of the modes as they are, but not their sum:
    // its distribution is that of 3N − 3 modes, ⟨E⟩ = (3N − 3) kT and ⟨δE²⟩ = (3N − 3)(kT)². Equal
    // masses would swing in phase; these are all different.
    var site = NamedSystems.argon32
    site.masses = (0..<site.count).map { 20 + 1.37 * Double($0) }
    let c = Case("bussi", .nvt(temperature: Case.at(100), thermostat: .bussi(relaxationFs: 300)))
    var bench = try Bench(
      site, EinsteinCrystal(stiffness: 3, sites: site.configuration()), c.ensemble,
      timestepFs: 5, temperature: 100)
    for _ in 0..<5000 { try bench.advance() }
    let kT = 100 * Units.boltzmann
    let modes = Double(3 * site.count - 3)
    var energy = BlockAverage(length: 4000)
    var spread = BlockAverage(length: 4000)
    for _ in 0..<400_000 {
      try bench.advance()
      let e = bench.forces.energy + bench.state.kineticEnergy
      energy.add(e)
      spread.add((e - modes * kT) * (e - modes * kT))
    }
    #expect(energy.error < 0.01 * modes * kT)
    #expect(abs(energy.sigmas(from: modes * kT)) < 4, "\(energy.mean / (modes * kT))")
    #expect(spread.error < 0.15 * modes * kT * kT)
    #expect(abs(spread.sigmas(from: modes * kT * kT)) < 4, "\(spread.mean / (modes * kT * kT))")
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
