import Analysis
import Glibc
import Matter
import Testing
import Trajectory

@Suite struct ObservableTests {
  /// U and K of harmonic oscillators at a temperature: half k_BT times the square of a unit Gaussian
  /// for each degree of freedom, correlated in time.
  static func crystal(atoms: Int, rows: Int, temperature: Double, seed: UInt64) -> ThermoSeries {
    var noise = Noise(seed: seed)
    let kT = Units.boltzmann * temperature
    var series = ThermoSeries(
      source: "synthetic", kind: "synthetic", times: (0..<rows).map { Double($0) * 0.01 })
    func energy() -> [Double] {
      var sum = [Double](repeating: -3.0 * Double(atoms), count: rows)
      for _ in 0..<3 * atoms - 3 {
        let x = noise.correlated(rows, time: 4)
        for t in 0..<rows { sum[t] += kT / 2 * x[t] * x[t] }
      }
      return sum
    }
    series.potential = energy()
    series.kinetic = energy()
    series.volume = [Double](repeating: 1000, count: rows)
    return series
  }

  @Test(
    "C_V of a classical harmonic crystal is (3N − 3) k_B within two standard errors, by both routes"
  )
  func harmonicCrystal() throws {
    let atoms = 12
    let series = Self.crystal(atoms: atoms, rows: 12_000, temperature: 300, seed: 11)
    let found = try HeatCapacity(
      series, context: ThermoContext(ensemble: .nvt, temperature: 300, atomCount: atoms))
    let expected = Double(3 * atoms - 3) / Double(atoms)
    #expect(found.kind == .cv)
    #expect(abs(found.perAtom.value - expected) < 2 * found.perAtom.standardError)
    #expect(found.perAtom.standardError < 0.05 * expected)
    let check = try #require(found.check)
    #expect(abs(check.value - expected) < 2 * check.standardError)
    #expect(check.standardError > found.perAtom.standardError)
    #expect(found.caveats.isEmpty)
  }

  @Test("the error of C_V is the spread over independent crystals")
  func heatCapacityError() throws {
    let parts = try (0..<24).map { k in
      try HeatCapacity(
        Self.crystal(atoms: 4, rows: 3000, temperature: 100, seed: UInt64(100 + k)),
        context: ThermoContext(ensemble: .nvt, temperature: 100, atomCount: 4)
      ).perAtom
    }
    let mean = parts.map(\.value).reduce(0, +) / 24
    let spread = (parts.reduce(0) { $0 + pow($1.value - mean, 2) } / 23).squareRoot()
    let stated = (parts.reduce(0) { $0 + $1.standardError * $1.standardError } / 24).squareRoot()
    #expect(abs(mean - 9.0 / 4) < 3 * spread / 24.0.squareRoot())
    // The spread of 24 is known to 15 %.
    #expect(stated / spread > 0.65 && stated / spread < 1.5, "\(stated) \(spread)")
  }

  @Test("C_P comes from U + PV with the pressure of the barostat")
  func constantPressure() throws {
    var noise = Noise(seed: 2)
    let rows = 20_000
    let (temperature, pressure, atoms) = (300.0, 2.0, 10)
    let kT = Units.boltzmann * temperature
    // U and V of which U + PV has a variance of 12 (k_BT)².
    let x = noise.correlated(rows, time: 3)
    let y = noise.correlated(rows, time: 5)
    var series = ThermoSeries(
      source: "synthetic", kind: "synthetic", times: (0..<rows).map { Double($0) })
    series.volume = y.map { 500 + $0 * 5 }
    series.potential = (0..<rows).map {
      x[$0] * 12.0.squareRoot() * kT - pressure / Units.gigapascal * y[$0] * 5
    }
    let found = try HeatCapacity(
      series,
      context: ThermoContext(
        ensemble: .npt, temperature: temperature, pressure: pressure, atomCount: atoms))
    #expect(found.kind == .cp)
    let expected = (12 + 27.0 / 2) / 10
    #expect(abs(found.perAtom.value - expected) < 2.5 * found.perAtom.standardError)
    #expect(found.perAtom.standardError < 0.1)
  }

  @Test("C_V of a harmonic crystal at constant energy comes from the kinetic energy")
  func constantEnergy() throws {
    // K = E B with B of a beta distribution, as in a microcanonical harmonic crystal.
    var noise = Noise(seed: 31)
    let (atoms, temperature, rows) = (20, 300.0, 8000)
    let freedom = 3 * atoms - 3
    let total = Double(freedom) * Units.boltzmann * temperature
    var series = ThermoSeries(
      source: "synthetic", kind: "synthetic", times: (0..<rows).map { Double($0) })
    var kinetic: [Double] = []
    for _ in 0..<rows {
      var (a, b) = (0.0, 0.0)
      for _ in 0..<freedom {
        let (p, q) = (noise.gaussian(), noise.gaussian())
        a += p * p
        b += q * q
      }
      kinetic.append(total * a / (a + b))
    }
    series.kinetic = kinetic
    series.potential = kinetic.map { total - $0 }
    let found = try HeatCapacity(
      series, context: ThermoContext(ensemble: .nve, temperature: temperature, atomCount: atoms))
    // Var(K) of the beta distribution is E²/(4(n_f + 1)): the formula holds to order 1/n_f.
    #expect(abs(found.perAtom.value - Double(freedom) / Double(atoms)) < 0.3)
    #expect(found.perAtom.standardError < 0.2)
  }

