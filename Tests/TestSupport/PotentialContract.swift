import Matter
import Parallel
import Potentials

/// What every potential must satisfy. Each function returns the largest violation, so that the tests
/// of a potential state their own bounds.
package struct PotentialContract: Sendable, CustomStringConvertible {
  /// A name for the report.
  package let name: String
  /// A rattled structure with a general cell.
  package let structure: Structure
  /// A fresh potential.
  package let make: @Sendable () -> any Potential
  /// Atoms bound to sites of their own can be neither exchanged nor repeated.
  package let atomsAreBound: Bool

  package init(
    _ name: String, structure: Structure, atomsAreBound: Bool = false,
    make: @escaping @Sendable () -> any Potential
  ) {
    self.name = name
    self.structure = structure
    self.atomsAreBound = atomsAreBound
    self.make = make
  }

  package var description: String { name }

  /// The result of one evaluation as values.
  package struct Values: Equatable {
    package var energy: Double
    package var energies: [Double]
    package var forces: [SIMD3<Double>]
    package var virial: Matrix3
  }

  package func evaluate(
    _ structure: Structure, threads: Int = 1, skin: Double = 1
  ) throws -> Values {
    let evaluator = ForceEvaluator(potential: make(), team: ThreadTeam(count: threads), skin: skin)
    return try values(structure, evaluator)
  }

  private func values(_ structure: Structure, _ evaluator: ForceEvaluator) throws -> Values {
    var result = Evaluation(count: structure.count)
    try evaluator.evaluate(
      structure.configuration(), needing: .virial, into: &result)
    return Values(
      energy: result.energy, energies: result.energies.array, forces: result.forces.array,
      virial: result.virial)
  }

  /// Change of energy and forces when all atoms move together.
  package func translation() throws -> Double {
    var moved = structure
    moved.positions = structure.positions.map { $0 + [1.234, -0.77, 3.1] }
    return Self.difference(try evaluate(structure), try evaluate(moved))
  }

  /// Change when one atom moves by a cell vector.
  package func wrapping() throws -> Double {
    guard let cell = structure.cell, !atomsAreBound else { return 0 }
    var moved = structure
    moved.positions[0] += cell.a
    moved.positions[structure.count / 2] -= cell.b + cell.c
    return Self.difference(try evaluate(structure), try evaluate(moved))
  }

  /// Change when everything is rotated and the results are rotated back.
  package func rotation() throws -> Double {
    let q = Self.rotation
    var turned = try evaluate(structure.transformed(by: q))
    turned.forces = turned.forces.map { q.transpose * $0 }
    turned.virial = q.transpose * turned.virial * q
    return Self.difference(try evaluate(structure), turned)
  }

  /// Change when the order of the atoms is reversed.
  package func permutation() throws -> Double {
    if atomsAreBound { return 0 }
    var reversed = structure
    reversed.elements.reverse()
    reversed.positions.reverse()
    var result = try evaluate(reversed)
    result.forces.reverse()
    result.energies.reverse()
    return Self.difference(try evaluate(structure), result)
  }

  /// Change per cell when the structure is repeated.
  package func repetition() throws -> Double {
    guard !atomsAreBound, let large = structure.repeated([[2, 0, 0], [0, 1, 0], [1, 0, 2]]) else {
      return 0
    }
    var result = try evaluate(large)
    let n = structure.count
    var worst = 0.0
    let one = try evaluate(structure)
    for k in 0..<4 {
      var part = result
      part.energy = result.energy / 4
      part.virial = result.virial * 0.25
      part.energies = Array(result.energies[k * n..<(k + 1) * n])
      part.forces = Array(result.forces[k * n..<(k + 1) * n])
      worst = max(worst, Self.difference(one, part))
    }
    result.energy = 0
    return worst
  }

  /// The largest component of the sum of forces, in eV/Å.
  package func netForce() throws -> Double {
    var sum = SIMD3<Double>.zero
    for f in try evaluate(structure).forces { sum += f }
    return max(abs(sum.x), abs(sum.y), abs(sum.z))
  }

  /// The energy less the sum over atoms, in eV.
  package func energySum() throws -> Double {
    let v = try evaluate(structure)
    return abs(v.energy - v.energies.reduce(0, +))
  }

  /// The largest deviation of forces from −∂U/∂r, in eV/Å, at the best of several steps.
  package func forceError(atoms: [Int]) throws -> Double {
    let analytic = try evaluate(structure).forces
    let evaluator = ForceEvaluator(potential: make(), team: ThreadTeam(count: 1))
    return try Self.best { h in
      var worst = 0.0
      for i in atoms {
        for k in 0..<3 {
          func energy(_ s: Double) throws -> Double {
            var moved = structure
            moved.positions[i][k] += s
            return try values(moved, evaluator).energy
          }
          worst = max(worst, abs(try Self.slope(h, energy) + analytic[i][k]))
        }
      }
      return worst
    }
  }

  /// The largest deviation of the virial from −∂U/∂ε, in eV, at the best of several steps.
  package func virialError() throws -> Double {
    let analytic = try evaluate(structure).virial
    let evaluator = ForceEvaluator(potential: make(), team: ThreadTeam(count: 1))
    return try Self.best { h in
      var worst = 0.0
      for a in 0..<3 {
        for b in 0..<3 {
          func energy(_ s: Double) throws -> Double {
            var d = Matrix3.identity
            d[a, b] += s
            return try values(structure.transformed(by: d), evaluator).energy
          }
          worst = max(worst, abs(try Self.slope(h, energy) + analytic[a, b]))
        }
      }
      return worst
    }
  }

  /// Whether every result has the same bits for several skins and a list built elsewhere.
  package func ignoresSkin() throws -> Bool {
    let one = try evaluate(structure)
    let other = [
      try evaluate(structure, skin: 0.1), try evaluate(structure, skin: 0.5),
      try evaluate(structure, skin: 3),
    ]
    let evaluator = ForceEvaluator(potential: make(), team: ThreadTeam(count: 1), skin: 2)
    _ = try values(structure.rattled(by: 0.05, seed: 9), evaluator)
    let reused = try values(structure, evaluator)
    return other.allSatisfy { $0 == one } && reused == one
  }

  /// Whether every result has the same bits for several numbers of threads.
  package func ignoresThreads() throws -> Bool {
    let one = try evaluate(structure)
    return try [2, 3, 5].allSatisfy { try evaluate(structure, threads: $0) == one }
  }

  /// A rotation about a skew axis.
  private static let rotation: Matrix3 = {
    let a = Matrix3([0.6, -0.8, 0], [0.8, 0.6, 0], [0, 0, 1])
    let b = Matrix3([1, 0, 0], [0, 5.0 / 13, -12.0 / 13], [0, 12.0 / 13, 5.0 / 13])
    return a * b
  }()

  private static func difference(_ a: Values, _ b: Values) -> Double {
    var worst = abs(a.energy - b.energy)
    for (x, y) in zip(a.energies, b.energies) { worst = max(worst, abs(x - y)) }
    for (x, y) in zip(a.forces, b.forces) {
      for k in 0..<3 { worst = max(worst, abs(x[k] - y[k])) }
    }
    let d = a.virial - b.virial
    for row in [d.x, d.y, d.z] { for k in 0..<3 { worst = max(worst, abs(row[k])) } }
    return worst
  }

  /// Central difference of fourth order.
  private static func slope(_ h: Double, _ f: (Double) throws -> Double) throws -> Double {
    let near = try f(h) - f(-h)
    let far = try f(2 * h) - f(-2 * h)
    return (8 * near - far) / (12 * h)
  }

  private static func best(_ error: (Double) throws -> Double) throws -> Double {
    try [3e-3, 1e-3, 3e-4, 1e-4, 3e-5].map(error).min() ?? .infinity
  }
}
