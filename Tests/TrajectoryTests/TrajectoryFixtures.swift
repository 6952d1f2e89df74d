import Foundation
import Matter
import Trajectory

/// The files of Fixtures/make.py: one triclinic run of LAMMPS, written by several programs.
enum Fixtures {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Fixtures").path

  static func path(_ name: String) -> String { folder + "/" + name }

  struct Frame {
    var cell: Cell
    /// Unwrapped, in Å.
    var positions: [SIMD3<Double>]
    /// In Å/ps.
    var velocities: [SIMD3<Double>]
  }

  /// The run as LAMMPS itself holds it.
  static let truth: [Frame] = {
    guard let text = try? String(contentsOfFile: path("truth.txt"), encoding: .utf8) else {
      return []
    }
    let lines = text.split(separator: "\n").map {
      $0.split(separator: " ").compactMap { Double($0) }
    }
    return stride(from: 0, to: lines.count, by: 16).compactMap { start in
      let h = lines[(start + 1)...(start + 3)].map { SIMD3($0) }
      let atoms = lines[(start + 4)..<(start + 16)]
      guard let cell = try? Cell(a: h[0], b: h[1], c: h[2]) else { return nil }
      return Frame(
        cell: cell, positions: atoms.map { SIMD3($0[0..<3]) },
        velocities: atoms.map { SIMD3($0[3..<6]) })
    }
  }()

  static let elements =
    [Int](repeating: 6, count: 8).map { Element(atomicNumber: $0)! }
    + [Int](repeating: 53, count: 4).map { Element(atomicNumber: $0)! }
}

/// A frame as values that can be kept and compared.
struct KeptFrame: Equatable {
  var values: FrameValues
  var positions, velocities, forces: [SIMD3<Double>]

  init(_ frame: borrowing TrajectoryFrame) {
    values = frame.values
    positions = frame.positions.array
    velocities = frame.velocities.array
    forces = frame.forces.array
  }

  /// All frames of a source.
  static func all(_ source: some FrameSource) throws(InputError) -> [KeptFrame] {
    var frame = TrajectoryFrame(for: source.facts)
    var result: [KeptFrame] = []
    while try source.next(into: &frame) { result.append(KeptFrame(frame)) }
    return result
  }

  static func all(_ path: String, _ change: (inout TrajectoryOptions) -> Void = { _ in })
    throws(InputError) -> [KeptFrame]
  {
    var options = TrajectoryOptions()
    change(&options)
    return try all(TrajectoryFiles.open(path, options: options))
  }
}

/// The largest difference of a component.
func largest(_ a: [SIMD3<Double>], _ b: [SIMD3<Double>]) -> Double {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).map { x, y in
    let d = x - y
    return max(abs(d.x), abs(d.y), abs(d.z))
  }.max() ?? 0
}

/// The largest difference of a component of the cell vectors.
func largest(_ a: Cell?, _ b: Cell) -> Double {
  guard let a else { return .infinity }
  return largest([a.a, a.b, a.c], [b.a, b.b, b.c])
}