  @Test("what a heat capacity needs and does not have is named")
  func obstacles() {
    var series = ThermoSeries(source: "", kind: "", times: [0, 1, 2])
    func obstacle(_ context: ThermoContext) -> String {
      do {
        _ = try HeatCapacity(series, context: context)
        return ""
      } catch { return error.description }
    }
    let context = ThermoContext(ensemble: .nvt, temperature: 300, atomCount: 8)
    #expect(obstacle(context) == "no potential energies")
    series.potential = [1, 2, .nan]
    #expect(obstacle(context) == "energies that are not finite")
    series.potential = [1, 2, 3]
    #expect(obstacle(ThermoContext()).hasPrefix("the number of atoms is not known"))
    #expect(obstacle(ThermoContext(ensemble: .nvt, atomCount: 8)) == "the temperature is not known")
    let short = try? HeatCapacity(series, context: context)
    #expect(short?.perAtom.hasError == false)
    #expect(short?.caveats.contains { $0.hasPrefix("not enough data for an error") } == true)
  }

  @Test("an oscillator's quantum heat capacity falls from k_B to nothing")
  func einstein() {
    #expect(HarmonicQuantum.einstein(0) == 1)
    // x² eˣ/(eˣ − 1)² at x = 2.
    let e2 = exp(2.0)
    #expect(abs(HarmonicQuantum.einstein(2) - 4 * e2 / ((e2 - 1) * (e2 - 1))) < 1e-14)
    #expect(HarmonicQuantum.einstein(800) < 1e-300)
    // Debye's density ω² up to 10 k_BT/ħ: the integral to x_D = 10 gives 0.0758 (Debye's table).
    let temperature = 300.0
    let unit = Units.boltzmann * temperature / 6.582119569e-4
    let omega = (0...20_000).map { Double($0) * 10 * unit / 20_000 }
    let fraction = HarmonicQuantum.fraction(
      omega: omega, density: omega.map { $0 * $0 }, temperature: temperature)
    #expect(abs((fraction ?? 0) - 0.0758) < 2e-4)
    #expect(HarmonicQuantum.fraction(omega: [0, 1], density: [0, 0], temperature: 300) == nil)
  }

