import Dynamics
import Foundation
import Matter
import Parallel
import Potentials
import TestSupport
import Testing

@Suite("Integrators")
struct IntegratorTests {
  static func argon(_ c: Case, timestepFs: Double, steps: Int = 1) throws -> Bench {
    try Bench(
      NamedSystems.fcc("Ar", edge: 5.338, cells: [2, 2, 2]), LennardJones.argon(), c.ensemble,
      timestepFs: timestepFs, temperature: Case.kelvin, steps: steps)
  }

  /// Standard deviation of the conserved quantity over 20 ps.
  static func spread(_ c: Case, timestepFs: Double) throws -> Double {
    let steps = Int(20000 / timestepFs)
    var bench = try argon(c, timestepFs: timestepFs, steps: steps)
    let start = bench.conserved
    var sum = 0.0
    var square = 0.0
    for _ in 0..<steps {
      try bench.advance()
      let d = bench.conserved - start
      sum += d
      square += d * d
    }
    let mean = sum / Double(steps)
    return (square / Double(steps) - mean * mean).squareRoot()
  }

  @Test(
    "The conserved quantity deviates as Δt², ramps included",
    arguments: Case.deterministic + Case.ramps)
  func order(_ c: Case) throws {
    let s = try [16.0, 8, 4].map { try Self.spread(c, timestepFs: $0) }
    #expect(abs(s[0] / s[1] - 4) < 1, "\(s)")
    #expect(abs(s[1] / s[2] - 4) < 0.7, "\(s)")
  }

  @Test(
    "With noise the conserved quantity converges with Δt",
    arguments: Case.all.filter { c in
      !Case.deterministic.contains { $0.description == c.description }
    })
  func noisyOrder(_ c: Case) throws {
    let s = try [16.0, 4].map { try Self.spread(c, timestepFs: $0) }
    // Δt² would give 16, the first order of cell rescaling 4.
    #expect(s[0] / s[1] > (c.description.contains("rescaling") ? 2 : 8), "\(s)")
    #expect(s[1] < 2e-3, "\(s)")
  }

  @Test("Running back returns to the start", arguments: Case.deterministic)
  func reversal(_ c: Case) throws {
    var bench = try Self.argon(c, timestepFs: 8)
    let start = bench.state.configuration.positions.array
    let cell = bench.state.configuration.cell.rows
    for _ in 0..<200 { try bench.advance() }
    let away = bench.state.configuration.positions.array
    bench.state.scale(velocities: -1)
    var memory = bench.integrator.memory
    for key in ["thermostat_rate", "barostat_rate", "barostat_eta_rate"] {
      memory[key] = memory[key]?.map { -$0 }
    }
    bench.integrator.memory = memory
    for _ in 0..<200 { try bench.advance() }
    let back = bench.state.configuration.positions.array
    func distance(_ a: [SIMD3<Double>], _ b: [SIMD3<Double>]) -> Double {
      zip(a, b).map { abs($0.x - $1.x) + abs($0.y - $1.y) + abs($0.z - $1.z) }.max() ?? 0
    }
    #expect(distance(away, start) > 0.1)
    #expect(distance(back, start) < 1e-9)
    let d = bench.state.configuration.cell.rows - cell
    #expect([d.x, d.y, d.z].allSatisfy { max(abs($0.x), abs($0.y), abs($0.z)) < 1e-9 })
  }

