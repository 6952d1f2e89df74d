import Foundation
import Matter
import Testing

@Suite("Cells, matrices and structures")
struct MatterTests {
  @Test(
    "A cell made from its lengths and angles has them",
    arguments: [
      [10.0, 11, 12, 78, 96, 108], [5, 5, 5, 90, 90, 90], [3, 9, 4, 20, 30, 25],
    ])
  func lengthsAndAngles(_ v: [Double]) throws {
    let cell = try Cell(lengths: [v[0], v[1], v[2]], angles: [v[3], v[4], v[5]])
    for k in 0..<3 {
      #expect(abs(cell.lengths[k] - v[k]) < 1e-12 * v[k])
      #expect(abs(cell.angles[k] - v[3 + k]) < 1e-11)
    }
    #expect(cell.isRightHanded)
    #expect(cell.a.y == 0 && cell.a.z == 0 && cell.b.z == 0)
    let c = v[3...5].map { cos($0 * .pi / 180) }
    let root = 1 - c[0] * c[0] - c[1] * c[1] - c[2] * c[2] + 2 * c[0] * c[1] * c[2]
    #expect(abs(cell.volume - v[0] * v[1] * v[2] * root.squareRoot()) < 1e-10 * cell.volume)
  }

  @Test("Cells without volume, impossible angles and infinite vectors are refused")
  func refused() {
    #expect(throws: Cell.Problem.noVolume) { try Cell(a: [1, 0, 0], b: [2, 0, 0], c: [0, 0, 1]) }
    #expect(throws: Cell.Problem.noVolume) {
      try Cell(lengths: [3, 3, 3], angles: [30, 30, 170])
    }
    #expect(throws: Cell.Problem.notFinite) { try Cell(orthogonal: [1, .nan, 1]) }
  }

  @Test("Fractional coordinates and thickness of a skewed cell")
  func fractional() throws {
    let cell = try Cell(a: [4, 1, 0], b: [-1, 5, 2], c: [0.5, 1, 6])
    let s = SIMD3(0.2, -1.3, 2.7)
    let back = cell.fractionalMatrix * cell.cartesian(s)
    #expect((0..<3).allSatisfy { abs(back[$0] - s[$0]) < 1e-13 })
    let normal = cross(cell.a, cell.b)
    let height = abs(dot(cell.c, normal)) / dot(normal, normal).squareRoot()
    #expect(abs(cell.thickness.z - height) < 1e-13)
  }

  @Test("The exponential of a matrix and of its negative are inverse; a diagonal one is exact")
  func exponential() {
    let m = Matrix3([0.01, 0.02, -0.03], [0, 0.005, 0.01], [0.002, 0, -0.01])
    let product = m.exponential * (m * -1).exponential
    for i in 0..<3 {
      for j in 0..<3 { #expect(abs(product[i, j] - (i == j ? 1 : 0)) < 1e-15) }
    }
    let d = Matrix3(diagonal: [0.03, -0.02, 0.001]).exponential
    #expect(abs(d.x.x - exp(0.03)) < 4e-16 && abs(d.y.y - exp(-0.02)) < 4e-16)
  }

  @Test(
    "A supercell has every lattice point once, also for non-diagonal matrices",
    arguments: [
      [[2, 0, 0], [0, 3, 0], [0, 0, 1]], [[2, 1, 0], [2, -1, 0], [0, 0, 1]],
      [[2, -1, 0], [-2, 0, 1], [2, 1, 0]], [[0, 1, 1], [1, 0, 1], [1, 1, 0]],
    ])
  func supercell(_ m: [[Int]]) throws {
    let cell = try Cell(a: [4, 0, 0], b: [1, 5, 0], c: [-1, 0.5, 6])
    let structure = Structure(
      elements: [Element(symbol: "H")!, Element(symbol: "C")!],
      positions: [[0, 0, 0], [1, 2, 3]], cell: cell, periodicity: .all,
      velocities: [[1, 0, 0], [0, 1, 0]], masses: [2.014, 12])
    let large = try #require(structure.repeated(m))
    let new = try #require(large.cell)
    let count = Int((new.volume / cell.volume).rounded())
    #expect(large.count == 2 * count && large.velocities?.count == 2 * count)
    #expect(large.masses?.filter { $0 == 2.014 }.count == count)
    // No two atoms of a kind differ by a vector of the new lattice.
    var seen: Set<[Int]> = []
    for i in 0..<large.count where large.elements[i].symbol == "H" {
      let s = new.fractionalMatrix * large.positions[i]
      seen.insert((0..<3).map { Int(((s[$0] - s[$0].rounded(.down)) * 1e6).rounded()) % 1_000_000 })
    }
    #expect(seen.count == count)
  }

  @Test("Symbols are spelled exactly, atomic numbers end at 118")
  func elements() {
    #expect(Element(symbol: "I")?.atomicNumber == 53)
    #expect(Element(symbol: "si") == nil && Element(symbol: "X") == nil)
    #expect(Element(atomicNumber: 0) == nil && Element(atomicNumber: 119) == nil)
    #expect(Element(atomicNumber: 118)?.symbol == "Og")
  }

  @Test("The unit of time is 10.180506 fs")
  func units() { #expect(abs(Units.timeUnit - 10.180506) < 5e-7) }
}
