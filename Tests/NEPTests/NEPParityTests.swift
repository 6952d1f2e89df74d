import Foundation
import Matter
import NEP
import Neighbors
import Parallel
import Potentials
import TestSupport
import Testing

@Suite("NEP against NEP_CPU", .enabled(if: Reference.isAvailable, "needs ../shared/reference"))
struct NEPParityTests {
  static func compare(_ fixture: NEPFixture, _ potential: any Potential) throws {
    let configuration = try fixture.configuration()
    let n = configuration.count
    var result = Evaluation(count: n)
    let evaluator = ForceEvaluator(potential: potential, team: ThreadTeam(count: 2))
    try evaluator.evaluate(
      configuration, needing: .virial, into: &result)
    let energy = try #require(fixture.energy)
    #expect(abs(result.energy - energy) <= 1e-10 * abs(energy))
    for (i, expected) in (fixture.energies ?? []).enumerated() {
      #expect(abs(result.energies[i] - expected) < 1e-9)
    }
    var largest = 0.0
    for (i, f) in try #require(fixture.forces).enumerated() {
      let d = result.forces[i] - SIMD3(f)
      largest = max(largest, abs(d.x), abs(d.y), abs(d.z))
    }
    #expect(largest < 1e-9, "largest force deviation \(largest) eV/Å")
    let virial = try #require(fixture.virial_total)
    let scale = virial.joined().map(abs).max() ?? 0
    for a in 0..<3 {
      for b in 0..<3 {
        #expect(abs(result.virial[a, b] - virial[a][b]) <= 1e-9 * scale + 1e-12)
      }
    }
  }

  @Test(
    "The reference evaluator gives NEP_CPU's energy, forces and virial",
    arguments: NEPFixture.potentials)
  func reference(_ fixture: NEPFixture) throws {
    let model = try NEPModel.read(path: Reference.nepModel(fixture.model))
    try Self.compare(fixture, NEPReference(model))
  }

  @Test(
    "The fast evaluator in double precision gives NEP_CPU's energy, forces and virial",
    arguments: NEPFixture.potentials)
  func fast(_ fixture: NEPFixture) throws {
    let model = try NEPModel.read(path: Reference.nepModel(fixture.model))
    try Self.compare(fixture, NEPPotential(model, precision: .double))
  }

  @Test(
    "Mixed precision stays within its stated distance of double", arguments: NEPFixture.potentials)
  func mixed(_ fixture: NEPFixture) throws {
    let model = try NEPModel.read(path: Reference.nepModel(fixture.model))
    let configuration = try fixture.configuration()
    let n = configuration.count
    var exact = Evaluation(count: n)
    var mixed = Evaluation(count: n)
    let team = ThreadTeam(count: 2)
    try ForceEvaluator(potential: NEPPotential(model, precision: .double), team: team)
      .evaluate(configuration, needing: .virial, into: &exact)
    try ForceEvaluator(potential: NEPPotential(model, precision: .mixed), team: team)
      .evaluate(configuration, needing: .virial, into: &mixed)
    let energyLimit = 1e-6 * Double(n) + 1e-7 * abs(exact.energy)
    #expect(abs(mixed.energy - exact.energy) <= energyLimit)
    var deviation = 0.0
    var largest = 0.0
    for i in 0..<n {
      for k in 0..<3 {
        deviation = max(deviation, abs(mixed.forces[i][k] - exact.forces[i][k]))
        largest = max(largest, abs(exact.forces[i][k]))
      }
    }
    #expect(deviation <= max(2e-4, 1e-5 * largest))
    let virial = exact.virial
    let scale = (0..<9).map { abs(virial[$0 / 3, $0 % 3]) }.max() ?? 0
    var virialDeviation = 0.0
    for a in 0..<3 {
      for b in 0..<3 {
        virialDeviation = max(virialDeviation, abs(mixed.virial[a, b] - virial[a, b]))
      }
    }
    #expect(virialDeviation <= 1e-4 * scale)
    if ProcessInfo.processInfo.environment["APUS_PRINT"] != nil {
      print(
        "MIXED", fixture.name, "dE/atom", (mixed.energy - exact.energy) / Double(n), "of limit",
        abs(mixed.energy - exact.energy) / energyLimit, "dF", deviation, largest, "dW",
        virialDeviation, scale)
    }
  }
}
