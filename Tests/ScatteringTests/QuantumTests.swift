import Foundation
import Matter
import Scattering
import TestSupport
import Testing

@Suite("quantum corrections") struct QuantumTests {
  @Test("x/(1 − e^{−x}) has its tabulated values, and every factor detailed balance")
  func values() {
    let known: [(energy: Double, temperature: Double, value: Double)] = [
      (10, 127, 1.52550), (50, 127, 4.61659), (125, 127, 11.4219), (10, 300, 1.20585),
      (50, 300, 2.26092), (1, 15, 1.43620), (10, 15, 7.73973),
    ]
    for k in known {
      let value = QuantumFactor.harmonic.value(energy: k.energy, temperature: k.temperature)
      #expect(abs(value / k.value - 1) < 3e-6)
    }
    for factor in QuantumFactor.allCases {
      for energy in [0.0, 1e-9, 3, 40, 200] {
        let x = energy / (0.08617333262 * 77)
        let ratio =
          factor.value(energy: -energy, temperature: 77)
          / factor.value(energy: energy, temperature: 77)
        #expect(abs(ratio / exp(-x) - 1) < 1e-12)
      }
      #expect(factor.value(energy: 0, temperature: 77) == 1)
    }
  }

  @Test(
    "the factors of the reference",
    .enabled(if: Reference.isAvailable, "needs the reference folder"),
    arguments: [
      (QuantumFactor.harmonic, "harmonic"), (.standard, "standard"), (.schofield, "schofield"),
      (.harmonicSchofield, "harmonic_schofield"),
    ])
  func reference(factor: QuantumFactor, key: String) throws {
    let object = try Fixture.object("A_pipeline.json")
    let energies = try #require(object["fine_E_meV"] as? [NSNumber]).map(\.doubleValue)
    let all = try #require(object["quantum_factors"] as? [String: [NSNumber]])
    let reference = try #require(all[key]).map(\.doubleValue)
    for (energy, value) in zip(energies, reference) {
      #expect(abs(factor.value(energy: energy, temperature: 300) / value - 1) < 1e-8)
    }
  }

  @Test(
    "Egelstaff's correction of the classical ideal gas is the quantum ideal gas, recoil and all")
  func egelstaff() {
    // F = exp(−q²kTt²/2m); the quantum S(E) is a Gaussian about E_r = ħ²q²/2m of variance 2E_r kT.
    let (q, mass, temperature, timestep, lags) = (4.0, 20.0, 300.0, 2.0, 400)
    let kT = 0.08617333262 * temperature
    let hbar = 658.2119569509
    let recoil = 4.180159285 * q * q / (2 * mass)
    let function = (0...lags).map { l -> Double in
      let t = Double(l) * timestep
      return exp(-recoil * kT * t * t / (hbar * hbar))
    }
    let spectrum = EgelstaffCorrection.spectrum(
      of: function, timestep: timestep, temperature: temperature)
    let step = 2 * Double.pi / (Double(2 * lags + 1) * timestep) * hbar
    #expect(spectrum.count == 2 * lags + 1)
    let peak = 2 * Double.pi * hbar / (4 * Double.pi * recoil * kT).squareRoot()
    for k in -12...12 {
      let energy = Double(k) * step
      let exact = peak * exp(-(energy - recoil) * (energy - recoil) / (4 * recoil * kT))
      #expect(abs(spectrum[lags + k] - exact) < 2e-5 * peak)
    }
  }

  /// Modified Bessel function I_n(z).
  private static func bessel(_ n: Int, _ z: Double) -> Double {
    var term = (1...max(1, n)).reduce(1.0) { n == 0 ? $0 : $0 * z / 2 / Double($1) }
    var sum = 0.0
    for k in 0..<60 {
      sum += term
      term *= z * z / 4 / Double((k + 1) * (k + 1 + n))
    }
    return sum
  }