  @Test("Green–Kubo integrals of Ornstein–Uhlenbeck stresses are their variance times their time")
  func greenKubo() throws {
    var noise = Noise(seed: 77)
    let (rows, dt, tau) = (60_000, 0.01, 0.12)
    var series = ThermoSeries(
      source: "synthetic", kind: "synthetic", times: (0..<rows).map { Double($0) * dt })
    let (volume, temperature) = (2000.0, 300.0)
    // An isotropic tensor: shears of standard deviation s, a pressure of standard deviation p, and
    // diagonal parts without trace whose differences have the variance 4 s².
    let (s, p) = (0.3, 0.5)
    let shear = (0..<3).map { _ in noise.correlated(rows, time: tau / dt) }
    let pressure = noise.correlated(rows, time: tau / dt)
    let raw = (0..<3).map { _ in noise.correlated(rows, time: tau / dt) }
    var stress: [[Double]] = (0..<3).map { k in
      (0..<rows).map { t in
        let trace = (raw[0][t] + raw[1][t] + raw[2][t]) / 3
        return 2.0.squareRoot() * s * (raw[k][t] - trace) - p * pressure[t]
      }
    }
    stress += shear.map { $0.map { s * $0 } }
    series.stress = stress
    series.volume = [Double](repeating: volume, count: rows)
    let found = try #require(GreenKuboViscosity(series, temperature: temperature, blocks: 10))
    let unit = volume / (Units.boltzmann * temperature) / Units.gigapascal
    // The trapezoidal sum of exp(−t/τ) is τ (1 + (dt/τ)²/12).
    let time = tau * (1 + dt * dt / (12 * tau * tau))
    for (value, expected) in [
      (found.shearValue, unit * s * s * time), (found.bulkValue, unit * p * p * time),
    ] {
      #expect(abs(value.value - expected) < value.interval95)
      #expect(value.standardError < 0.1 * expected)
    }
    #expect(found.caveats.isEmpty)
    #expect(
      GreenKuboViscosity(series.rows(from: 0, to: 1, every: 1), temperature: 300, blocks: 10) == nil
    )
  }

  @Test("elastic constants are those that made the strains")
  func elasticConstants() throws {
    var noise = Noise(seed: 9)
    let (rows, temperature) = (40_000, 300.0)
    // A cubic crystal, C11 160, C12 60, C44 80 GPa, small strains of a skewed cell.
    let (c11, c12, c44) = (160.0, 60.0, 80.0)
    let start = try Cell(a: [20, 0, 0], b: [3, 22, 0], c: [-2, 1, 25])
    let kT = Units.boltzmann * temperature * Units.gigapascal / start.volume
    let determinant = (c11 - c12) * (c11 + 2 * c12)
    let (s11, s12, s44) = ((c11 + c12) / determinant, -c12 / determinant, 1 / c44)
    // Normal strains: a common part and one of each, so that the covariance is s11 and s12 < 0.
    let free = (0..<6).map { _ in noise.correlated(rows, time: 3) }
    let deviator = (s11 - s12).squareRoot()
    let trace = ((s11 + 2 * s12) / 3).squareRoot()
    let common = noise.correlated(rows, time: 6)
    var series = ThermoSeries(
      source: "synthetic", kind: "synthetic", times: (0..<rows).map { Double($0) })
    series.cells = try (0..<rows).map { t in
      let mean = (free[0][t] + free[1][t] + free[2][t]) / 3
      let e = (0..<3).map { k in
        kT.squareRoot() * (deviator * (free[k][t] - mean) + trace * common[t])
      }
      let g = (3..<6).map { kT.squareRoot() * s44.squareRoot() * free[$0][t] / 2 }
      let strain = Tensor6(xx: e[0], yy: e[1], zz: e[2], yz: g[0], xz: g[1], xy: g[2]).matrix
      // Rows of the cell times 1 + ε, which is symmetric.
      return try Cell(rows: start.rows * (Matrix3.identity + strain))
    }
    series.volume = series.cells?.map(\.volume)
    let found = try #require(ElasticConstants(series, temperature: temperature))
    #expect(found.components == Array(0..<6))
    func constant(_ i: Int, _ j: Int) -> Estimate { found.stiffness[6 * i + j] }
    for (i, j, expected) in [
      (0, 0, c11), (1, 1, c11), (0, 1, c12), (1, 2, c12), (3, 3, c44), (5, 5, c44), (0, 4, 0),
    ] {
      let value = constant(i, j)
      #expect(abs(value.value - expected) < 3 * value.standardError, "C\(i + 1)\(j + 1) \(value)")
      #expect(value.standardError < 0.03 * c11)
    }
    let bulk = (c11 + 2 * c12) / 3
    #expect(abs(found.bulkModulus.value - bulk) < 3 * found.bulkModulus.standardError)
    #expect(found.bulkModulus.standardError < 0.05 * bulk)
  }

  @Test("an isotropic barostat gives the bulk modulus only, a fixed cell nothing")
  func isotropic() throws {
    var noise = Noise(seed: 10)
    let x = noise.correlated(5000, time: 4)
    var series = ThermoSeries(
      source: "synthetic", kind: "synthetic", times: x.indices.map { Double($0) })
    series.cells = try x.map { try Cell(orthogonal: SIMD3(repeating: 20 * (1 + 1e-3 * $0))) }
    series.volume = series.cells?.map(\.volume)
    let found = try #require(ElasticConstants(series, temperature: 300))
    #expect(found.stiffness.isEmpty && found.bulkModulus.hasError)
    // Var(V)/V² = (3·10⁻³)².
    let expected = Units.boltzmann * 300 / (8000 * 9e-6) * Units.gigapascal
    #expect(abs(found.bulkModulus.value - expected) < 3 * found.bulkModulus.standardError)
    series.cells = try x.map { _ in try Cell(orthogonal: [20, 20, 20]) }
    series.volume = x.map { _ in 8000 }
    #expect(ElasticConstants(series, temperature: 300) == nil)
  }

  @Test("energies of a harmonic crystal keep to the Gaussian histogram but for their skewness")
  func histogram() throws {
    let series = Self.crystal(atoms: 12, rows: 12_000, temperature: 300, seed: 12)
    let found = try #require(EnergyAnalysis(series, window: 1000))
    let width = found.bins[1] - found.bins[0]
    #expect(abs(found.density.reduce(0, +) * width - 1) < 1e-3)
    #expect(abs(found.gaussian.reduce(0, +) * width - 1) < 1e-3)
    // A sum of n squares has the skewness √(8/n).
    #expect(abs(found.skewness.value - (8 / 33.0).squareRoot()) < 3 * found.skewness.standardError)
    #expect(found.statistics[0].stationarity.verdict == .stationary)
  }

  @Test("stress statistics come component by component, NaN and all")
  func stress() throws {
    var noise = Noise(seed: 14)
    var series = ThermoSeries(source: "", kind: "", times: (0..<3000).map { Double($0) * 0.01 })
    series.stress = (0..<6).map { k in noise.correlated(3000, time: 5).map { $0 + Double(k) } }
    series.stress?[5][17] = .nan
    let found = try #require(StressAnalysis(series, window: 100))
    for k in 0..<5 {
      let mean = found.statistics[0][k].mean
      #expect(abs(mean.value - Double(k)) < 4 * mean.standardError)
    }
    #expect(found.statistics[0][5].stationarity.verdict == .notFinite)
    let isUnknown = found.autocorrelation[0][5].allSatisfy { $0.isNaN }
    #expect(isUnknown)
    #expect(abs(found.autocorrelation[0][0][0] - 1) < 0.2)
    #expect(GreenKuboViscosity(series, temperature: 300, blocks: 5) == nil)
  }
}
