import Matter
import NEP
import Neighbors
import Parallel
import Potentials
import TestSupport
import Testing

@Suite("NEP evaluators")
struct NEPPotentialTests {
  struct Outcome: Equatable {
    var energy: Double
    var energies: [Double]
    var forces: [SIMD3<Double>]
    var virial: Matrix3
  }

  static func evaluate(
    _ potential: any Potential, _ configuration: borrowing Configuration, threads: Int = 1,
    skin: Double = 1
  ) throws -> Outcome {
    var result = Evaluation(count: configuration.count)
    try ForceEvaluator(potential: potential, team: ThreadTeam(count: threads), skin: skin)
      .evaluate(configuration, needing: .virial, into: &result)
    return Outcome(
      energy: result.energy, energies: result.energies.array, forces: result.forces.array,
      virial: result.virial)
  }

  static func largestDifference(_ a: [SIMD3<Double>], _ b: [SIMD3<Double>]) -> Double {
    zip(a, b).map { x, y in
      let d = x - y
      return max(abs(d.x), abs(d.y), abs(d.z))
    }.max() ?? 0
  }

  @Test(
    "The fast evaluator agrees with the reference to rounding, every kind of model",
    arguments: SyntheticNEP.all)
  func matchesReference(_ synthetic: SyntheticNEP) throws {
    let model = try NEPModel.parse(synthetic.text, file: "nep.txt")
    for periodicity in [Periodicity.all, Periodicity(a: true, b: true, c: false), .none] {
      let configuration = try synthetic.configuration(periodicity: periodicity)
      let slow = try Self.evaluate(NEPReference(model), configuration)
      let fast = try Self.evaluate(NEPPotential(model, precision: .double), configuration)
      let mixed = try Self.evaluate(NEPPotential(model, precision: .mixed), configuration)
      let scale = slow.forces.map { max(abs($0.x), abs($0.y), abs($0.z)) }.max() ?? 0
      #expect(scale > 1e-3)
      #expect(abs(fast.energy - slow.energy) < 1e-11 * abs(slow.energy))
      #expect(Self.largestDifference(fast.forces, slow.forces) < 1e-11 * max(1, scale))
      #expect(Self.largestDifference(mixed.forces, slow.forces) < 1e-5 * scale)
      for k in 0..<3 {
        for l in 0..<3 {
          #expect(abs(fast.virial[k, l] - slow.virial[k, l]) < 1e-10 * max(1, scale))
        }
      }
    }
  }

  @Test("Forces and virial are the derivatives of the energy", arguments: SyntheticNEP.all)
  func derivatives(_ synthetic: SyntheticNEP) throws {
    let model = try NEPModel.parse(synthetic.text, file: "nep.txt")
    let potential = NEPPotential(model, precision: .double)
    let configuration = try synthetic.configuration(count: 12, edge: 6)
    let outcome = try Self.evaluate(potential, configuration)
    let h = 1e-4
    for (atom, axis) in [(0, 0), (5, 1), (11, 2)] {
      var energies: [Double] = []
      for step in [-2.0, -1, 1, 2] {
        let moved = configuration.copy()
        moved.positions[atom][axis] += step * h
        energies.append(try Self.evaluate(potential, moved).energy)
      }
      let slope = (energies[0] - 8 * energies[1] + 8 * energies[2] - energies[3]) / (12 * h)
      #expect(abs(outcome.forces[atom][axis] + slope) < 2e-7 * max(1, abs(slope)))
    }
    for (a, b) in [(0, 0), (1, 2), (2, 1)] {
      var energies: [Double] = []
      // Small: f_c has a jump in its second derivative at the cutoff.
      let e = 2e-6
      for step in [-1.0, 1] {
        var strain = Matrix3.identity
        strain[a, b] += step * e
        var moved = configuration.copy()
        moved.cell = try Cell(
          a: strain * configuration.cell.a, b: strain * configuration.cell.b,
          c: strain * configuration.cell.c)
        for i in 0..<12 { moved.positions[i] = strain * configuration.positions[i] }
        energies.append(try Self.evaluate(potential, moved).energy)
      }
      let slope = (energies[1] - energies[0]) / (2 * e)
      #expect(abs(outcome.virial[a, b] + slope) < 2e-6 * max(1, abs(slope)))
    }
  }

  @Test(
    "Skin and threads change no bit of the result",
    arguments: SyntheticNEP.all, [NEPPotential.Precision.mixed, .double])
  func bitwise(_ synthetic: SyntheticNEP, _ precision: NEPPotential.Precision) throws {
    let model = try NEPModel.parse(synthetic.text, file: "nep.txt")
    let configuration = try synthetic.configuration(count: 150, edge: 13)
    let reference = try Self.evaluate(NEPPotential(model, precision: precision), configuration)
    for (threads, skin) in [(1, 0.0), (2, 1.0), (3, 0.37)] {
      let other = try Self.evaluate(
        NEPPotential(model, precision: precision), configuration, threads: threads, skin: skin)
      #expect(other == reference)
    }
  }

  @Test("A cell smaller than the cutoff equals its supercell", arguments: SyntheticNEP.all)
  func supercell(_ synthetic: SyntheticNEP) throws {
    let model = try NEPModel.parse(synthetic.text, file: "nep.txt")
    let potential = NEPPotential(model, precision: .double)
    let small = try synthetic.configuration(count: 4, edge: 3.6)
    let structure = Structure(
      elements: small.elements, positions: small.positions.array, cell: small.cell,
      periodicity: .all)
    let large = try #require(structure.repeated([[2, 0, 0], [0, 3, 0], [1, 0, 2]]))
    let one = try Self.evaluate(potential, small)
    let many = try Self.evaluate(potential, large.configuration())
    #expect(large.count == 48)
    #expect(abs(many.energy - 12 * one.energy) < 1e-10 * abs(many.energy))
    for cell in 0..<12 {
      #expect(
        Self.largestDifference(Array(many.forces[4 * cell..<4 * cell + 4]), one.forces) < 1e-9)
    }
  }

  @Test("Forces add up to zero in both precisions", arguments: SyntheticNEP.all)
  func momentum(_ synthetic: SyntheticNEP) throws {
    let model = try NEPModel.parse(synthetic.text, file: "nep.txt")
    for precision in [NEPPotential.Precision.mixed, .double] {
      let outcome = try Self.evaluate(
        NEPPotential(model, precision: precision), try synthetic.configuration())
      let total = outcome.forces.reduce(SIMD3<Double>.zero, +)
      #expect(max(abs(total.x), abs(total.y), abs(total.z)) < 1e-11)
    }
  }

  @Test("Atoms at the same place are refused by number")
  func coincident() throws {
    let model = try NEPModel.parse(SyntheticNEP.all[0].text, file: "nep.txt")
    let configuration = try SyntheticNEP.all[0].configuration()
    configuration.positions[7] = configuration.positions[3]
    for potential in [
      NEPReference(model) as any Potential, NEPPotential(model, precision: .mixed),
    ] {
      #expect {
        try Self.evaluate(potential, configuration)
      } throws: { Set(($0 as? ModelError)?.atoms ?? []) == [3, 7] }
    }
  }
}
