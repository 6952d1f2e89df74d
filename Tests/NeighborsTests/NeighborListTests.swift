import Matter
import Neighbors
import Parallel
import Testing

@Suite("Neighbour list")
struct NeighborListTests {
  /// Pairs within `cutoff` as (i, j, S), by trying every image in a box that surely holds them.
  static func naive(
    _ configuration: borrowing Configuration, cutoff: Double, images: Int
  ) -> Set<[Int]> {
    var result: Set<[Int]> = []
    let h = configuration.cell
    func range(_ k: Int) -> ClosedRange<Int> {
      configuration.periodicity[k] ? -images...images : 0...0
    }
    for i in 0..<configuration.count {
      for j in 0..<configuration.count {
        for a in range(0) {
          for b in range(1) {
            for c in range(2) where i != j || a != 0 || b != 0 || c != 0 {
              let r =
                configuration.positions[j] - configuration.positions[i]
                + h.cartesian([Double(a), Double(b), Double(c)])
              if dot(r, r) < cutoff * cutoff { result.insert([i, j, a, b, c]) }
            }
          }
        }
      }
    }
    return result
  }

  static func listed(
    _ list: NeighborList, _ configuration: borrowing Configuration, cutoff: Double
  ) -> [[Int]] {
    var result: [[Int]] = []
    for i in 0..<configuration.count {
      for k in Int(list.rowStart[i])..<Int(list.rowStart[i + 1]) {
        let r = list.vector(from: i, pair: k, in: configuration)
        let s = NeighborList.unpack(list.image[k])
        if dot(r, r) < cutoff * cutoff {
          result.append([i, Int(list.neighbor[k]), s.x, s.y, s.z])
        }
      }
    }
    return result
  }

  static func random(
    _ count: Int, _ cell: Cell, _ periodicity: Periodicity = .all, unwrapped: Bool = false
  ) throws -> Configuration {
    let random = Philox(seed: 11)
    let positions = (0..<count).map { i in
      let u = random.uniform(.test, step: 0, index: i)
      let v = random.uniform(.test, step: 1, index: i)
      var s = SIMD3(u.x, u.y, v.x)
      if unwrapped { s += SIMD3(Double(i % 5) - 2, Double(i % 3) * 4, -Double(i % 7)) }
      return cell.cartesian(s)
    }
    return Configuration(
      elements: Array(repeating: Element(symbol: "Ar")!, count: count), cell: cell,
      periodicity: periodicity, positions: Vectors(positions))
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let cell: Cell
    let periodicity: Periodicity
    let count: Int
    let images: Int
    var testDescription: String { name }
  }

  static let cases: [Case] = {
    func cell(_ a: SIMD3<Double>, _ b: SIMD3<Double>, _ c: SIMD3<Double>) -> Cell {
      try! Cell(a: a, b: b, c: c)
    }
    return [
      Case(
        name: "one atom in a cell thinner than the cutoff",
        cell: cell([2.5, 0, 0], [0, 2.7, 0], [0.4, 0.3, 2.9]), periodicity: .all, count: 1,
        images: 5),
      Case(
        name: "a skewed cell", cell: cell([9, 0, 0], [7, 6, 0], [-5, 4, 7]), periodicity: .all,
        count: 30, images: 4),
      Case(
        name: "a left-handed cell", cell: cell([0, 8, 0], [9, 0, 0], [0, 0, 7]), periodicity: .all,
        count: 25, images: 3),
      Case(
        name: "a cell of many bins", cell: cell([21, 0, 0], [2, 25, 0], [1, -3, 19]),
        periodicity: .all, count: 200, images: 2),
      Case(
        name: "a slab", cell: cell([9, 0, 0], [0, 8, 0], [0, 0, 30]),
        periodicity: Periodicity(a: true, b: true, c: false), count: 60, images: 3),
      Case(
        name: "a molecule", cell: cell([12, 0, 0], [0, 12, 0], [0, 0, 12]), periodicity: .none,
        count: 40, images: 1),
    ]
  }()

