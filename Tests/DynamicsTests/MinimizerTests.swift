import Dynamics
import Foundation
import Matter
import Parallel
import Potentials
import TestSupport
import Testing

@Suite("Minimizer")
struct MinimizerTests {
  struct Result {
    var structure: Structure
    var outcome: Minimizer.Outcome
    var minimizer: Minimizer
    var steps: Int
  }
  static func relax(
    _ structure: Structure, _ potential: any Potential, cell: RunPlan.Coupling?,
    pressure: Double = 0, force: Double = 1e-4
  ) throws -> Result {
    var state = structure.state()
    var forces = Evaluation(count: structure.count)
    let evaluator = ForceEvaluator(potential: potential, team: ThreadTeam(count: 1))
    var minimizer = Minimizer(force: force, coupling: cell, pressure: pressure, state: state)
    var outcome = try minimizer.start(state, &forces, evaluator: evaluator)
    var steps = 0
    while outcome == .moving, steps < 2000 {
      steps += 1
      outcome = try minimizer.step(steps, &state, &forces, evaluator: evaluator)
    }
    var result = structure
    result.positions = state.configuration.positions.array
    result.cell = state.configuration.cell
    return Result(structure: result, outcome: outcome, minimizer: minimizer, steps: steps)
  }

  @Test(
    "A strained, rattled silicon crystal under 5 GPa finds the cubic cell of a scan",
    arguments: RunPlan.Coupling.allCases)
  func cell(_ coupling: RunPlan.Coupling) throws {
    let pressure = 5 / Units.gigapascal
    let strain: Matrix3 =
      switch coupling {
      case .isotropic: Matrix3.identity * 1.03
      case .orthorhombic: Matrix3(diagonal: [1.03, 0.98, 1.05])
      case .triclinic: Matrix3([1.03, 0.04, -0.03], [0, 0.98, 0.02], [0, 0, 1.05])
      }
    let start = NamedSystems.silicon64.rattled(by: 0.15).transformed(by: strain)
    let r = try Self.relax(start, StillingerWeber(), cell: coupling, pressure: pressure)
    #expect(r.outcome == .converged && r.steps < 200, "\(r.steps) steps")
    #expect(r.minimizer.largestStress < 1e-3 && r.minimizer.largestForce < 1e-4)
    // The minimum of U + pV over the edge of the perfect crystal, by golden sections.
    let evaluator = ForceEvaluator(potential: StillingerWeber(), team: ThreadTeam(count: 1))
    func enthalpy(_ edge: Double) throws -> Double {
      let s = NamedSystems.diamond("Si", edge: edge, cells: [2, 2, 2])
      var e = Evaluation(count: 64)
      try evaluator.evaluate(s.configuration(), needing: [], into: &e)
      return e.energy + pressure * edge * edge * edge * 8
    }
    var (low, high) = (5.2, 5.6)
    while high - low > 1e-6 {
      let (a, b) = (high - (high - low) * 0.618, low + (high - low) * 0.618)
      if try enthalpy(a) < enthalpy(b) { high = b } else { low = a }
    }
    let lengths = try #require(r.structure.cell).lengths
    let angles = try #require(r.structure.cell).angles
    for k in 0..<3 {
      // 1 MPa moves the edge by 2e-5 Å; the scan is good to 1e-6 Å.
      #expect(abs(lengths[k] / 2 - (low + high) / 2) < 1e-4)
      #expect(abs(angles[k] - 90) < 2e-3)
    }
    #expect(abs(r.minimizer.enthalpy - (try enthalpy((low + high) / 2))) < 1e-5)
  }

  @Test("Atoms thrown together at random come apart")
  func badStart() throws {
    let start = NamedSystems.fcc("Ar", edge: 5.4, cells: [3, 3, 3]).rattled(by: 2.5)
    let r = try Self.relax(start, LennardJones.argon(), cell: nil)
    #expect(r.outcome == .converged, "\(r.steps) \(r.minimizer.largestForce)")
  }

  @Test("A relaxed crystal is left as it is")
  func relaxed() throws {
    let start = NamedSystems.diamond("Si", edge: 5.43095, cells: [2, 2, 2])
    let r = try Self.relax(start, StillingerWeber(), cell: .triclinic)
    #expect(r.outcome == .converged && r.steps <= 2)
  }
}
