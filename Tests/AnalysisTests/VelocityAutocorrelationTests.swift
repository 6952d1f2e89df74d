import Analysis
import Foundation
import Matter
import Parallel
import TestSupport
import Testing

@Suite("Velocity autocorrelation")
struct VelocityAutocorrelationTests {
  private static func run(
    _ frames: Frames, spacing: Double = 0.004, threads: Int = 2,
    _ change: (inout VelocityAutocorrelation.Plan) -> Void = { _ in }
  ) throws -> VelocityAutocorrelation.Result {
    var plan = VelocityAutocorrelation.Plan(
      groups: AtomGroup.byElement(frames.elements), masses: frames.masses, frameSpacing: spacing)
    change(&plan)
    let vacf = VelocityAutocorrelation(plan)
    for v in frames.velocities { try vacf.accumulate(velocities: Vectors(v)) }
    return try vacf.result(team: ThreadTeam(count: threads))
  }

  private static func integral(_ values: [Double], _ grid: [Double]) -> Double {
    (values.reduce(0, +) - (values[0] + values[values.count - 1]) / 2) * (grid[1] - grid[0])
  }

  @Test(
    "The direct sums of the fixture to 1e-6",
    .enabled(if: Reference.isAvailable, "needs shared/reference"))
  func fixture() throws {
    let frames = try Frames.reference("A")
    let result = try Self.run(frames) { $0.maximumLag = 199 * 0.004 }
    for curve in result.groups {
      // In Å²/fs².
      let expected = try Frames.structureReference("vacf_\(curve.name)").map { $0 * 1e6 }
      let scale = expected[0]
      #expect(
        zip(curve.autocorrelation, expected).allSatisfy { abs($0 - $1) < 1e-7 * scale })
    }
  }

  @Test(
    "Density of states of the harmonic crystal: 3N − 3 modes, shared out as their energies are",
    .enabled(if: Reference.isAvailable, "needs shared/reference"))
  func harmonicCrystal() throws {
    struct Modes: Decodable { var omega_rad_per_fs, energy_eV: [Double] }
    let path = try #require(Reference.folder).appendingPathComponent("scattering/A_modes.json")
    let modes = try JSONDecoder().decode(Modes.self, from: Data(contentsOf: path))
    let frames = try Frames.reference("A")
    let result = try Self.run(frames) {
      $0.maximumLag = 0.6
      $0.degreesOfFreedom = 189
    }
    #expect(abs(Self.integral(result.all.densityOfStates, result.energies) - 189) < 1e-9 * 189)
    // Between 0.055 and 0.157 rad/fs, 36 and 104 meV, there is no mode.
    let kinetic = modes.energy_eV.reduce(0, +)
    let low = zip(modes.omega_rad_per_fs, modes.energy_eV).reduce(0) {
      $0 + ($1.0 < 0.1 ? $1.1 : 0)
    }
    var counted = 0.0
    for (k, energy) in result.energies.enumerated() where energy < 70 {
      counted +=
        result.all.densityOfStates[k] * (result.energies[1] - result.energies[0])
        * (k == 0 ? 0.5 : 1)
    }
    // Over 1.6 ps a mode's mean kinetic energy is half of its energy to about 1 %.
    #expect(abs(counted / 189 - low / kinetic) < 0.01)
    for (k, energy) in result.energies.enumerated() where energy > 45 && energy < 95 {
      #expect(abs(result.all.densityOfStates[k]) < 0.02)
    }
    // Twice the kinetic energy is the energy of the modes: 3 k_B a degree of freedom and atom.
    let temperature = kinetic / (189 * Units.boltzmann)
    #expect(abs(result.all.temperature * 64 * 3 / 189 - temperature) < 0.02 * temperature)
  }

  @Test("Lines stand at their frequencies, with the weight of their degrees of freedom")
  func lines() throws {
    var random = TestRandom(2)
    let omega = [30.0, 80.0]
    var frames = Frames(elements: [], cells: [], positions: [])
    let n = 24
    for i in 0..<n { frames.elements.append(Element(symbol: i % 3 == 0 ? "C" : "H")!) }
    // Equipartition: every component has amplitude 1/√m, C at 30 and H at 80 rad/ps.
    let phases = (0..<3 * n).map { _ in random.uniform() * 2 * Double.pi }
    for f in 0..<4000 {
      frames.velocities.append(
        (0..<n).map { i in
          let carbon = i % 3 == 0
          let amplitude = 1 / frames.elements[i].mass.squareRoot()
          var v = SIMD3<Double>.zero
          for k in 0..<3 {
            v[k] = amplitude * cos(omega[carbon ? 0 : 1] * 0.002 * Double(f) + phases[3 * i + k])
          }
          return v
        })
    }
    frames.positions = frames.velocities
    for window in [VelocityAutocorrelation.Window.hann, .none] {
      let result = try Self.run(frames, spacing: 0.002) {
        $0.maximumLag = 2
        $0.window = window
      }
      #expect(result.omegas.count == result.energies.count && result.wavenumbers[0] == 0)
      for (g, (group, line)) in zip(result.groups, omega).enumerated() {
        let peak = group.densityOfStates.indices.max {
          group.densityOfStates[$0] < group.densityOfStates[$1]
        }!
        let step = result.omegas[1] - result.omegas[0]
        #expect(abs(result.omegas[peak] - line) < 0.51 * step)
        let weight = Self.integral(group.densityOfStates, result.energies)
        #expect(abs(weight - (g == 0 ? 24 : 48)) < 0.1)
        #expect(abs(result.energies[peak] - result.omegas[peak] * 0.6582119569509) < 1e-9)
        #expect(abs(result.wavenumbers[peak] - result.omegas[peak] * 5.308837458876) < 1e-6)
      }
      let total = zip(result.groups[0].densityOfStates, result.groups[1].densityOfStates)
        .map { $0 + $1 }
      #expect(zip(total, result.all.densityOfStates).allSatisfy { abs($0 - $1) < 1e-9 })
      #expect(abs(Self.integral(total, result.energies) - 72) < 1e-9)
    }
  }

  @Test("White noise: correlations within their errors, and errors as large as the scatter")
  func noise() throws {
    var random = TestRandom(6)
    var frames = Frames(
      elements: Array(repeating: Element(symbol: "Ar")!, count: 10), cells: [], positions: [])
    for _ in 0..<2000 { frames.velocities.append((0..<10).map { _ in random.normalVector() }) }
    let result = try Self.run(frames, spacing: 1) { $0.maximumLag = 100 }
    let unit = Units.angstromPerPicosecond * Units.angstromPerPicosecond
    // 30 independent products at 2000 − l times: the error is 3 (1/(30·1900))^½ of ⟨v²⟩/3.
    let exact = 3 * unit / (30.0 * 1950).squareRoot()
    let curve = result.groups[0]
    let rms = (curve.autocorrelation[1...100].map { $0 * $0 }.reduce(0, +) / 100).squareRoot()
    let stated = (curve.autocorrelationError[1...100].map { $0 * $0 }.reduce(0, +) / 100)
      .squareRoot()
    #expect(abs(rms / exact - 1) < 0.25)
    #expect(abs(stated / exact - 1) < 0.25)
    #expect(curve.densityOfStatesError[10] > 0)
  }

  @Test("Groups that overlap or leave atoms out share the normalization of all atoms")
  func groups() throws {
    var random = TestRandom(8)
    var frames = Frames(elements: [], cells: [], positions: [])
    for i in 0..<6 { frames.elements.append(Element(symbol: i < 3 ? "C" : "H")!) }
    for _ in 0..<200 { frames.velocities.append((0..<6).map { _ in random.normalVector() }) }
    let plain = try Self.run(frames, spacing: 1) { $0.maximumLag = 20 }
    let named = try Self.run(frames, spacing: 1) {
      $0.maximumLag = 20
      $0.groups = [
        AtomGroup(name: "carbon", atoms: [0, 1, 2]), AtomGroup(name: "mixed", atoms: [2, 3]),
      ]
    }
    #expect(
      worstRelative(named.groups[0].densityOfStates, plain.groups[0].densityOfStates) < 1e-12)
    #expect(worstRelative(named.all.densityOfStates, plain.all.densityOfStates) < 1e-12)
    let absent = try Self.run(frames, spacing: 1) {
      $0.maximumLag = 20
      $0.groups.insert(AtomGroup(name: "none", atoms: []), at: 1)
    }
    #expect(absent.all.densityOfStates == plain.all.densityOfStates)
    #expect(absent.groups[1].autocorrelation.allSatisfy { $0.isNaN })
    let v = frames.velocities
    let direct = v.map { dot($0[2], $0[2]) + dot($0[3], $0[3]) }.reduce(0, +) / 400
    let unit = Units.angstromPerPicosecond * Units.angstromPerPicosecond
    #expect(abs(named.groups[1].autocorrelation[0] - direct * unit) < 1e-6 * direct * unit)
  }

  @Test("Bits do not depend on threads; too few frames and missing velocities are named")
  func robust() throws {
    var random = TestRandom(5)
    var frames = Frames(
      elements: Array(repeating: Element(symbol: "H")!, count: 20), cells: [], positions: [])
    for _ in 0..<300 { frames.velocities.append((0..<20).map { _ in random.normalVector() }) }
    let one = try Self.run(frames, threads: 1)
    let three = try Self.run(frames, threads: 3) { $0.memoryLimit = 0 }
    #expect(one.groups[0].autocorrelation == three.groups[0].autocorrelation)
    #expect(one.all.densityOfStates == three.all.densityOfStates)
    frames.velocities = []
    #expect(throws: ObservableError.self) { try Self.run(frames) }
    frames.velocities = [[]]
    #expect(throws: ObservableError.missing(frame: 0, what: "velocities")) {
      try Self.run(frames)
    }
    frames.velocities = Array(repeating: Array(repeating: .zero, count: 20), count: 50)
    let rest = try Self.run(frames)
    #expect(rest.groups[0].autocorrelation.allSatisfy { $0 == 0 })
    #expect(rest.all.densityOfStates.allSatisfy { $0.isNaN })
  }
}
