import Analysis
import Foundation
import Matter
import Parallel
import TestSupport
import Testing
import Trajectory

@Suite("Molecules")
struct MoleculeTests {
  private static func crystal() throws -> Structure {
    let path = try #require(Reference.folder)
      .appendingPathComponent("diiodothiophene/diiodothiophene.xyz").path
    return try StructureReader.first(path: path).structure
  }

  private static func graph(_ structure: Structure, factor: Double = 1.25) -> BondGraph {
    BondGraph(
      elements: structure.elements, cell: structure.cell, positions: Vectors(structure.positions),
      factor: factor)
  }

  private static func series(_ graph: BondGraph, _ frames: [Structure]) throws
    -> MoleculeSeries.Result
  {
    let series = MoleculeSeries(graph)
    for frame in frames {
      try series.accumulate(cell: frame.cell, positions: Vectors(frame.positions))
    }
    return series.result()
  }

  @Test(
    "2,5-diiodothiophene: eight molecules of nine atoms, herringbone angle 82.90°, also wrapped",
    .enabled(if: Reference.isAvailable, "needs shared/reference"))
  func crystalOfMolecules() throws {
    let structure = try #require(
      try Self.crystal().repeated([[1, 0, 0], [0, 1, 0], [0, 0, 2]]))
    let cell = try #require(structure.cell)
    var folded = structure
    folded.positions = structure.positions.map {
      $0 - cell.cartesian((cell.fractionalMatrix * ($0 + 0.37)).rounded(.down))
    }
    for s in [structure, folded] {
      let graph = Self.graph(s)
      #expect(graph.molecules == (0..<16).map { Array(9 * $0..<9 * $0 + 9) })
      #expect(graph.bonds.count == 16 * 9)
      let result = try Self.series(graph, [s, s])
      #expect(result.counts == [16, 16] && result.eventCount == 0)
      // Twice the angle of the normal (0.661188, ±0.048786, 0.748632) with c in the ac plane, by a
      // singular value decomposition of the coordinates.
      let expected = 2 * atan2(0.66118793, 0.74863237) * 180 / Double.pi
      #expect(abs(result.herringboneAngles[1] - expected) < 1e-4)
    }
  }

  @Test(
    "Bonds of all frames up to 450 K are those of the crystal, though I···I contacts come near",
    .enabled(if: Reference.isAvailable, "needs shared/reference"))
  func thermalFrames() throws {
    let path = try #require(Reference.folder)
      .appendingPathComponent("diiodothiophene/frames.xyz").path
    let crystal = Self.graph(try Self.crystal())
    var frames: [Structure] = []
    // Left out: atoms displaced at random, 700 K, and packings of rigid molecules that touch.
    let strange = ["rattle", "therm700", "packing"]
    for frame in try StructureReader.read(path: path)
    where !strange.contains(frame.info.first(where: { $0.key == "config_type" })?.value ?? "") {
      let graph = Self.graph(frame.structure)
      guard frame.structure.count == 72 else {
        #expect(graph.molecules.allSatisfy { $0.count == 9 })
        #expect(graph.molecules.count == frame.structure.count / 9)
        continue
      }
      #expect(graph.bonds == crystal.bonds)
      frames.append(frame.structure)
    }
    #expect(frames.count > 60)
    #expect(try Self.series(crystal, frames).eventCount == 0)
  }

  @Test("A molecule that breaks, and one that forms, are reported with their frame")
  func events() throws {
    let cell = try cell(12, 12, 12)
    let elements = ["C", "O", "O", "C", "O"].map { Element(symbol: $0)! }
    func frame(_ far: Double, _ near: Double) -> Structure {
      Structure(
        elements: elements,
        positions: [[11.8, 6, 6], [12.9, 6, 6], [10.6, 6, 6], [6, 2, 2], [6 + near, 2, 2]]
          .enumerated().map { $0.offset == 2 ? $0.element - [far, 0, 0] : $0.element },
        cell: cell, periodicity: .all)
    }
    let first = frame(0, 3)
    let graph = Self.graph(first)
    #expect(graph.components.map { $0.atoms.sorted() } == [[0, 1, 2], [3], [4]])
    let result = try Self.series(
      graph, [first, frame(0.1, 3), frame(1.5, 3), frame(1.5, 1.2), frame(0, 1.6)])
    #expect(result.counts == [3, 3, 4, 3, 2])
    #expect(result.originalCount == 3 && result.firstChange == 2 && result.eventCount == 3)
    #expect(result.originalBonds == 2 && result.brokenBonds == 1)
    #expect(result.missingBonds == 0 && result.newBonds == 1 && result.changedElements == ["C-O"])
    #expect(
      result.events == [
        .init(frame: 2, atoms: [0, 2], isFormed: false),
        .init(frame: 3, atoms: [3, 4], isFormed: true),
        .init(frame: 4, atoms: [0, 2], isFormed: true),
      ])
    #expect(result.herringboneAngles.isEmpty)
    #expect(result.herringboneReason == "no molecules have a ring of 5 or 6 atoms")
  }

  @Test("A contact that comes near and goes leaves the bonds of the start as held")
  func contacts() throws {
    let iodine = Element(symbol: "I")!
    func frame(_ near: Double) -> Structure {
      Structure(
        elements: Array(repeating: iodine, count: 4),
        positions: [[2, 2, 2], [4.7, 2, 2], [4.7 + near, 2, 2], [7.4 + near, 2, 2]],
        cell: nil, periodicity: .none)
    }
    let graph = Self.graph(frame(3.6))
    let result = try Self.series(graph, [3.6, 3.12, 3.05, 3.15, 3.3].map(frame))
    #expect(result.counts == [2, 2, 1, 1, 2] && result.eventCount == 2)
    #expect(result.originalBonds == 2 && result.brokenBonds == 0)
    #expect(result.missingBonds == 0 && result.newBonds == 0 && result.changedElements == ["I-I"])
    let short = try Self.series(graph, [3.6, 3.05].map(frame))
    #expect(short.newBonds == 1 && short.missingBonds == 0)
    let apart = try Self.series(graph, [frame(3.6), stretched(frame(3.6))])
    #expect(apart.brokenBonds == 1 && apart.missingBonds == 1)
  }

  private func stretched(_ structure: Structure) -> Structure {
    var result = structure
    result.positions[0].x -= 1
    return result
  }

  @Test("A diamond crystal is one network without molecules, also in its smallest cells")
  func network() throws {
    for cells in [[2, 2, 2], [1, 1, 1], [1, 2, 3]] {
      let graph = Self.graph(NamedSystems.diamond("Si", edge: 5.431, cells: cells))
      #expect(graph.components.count == 1 && graph.components[0].isPeriodic)
      #expect(graph.molecules.isEmpty)
    }
    let isolated = Structure(
      elements: [Element(symbol: "Ar")!, Element(symbol: "Ar")!], positions: [.zero, [4, 0, 0]],
      cell: nil, periodicity: .none)
    #expect(Self.graph(isolated).components.count == 2)
    let empty = Structure(elements: [], positions: [], cell: nil, periodicity: .none)
    #expect(Self.graph(empty).components.isEmpty)
  }

  @Test("The angle follows families of rings that turn, through 90°")
  func turningRings() throws {
    let cell = try cell(30, 30, 30)
    func ring(_ center: SIMD3<Double>, _ normal: SIMD3<Double>) -> [SIMD3<Double>] {
      let n = normal / dot(normal, normal).squareRoot()
      var u = cross(n, [0, 1, 0])
      u /= dot(u, u).squareRoot()
      let v = cross(n, u)
      return (0..<6).map { k in
        let angle = Double(k) * Double.pi / 3
        return center + (u * cos(angle) + v * sin(angle)) * 1.39
      }
    }
    let carbon = Element(symbol: "C")!
    func frame(_ degrees: Double) -> Structure {
      var positions: [SIMD3<Double>] = []
      for m in 0..<8 {
        let half = degrees / 2 * Double.pi / 180 * (m % 2 == 0 ? 1 : -1)
        // Every other normal is turned round, which changes nothing.
        let sign = m < 4 ? 1.0 : -1.0
        positions += ring(
          [Double(m % 2) * 14 + 3, Double(m / 2 % 2) * 14 + 3, Double(m / 4) * 14 + 3],
          SIMD3(sin(half), 0, cos(half)) * sign)
      }
      return Structure(
        elements: Array(repeating: carbon, count: 48), positions: positions, cell: cell,
        periodicity: .all)
    }
    let degrees = stride(from: 80.0, through: 100, by: 1).map { $0 }
    let frames = degrees.map(frame)
    let result = try Self.series(Self.graph(frames[0]), frames)
    #expect(zip(result.herringboneAngles, degrees).allSatisfy { abs($0 - $1) < 1e-6 })
    let parallel = try Self.series(Self.graph(frame(0)), [frame(0)])
    #expect(parallel.herringboneReason == "all ring normals are parallel")
  }

  @Test("No frames and numbers that are not")
  func littleData() throws {
    let structure = NamedSystems.argon32
    let graph = Self.graph(structure)
    let result = try Self.series(graph, [])
    #expect(result.counts.isEmpty && result.firstChange == nil)
    var bad = structure
    bad.positions[3].y = .nan
    #expect(throws: ObservableError.notFinite(frame: 0, atom: 3, what: "position")) {
      try Self.series(graph, [bad])
    }
  }
}