  /// An oscillator as a run of molecular dynamics shows it: F(q, lag) of one energy.
  private struct Oscillator {
    let energy = 100.0
    let mass = 1.008
    let temperature: Double
    let timestep = 1.5
    let lags = 1500
    var kT: Double { 0.08617333262 * temperature }
    /// Classical mean square along one direction, in Å².
    var square: Double { 4.180159285 * kT / (mass * energy * energy) }

    func function(_ q: Double) -> [Double] {
      (0...lags).map {
        exp(-q * q * square * (1 - cos(energy / 658.2119569509 * Double($0) * timestep)))
      }
    }
    /// The exact intensity of n quanta.
    func exact(_ n: Int, q: Double) -> Double {
      let u = 4.180159285 / (2 * mass * energy)
      let x = energy / kT
      return exp(-q * q * u / tanh(x / 2) + Double(n) * x / 2)
        * QuantumTests.bessel(abs(n), q * q * u / sinh(x / 2))
    }
  }

  @Test(
    "order-resolved: an oscillator's fundamental and overtones get their quantum weight",
    arguments: [300.0, 127])
  func oscillator(temperature: Double) throws {
    let system = Oscillator(temperature: temperature)
    let small = [0.4, 0.6, 0.9, 1.3]
    let spectrum = try SelfSpectrum(
      functions: small.flatMap { system.function($0) }, norms: small, timestep: system.timestep)
    #expect(abs(spectrum.meanSquare / system.square - 1) < 3e-3)
    let correction = OrderResolvedCorrection(spectrum, temperature: temperature, largestQ: 8)
    var errors = (ours: 0.0, first: 0.0)
    for q in [3.0, 5, 8] {
      // What a run gives: the transform of F with a Hann window.
      let windowed = system.function(q).enumerated().map {
        $0.element * 0.5 * (1 + cos(.pi * Double($0.offset) / Double(system.lags)))
      }
      let measured = CosineTransform(lags: system.lags).spectrum(
        of: windowed, timestep: system.timestep)
      let perEnergy = 1 / (2 * Double.pi * 658.2119569509)
      let factors = correction.factors(norms: [q])
      for n in 1...3 {
        let band = measured.indices.filter {
          abs(Double($0) * spectrum.step - Double(n) * system.energy) < 20
        }
        func area(_ factor: (Int) -> Double) -> Double {
          band.reduce(0) { $0 + measured[$1] * perEnergy * factor($1) * spectrum.step }
        }
        let exact = system.exact(n, q: q)
        let ours = area { factors[$0] } / exact - 1
        let first =
          area {
            QuantumFactor.harmonic.value(
              energy: Double($0) * spectrum.step, temperature: temperature)
          } / exact - 1
        #expect(abs(ours) < 0.02)
        if n > 1 {
          errors.ours += abs(ours)
          errors.first += abs(first)
        }
      }
      // Both sides of the elastic line obey detailed balance.
      let both = correction.factors(q: q)
      let middle = both.count / 2
      for k in 1...(both.count / 2) {
        let x = Double(k) * spectrum.step / system.kT
        #expect(abs(both[middle - k] / both[middle + k] / exp(-x) - 1) < 1e-6)
      }
    }
    // By accident the first-order factor is right at one q, where the change of the Debye-Waller
    // factor makes up for it.
    #expect(errors.ours < 0.03 * errors.first)
  }

  @Test(
    "the self spectrum of a trajectory has the mean square displacement of its positions",
    .enabled(if: Reference.isAvailable, "needs the reference folder"), arguments: ["H", "Si"])
  func trajectory(element: String) throws {
    let file = "A_dynasor_dynamic.nc"
    let norms = try Fixture.vectors("q_points", of: file).map { ($0 * $0).sum().squareRoot() }
    let spectrum = try SelfSpectrum(
      functions: try Fixture.variable("Fqt_incoh_" + element, of: file), norms: norms, timestep: 4)
    let names = try #require(try Fixture.object("A_modes.json")["names"] as? [String])
    let positions = try Fixture.vectors("coordinates", of: "A.nc")
    let (atoms, frames) = (names.count, positions.count / names.count)
    var (square, count) = (0.0, 0.0)
    for atom in 0..<atoms where names[atom] == element {
      let track = (0..<frames).map { positions[$0 * atoms + atom] }
      let mean = track.reduce(SIMD3<Double>.zero, +) / Double(frames)
      square += track.reduce(0) { $0 + (($1 - mean) * ($1 - mean)).sum() } / Double(3 * frames)
      count += 1
    }
    // 100 lags of 4 fs leave a few per cent to the lowest modes.
    #expect(abs(spectrum.meanSquare / (square / count) - 1) < 0.04)
  }

