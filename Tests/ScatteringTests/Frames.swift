import Foundation
import Matter
import Parallel
import TestSupport
import Trajectory

import Scattering

/// A trajectory in memory.
struct Frames {
  var labels: [String?]
  var cells: [Cell]
  var positions: [[SIMD3<Double>]]
  /// In internal units.
  var velocities: [[SIMD3<Double>]]

  /// The result of a plan.
  func result(_ plan: CorrelationPlan, threads: Int = 1, spool: String? = nil) throws
    -> CorrelationResult
  {
    let accumulator = try CorrelationAccumulator(
      plan: plan, species: SpeciesMap(labels), team: ThreadTeam(count: threads), spool: spool)
    try feed { try accumulator.add(cell: $0, positions: $1, velocities: $2) }
    return try accumulator.result()
  }

  /// Calls `body` for each frame.
  func feed(_ body: (Cell, borrowing Vectors, borrowing Vectors) throws -> Void) throws {
    for t in positions.indices {
      try body(cells[t], Vectors(positions[t]), Vectors(velocities.isEmpty ? [] : velocities[t]))
    }
  }

  /// Every n-th frame of the first ones.
  func strided(_ n: Int = 1, stop: Int? = nil) -> Frames {
    let kept = Array(stride(from: 0, to: stop ?? positions.count, by: n))
    return Frames(
      labels: labels, cells: kept.map { cells[$0] }, positions: kept.map { positions[$0] },
      velocities: kept.map { velocities[$0] })
  }
}

/// Trajectories and numbers of dynasor 2.5.
enum ScatteringFixture {
  static let folder = Reference.folder?.appendingPathComponent("scattering")

  private struct Names: Decodable { let names: [String] }

  /// A (64 atoms, orthorhombic) or B (20 atoms, triclinic).
  static func frames(_ name: String) throws -> Frames {
    guard let folder else { throw CocoaError(.fileNoSuchFile) }
    let file = try NetCDFFile(opening: folder.appendingPathComponent(name + ".nc").path)
    func read(_ variable: String) throws -> [SIMD3<Double>] {
      guard let v = try file.variable(variable) else { return [] }
      let x = try file.doubles(v)
      return (0..<x.count / 3).map { [x[3 * $0], x[3 * $0 + 1], x[3 * $0 + 2]] }
    }
    let meta = folder.appendingPathComponent(name == "A" ? "A_modes.json" : "B_meta.json")
    let labels = try JSONDecoder().decode(Names.self, from: Data(contentsOf: meta)).names
    let (lengths, angles) = (try read("cell_lengths"), try read("cell_angles"))
    let n = labels.count
    func frames(_ x: [SIMD3<Double>]) -> [[SIMD3<Double>]] {
      (0..<x.count / n).map { Array(x[$0 * n..<($0 + 1) * n]) }
    }
    return Frames(
      labels: labels,
      cells: try zip(lengths, angles).map { try Cell(lengths: $0, angles: $1) },
      positions: frames(try read("coordinates")),
      velocities: frames(try read("velocities").map { $0 / Units.angstromPerPicosecond }))
  }

  /// A variable of a file of numbers.
  static func values(_ file: String, _ variable: String) throws -> [Double] {
    guard let folder else { throw CocoaError(.fileNoSuchFile) }
    let file = try NetCDFFile(opening: folder.appendingPathComponent(file).path)
    guard let v = try file.variable(variable) else { throw CocoaError(.fileReadCorruptFile) }
    return try file.doubles(v)
  }

  /// The points of a file, in rad/Å.
  static func points(_ file: String) throws -> [SIMD3<Double>] {
    let q = try values(file, "q_points")
    return (0..<q.count / 3).map { [q[3 * $0], q[3 * $0 + 1], q[3 * $0 + 2]] }
  }

  /// The nearest lattice points.
  static func lattice(_ file: String, in cell: Cell) throws -> [SIMD3<Int32>] {
    try points(file).map { q in
      let v = q / (2 * Double.pi)
      let n = SIMD3(dot(v, cell.a), dot(v, cell.b), dot(v, cell.c)).rounded(.toNearestOrEven)
      return SIMD3<Int32>(n)
    }
  }
}

/// The largest difference over the largest value of the second; infinite where a value is not finite.
func deviation(_ a: [Double], from b: [Double]) -> Double {
  guard a.count == b.count, !b.isEmpty, a.allSatisfy(\.isFinite) else { return .infinity }
  let scale = b.map(abs).max() ?? 0
  return (zip(a, b).map { $0 - $1 }.map(abs).max() ?? .infinity) / scale
}

/// Points of a box of the reciprocal lattice, both signs of each index.
func box(_ n: SIMD3<Int32>) -> [SIMD3<Int32>] {
  var points: [SIMD3<Int32>] = []
  for h in -n.x...n.x { for k in -n.y...n.y { for l in -n.z...n.z { points.append([h, k, l]) } } }
  return points
}

/// Atoms that jump by normal steps of a width (Å) for each component, from random places.
func randomWalk(
  atoms: Int, frames: Int, width: Double, seed: UInt64, cell: Cell, labels: [String?]? = nil
) -> Frames {
  let random = Philox(seed: seed)
  var r: [SIMD3<Double>] = (0..<atoms).map { i in
    let (u, v) = (
      random.uniform(.test, step: 0, index: i), random.uniform(.test, step: 0, index: i, draw: 1)
    )
    return cell.cartesian([u.x, u.y, v.x])
  }
  var all: [[SIMD3<Double>]] = []
  var speeds: [[SIMD3<Double>]] = []
  for t in 0..<frames {
    all.append(r)
    var speed: [SIMD3<Double>] = []
    for i in 0..<atoms {
      let (u, v) = (
        random.normal(.test, step: t + 1, index: i),
        random.normal(.test, step: t + 1, index: i, draw: 1)
      )
      let step = SIMD3(u.x, u.y, v.x) * width
      speed.append(step)
      r[i] += step
    }
    speeds.append(speed)
  }
  return Frames(
    labels: labels ?? Array(repeating: "Ar", count: atoms),
    cells: Array(repeating: cell, count: frames), positions: all, velocities: speeds)
}