  @Test("A restored memory continues with the same bits", arguments: Case.all + Case.ramps)
  func restart(_ c: Case) throws {
    var whole = try Self.argon(c, timestepFs: 8, steps: 60)
    for _ in 0..<30 { try whole.advance() }
    var second = try Self.argon(c, timestepFs: 8, steps: 60)
    second.state.configuration.cell = whole.state.configuration.cell
    second.state.configuration.positions.copy(from: whole.state.configuration.positions)
    second.state.velocities.copy(from: whole.state.velocities)
    second.integrator.memory = whole.integrator.memory
    second.step = whole.step
    try second.evaluator.evaluate(
      second.state.configuration, needing: second.integrator.needs, into: &second.forces)
    #expect(second.conserved == whole.conserved)
    for _ in 0..<30 {
      try whole.advance()
      try second.advance()
    }
    #expect(whole.state.configuration.positions.array == second.state.configuration.positions.array)
    #expect(whole.state.velocities.array == second.state.velocities.array)
    #expect(whole.state.configuration.cell == second.state.configuration.cell)
    #expect(whole.integrator.memory == second.integrator.memory)
    #expect(whole.conserved == second.conserved)
  }

  @Test("Momentum stays zero and the center of mass in its place", arguments: Case.all)
  func momentum(_ c: Case) throws {
    var bench = try Self.argon(c, timestepFs: 8)
    func center(_ state: borrowing PhaseState) -> SIMD3<Double> {
      var sum = SIMD3<Double>.zero
      for r in state.configuration.positions.array { sum += r }
      return sum / Double(state.count)
    }
    var start = center(bench.state)
    let first = bench.state.configuration.cell
    for _ in 0..<500 { try bench.advance() }
    // Turning the cell of a triclinic rescaling turns about the center of mass.
    if first.volume == 0 { start = .zero }
    let moved = center(bench.state) - start
    #expect(max(abs(moved.x), abs(moved.y), abs(moved.z)) < 1e-10)
    var p = SIMD3<Double>.zero
    for v in bench.state.velocities.array { p += v * 39.948 }
    #expect(max(abs(p.x), abs(p.y), abs(p.z)) < 1e-10)
  }

  @Test("Velocity Verlet oscillates at sin(ω'Δt/2) = ωΔt/2")
  func oscillator() throws {
    let start = NamedSystems.argon32
    var pair = start
    pair.elements = Array(start.elements.prefix(2))
    pair.positions = [[0, 0, 0], [5, 0, 0]]
    let crystal = EinsteinCrystal(stiffness: 3, sites: pair.configuration())
    let displaced: Structure = {
      var s = pair
      s.positions[0].x -= 0.1
      s.positions[1].x += 0.1
      return s
    }()
    let dt = 10.0
    var bench = try Bench(displaced, crystal, .nve, timestepFs: dt, temperature: 0)
    let omega = (3 / 39.948).squareRoot()
    let h = dt / Units.timeUnit
    let observed = 2 * asin(omega * h / 2)
    for n in 1...1000 {
      try bench.advance()
      let u = bench.state.configuration.positions[1].x - 5
      #expect(abs(u - 0.1 * cos(observed * h * (Double(n)) / h)) < 1e-8)
    }
  }

  @Test("A run that starts with overlapping atoms stops and says which atom")
  func overlap() throws {
    var s = NamedSystems.argon32
    s.positions[5] = s.positions[9] + [0.8, 0, 0]
    var bench = try Bench(s, LennardJones.argon(), .nve, timestepFs: 5, temperature: 10)
    let error = try #require(throws: RunError.self) {
      for _ in 0..<10 { try bench.advance() }
    }
    #expect([5, 9].contains(error.atoms.first))
    #expect(error.description.contains("minimize"))
  }

  @Test("A cell far from equilibrium stops the run before it explodes")
  func explosion() throws {
    let s = NamedSystems.fcc("Ar", edge: 4.2, cells: [2, 2, 2])
    let c = Case.npt(
      .noseHoover(relaxationFs: 100, chain: 3), .mtk(coupling: .isotropic, relaxationFs: 200))
    var bench = try Bench(s, LennardJones.argon(), c, timestepFs: 2, temperature: 300)
    let error = try #require(throws: RunError.self) {
      for _ in 0..<2000 { try bench.advance() }
    }
    #expect(error.description.contains("volume") && error.description.contains("minimize"))
  }
}

extension PhaseState {
  func scale(velocities factor: Double) {
    for i in 0..<count { velocities[i] *= factor }
  }
}