  @Test("species take their own factors, pairs the mean of two, and the history says so")
  func partials() throws {
    var density = [Double](repeating: 0, count: 101)
    density[20] = 1
    let corrections = [1.0, 28].map {
      OrderResolvedCorrection(
        SelfSpectrum(density: density, step: 2, mass: $0, temperature: 200), temperature: 200,
        largestQ: 3)
    }
    let ones = [Double](repeating: 1, count: 2 * 101)
    let result = PartialFunctions(
      norms: [1, 3], columns: 101, coherent: [.init(0, 1): ones], incoherent: [0: ones, 1: ones]
    ).corrected(by: corrections)
    let (a, b) = (corrections[0].factors(norms: [1, 3]), corrections[1].factors(norms: [1, 3]))
    #expect(result.incoherent == [0: a, 1: b])
    #expect(
      deviation(
        try #require(result.coherent[.init(0, 1)]), from: zip(a, b).map { ($0 * $1).squareRoot() })
        < 1e-15)
    // The heavy species at small q has its fundamental corrected as one quantum.
    let harmonic = QuantumFactor.harmonic.value(energy: 40, temperature: 200)
    #expect(abs(b[20] / harmonic - 1) < 2e-3)
    #expect(result.history.first?.hasPrefix("order-resolved quantum correction, T = 200 K") == true)
  }

  @Test("orders of the expansion: exact areas, their sum the whole, first moment the recoil")
  func expansion() {
    // One line of an Einstein crystal: exact areas of n quanta are Bessel functions.
    let system = Oscillator(temperature: 300)
    let step = 2.0
    var density = [Double](repeating: 0, count: 401)
    density[50] = 1
    let spectrum = SelfSpectrum(
      density: density, step: step, mass: system.mass, temperature: 300)
    #expect(abs(spectrum.meanSquare / system.square - 1) < 1e-9)
    let quantum = MultiphononExpansion(
      spectrum, statistics: .quantum, temperature: 300, largestQ: 6)
    for q in [1.0, 3, 6] {
      let whole = quantum.inelastic(q: q)
      for n in [-2, -1, 1, 2, 3, 4] {
        let area = whole[400 + 50 * n] * step
        #expect(abs(area / system.exact(n, q: q) - 1) < 1e-5)
      }
      // Σ of everything is 1 and ∫ E S dE = ħ²q²/2m.
      let zeroth = whole.reduce(0, +) * step + quantum.elastic(q: q)
      let first = whole.indices.reduce(0.0) {
        $0 + whole[$1] * step * Double($1 - 400) * step
      }
      #expect(abs(zeroth - 1) < 1e-5)
      #expect(abs(first / (4.180159285 * q * q / (2 * system.mass)) - 1) < 1e-4)
      let parts = (1...quantum.orders.count).reduce([Double](repeating: 0, count: 801)) {
        zip($0, quantum.intensity(order: $1, q: q)).map { $0 + $1 }
      }
      #expect(deviation(parts, from: whole) < 1e-12)
    }
  }

  @Test("too few lags, no usable q: the order-resolved correction says why not")
  func refused() {
    #expect(throws: InputError.self) {
      try SelfSpectrum(functions: [1, 1, 1], norms: [1], timestep: 1)
    }
    #expect(throws: InputError.self) {
      try SelfSpectrum(
        functions: (0..<20).map { exp(-Double($0)) }, norms: [1], timestep: 1)
    }
  }
}