  @Test("The list holds exactly the pairs that trying every image finds", arguments: cases)
  func matchesNaive(_ c: Case) throws {
    let configuration = try Self.random(c.count, c.cell, c.periodicity)
    for skin in [0, 0.7] {
      let list = NeighborList(cutoff: 5, skin: skin)
      try list.build(configuration, team: ThreadTeam(count: 2))
      let found = Self.listed(list, configuration, cutoff: 5)
      let expected = Self.naive(configuration, cutoff: 5, images: c.images)
      #expect(found.count == expected.count)
      #expect(Set(found) == expected)
    }
  }

  @Test("The order of pairs depends neither on the skin nor on wrapping")
  func order() throws {
    let cell = try Cell(a: [9, 0, 0], b: [2, 8, 0], c: [-1, 2, 7])
    let configuration = try Self.random(40, cell, unwrapped: true)
    var orders: [[[Int]]] = []
    for skin in [0.0, 0.3, 2.0] {
      let list = NeighborList(cutoff: 4.5, skin: skin)
      try list.build(configuration, team: ThreadTeam(count: 1))
      orders.append(Self.listed(list, configuration, cutoff: 4.5))
    }
    #expect(orders[0] == orders[1])
    #expect(orders[0] == orders[2])
    #expect(!orders[0].isEmpty)
  }

  @Test("Every pair knows its reverse, and their vectors are exactly opposite")
  func reverse() throws {
    let cell = try Cell(a: [5, 0, 0], b: [3, 6, 0], c: [-2, 1, 4])
    let configuration = try Self.random(12, cell, unwrapped: true)
    let list = NeighborList(cutoff: 6, skin: 0.5)
    try list.build(configuration, team: ThreadTeam(count: 2))
    for i in 0..<12 {
      for k in Int(list.rowStart[i])..<Int(list.rowStart[i + 1]) {
        let j = Int(list.neighbor[k])
        let back = Int(list.reverse[k])
        #expect(Int(list.neighbor[back]) == i && Int(list.reverse[back]) == k)
        let there = list.vector(from: i, pair: k, in: configuration)
        #expect(list.vector(from: j, pair: back, in: configuration) == -there)
      }
    }
  }

  @Test("The list is rebuilt before a pair can be missed, under motion and deformation together")
  func staysComplete() throws {
    var configuration = try Self.random(60, try Cell(orthogonal: [11, 12, 13]))
    let list = NeighborList(cutoff: 4, skin: 0.6)
    let random = Philox(seed: 3)
    let start = configuration.positions.array
    for step in 0..<60 {
      let t = Double(step)
      let strain = Matrix3(
        [1 + 0.002 * t, 0.001 * t, 0], [0, 1 - 0.0015 * t, 0.0005 * t], [0, 0, 1 + 0.001 * t])
      for i in 0..<60 {
        let u = random.normal(.test, step: 7, index: i)
        configuration.positions[i] =
          strain * start[i] + SIMD3(u.x, u.y, -u.x) * 0.01 * t + SIMD3(0.3 * t, 0, 0)
      }
      configuration.cell = try Cell(
        a: strain * [11, 0, 0], b: strain * [0, 12, 0], c: strain * [0, 0, 13])
      try list.update(configuration, team: ThreadTeam(count: 1))
      let found = Self.listed(list, configuration, cutoff: 4)
      #expect(Set(found) == Self.naive(configuration, cutoff: 4, images: 2))
    }
    // A uniform drift and an affine deformation alone cost few rebuilds.
    #expect(list.buildCount > 2 && list.buildCount < 40)
  }

  @Test("Positions that are not finite are refused by atom")
  func notFinite() throws {
    let configuration = try Self.random(3, try Cell(orthogonal: [9, 9, 9]))
    configuration.positions[1] = [.nan, 0, 0]
    let list = NeighborList(cutoff: 3, skin: 0)
    #expect { try list.build(configuration, team: ThreadTeam(count: 1)) } throws: {
      ($0 as? NeighborError)?.atoms == [1]
    }
  }
}
