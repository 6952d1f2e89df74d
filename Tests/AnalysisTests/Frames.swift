import Foundation
import Matter
import Parallel
import Testing
import TestSupport
import Trajectory

/// A trajectory in memory, for tests.
struct Frames: Sendable {
  var elements: [Element]
  var cells: [Cell]
  /// [frame][atom], in Å and internal units.
  var positions: [[SIMD3<Double>]]
  var velocities: [[SIMD3<Double>]] = []
  var count: Int { positions.count }
  var masses: [Double] { elements.map(\.mass) }

  /// The trajectories of the reference folder, `A` and `B`, as their files hold them.
  static func reference(_ name: String) throws -> Frames {
    let folder = try #require(Reference.folder).appendingPathComponent("scattering")
    struct Meta: Decodable { var names: [String] }
    let meta = try JSONDecoder().decode(
      Meta.self,
      from: Data(
        contentsOf: folder.appendingPathComponent(name == "A" ? "A_modes.json" : "B_meta.json")))
    let file = try NetCDFFile(opening: folder.appendingPathComponent(name + ".nc").path)
    defer { try? file.close() }
    func values(_ variable: String, _ frame: Int) throws -> [Double] {
      try file.doubles(try #require(try file.variable(variable)), record: frame)
    }
    func vectors(_ numbers: [Double]) -> [SIMD3<Double>] {
      (0..<numbers.count / 3).map {
        SIMD3(numbers[3 * $0], numbers[3 * $0 + 1], numbers[3 * $0 + 2])
      }
    }
    let frameCount = try #require(try file.length(ofDimension: "frame"))
    var result = Frames(
      elements: meta.names.compactMap { Element(symbol: $0) }, cells: [], positions: [])
    for f in 0..<frameCount {
      let lengths = try values("cell_lengths", f)
      let angles = try values("cell_angles", f)
      result.cells.append(try Cell(lengths: SIMD3(lengths), angles: SIMD3(angles)))
      result.positions.append(vectors(try values("coordinates", f)))
      result.velocities.append(
        vectors(try values("velocities", f)).map { $0 / Units.angstromPerPicosecond })
    }
    return result
  }

  /// A variable of A_structure.nc.
  static func structureReference(_ variable: String) throws -> [Double] {
    let folder = try #require(Reference.folder).appendingPathComponent("scattering")
    let file = try NetCDFFile(opening: folder.appendingPathComponent("A_structure.nc").path)
    defer { try? file.close() }
    return try file.doubles(try #require(try file.variable(variable)))
  }

  /// The same frames with every atom put into its cell.
  var wrapped: Frames {
    var result = self
    for f in 0..<count {
      let inverse = cells[f].fractionalMatrix
      result.positions[f] = positions[f].map {
        $0 - cells[f].cartesian((inverse * $0).rounded(.down))
      }
    }
    return result
  }

  /// The same atoms in another order: place k holds atom `order[k]`.
  func reordered(_ order: [Int]) -> Frames {
    var result = self
    result.elements = order.map { elements[$0] }
    result.positions = positions.map { frame in order.map { frame[$0] } }
    result.velocities = velocities.map { frame in order.map { frame[$0] } }
    return result
  }
}

/// Random numbers for tests, the same for the same seed.
struct TestRandom {
  private let source: Philox
  private var step = 0
  init(_ seed: UInt64) { source = Philox(seed: seed) }
  /// A uniform number in (0, 1).
  mutating func uniform() -> Double {
    step += 1
    return source.uniform(.test, step: step, index: 0).x
  }
  /// A standard normal number.
  mutating func normal() -> Double {
    step += 1
    return source.normal(.test, step: step, index: 0).x
  }
  /// A vector of three uniform numbers.
  mutating func vector() -> SIMD3<Double> { [uniform(), uniform(), uniform()] }
  /// A vector of three normal numbers.
  mutating func normalVector() -> SIMD3<Double> { [normal(), normal(), normal()] }
}

/// The largest relative deviation of the first from the second, with a floor below which deviations
/// are absolute.
func worstRelative(_ a: [Double], _ b: [Double], floor: Double = 0) -> Double {
  precondition(a.count == b.count)
  return zip(a, b).map { abs($0 - $1) / max(abs($1), floor) }.max() ?? 0
}

func cell(_ x: Double, _ y: Double, _ z: Double) throws -> Cell { try Cell(orthogonal: [x, y, z]) }
