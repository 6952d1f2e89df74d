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
      configuration, needing: [.virial, .perAtomEnergy], into: &result)
    let energy = try #require(fixture.energy)
    #expect(abs(result.energy - energy) <= 1e-10 * max(abs(energy), 1))
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
        #expect(abs(result.virial[a, b] - virial[a][b]) <= 1e-9 * max(scale, 1))
      }
    }
  }

  @Test("The reference evaluator gives NEP_CPU's energy, forces and virial",
    arguments: NEPFixture.potentials)
  func reference(_ fixture: NEPFixture) throws {
    let model = try NEPModel.read(path: Reference.nepModel(fixture.model))
    try Self.compare(fixture, NEPReference(model))
  }
}
