import Foundation
import Matter
import Testing
import Trajectory

@Suite struct UnwrapperTests {
  /// Random numbers of a fixed series.
  struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let x = (state >> 33) ^ state
      return x &* 0x9e37_79b9_7f4a_7c15 ^ (x >> 29)
    }
    mutating func symmetric(_ size: Double) -> Double {
      Double.random(in: -size...size, using: &self)
    }
    mutating func vector(_ size: Double) -> SIMD3<Double> {
      [symmetric(size), symmetric(size), symmetric(size)]
    }
  }

  static func wrapped(_ u: SIMD3<Double>, _ cell: Cell) -> SIMD3<Double> {
    var s = cell.fractionalMatrix * u
    for k in 0..<3 { s[k] -= s[k].rounded(.down) }
    return cell.cartesian(s)
  }

  /// A cell that breathes and shears with time.
  static func cell(_ base: Cell, _ fluctuation: Double, _ generator: inout Generator) throws -> Cell
  {
    let e = fluctuation
    let strain = Matrix3(
      [1 + generator.symmetric(e), 0, 0], [generator.symmetric(e), 1 + generator.symmetric(e), 0],
      [generator.symmetric(e), generator.symmetric(e), 1 + generator.symmetric(e)])
    return try Cell(rows: base.rows * strain)
  }

  @Test(
    "Random walks in fractions of the cell come back, through many cells, fixed or fluctuating",
    arguments: [0, 0.02], [false, true])
  func lattice(fluctuation: Double, triclinic: Bool) throws {
    var generator = Generator(state: 17)
    let base =
      triclinic
      ? try Cell(lengths: [11, 13, 17], angles: [65, 108, 74]) : try Cell(orthogonal: [11, 13, 17])
    var s = (0..<50).map { _ in generator.vector(0.5) + 0.5 }
    var unwrapper = Unwrapper(atomCount: 50)
    var farthest = 0.0
    for frame in 1...400 {
      let cell = try Self.cell(base, fluctuation, &generator)
      let truth = s.map { cell.cartesian($0) }
      let positions = Vectors(truth.map { Self.wrapped($0, cell) })
      try unwrapper.unwrap(positions, cell: cell, frame: frame)
      #expect(largest(positions.array, truth) < 1e-9)
      farthest = max(farthest, s.map { max(abs($0.x), abs($0.y), abs($0.z)) }.max() ?? 0)
      s = s.map { $0 + generator.vector(0.38) }
    }
    #expect(farthest > 5)
  }

  @Test(
    "Displacements in Å add up in the toroidal scheme whatever the cell does",
    arguments: [0, 0.02], [false, true])
  func toroidal(fluctuation: Double, triclinic: Bool) throws {
    var generator = Generator(state: 23)
    let base =
      triclinic
      ? try Cell(lengths: [11, 13, 17], angles: [65, 108, 74]) : try Cell(orthogonal: [11, 13, 17])
    // Wrapped positions step on their own; the cell only says where they come in again.
    var u = (0..<50).map { _ in generator.vector(5) }
    var w = u
    var unwrapper = Unwrapper(atomCount: 50, scheme: .toroidal)
    for frame in 1...400 {
      let cell = try Self.cell(base, fluctuation, &generator)
      if frame == 1 {
        w = u.map { Self.wrapped($0, cell) }
        u = w
      } else {
        for k in u.indices {
          let step = generator.vector(1.2)
          u[k] += step
          w[k] = Self.wrapped(w[k] + step, cell)
        }
      }
      let positions = Vectors(w)
      try unwrapper.unwrap(positions, cell: cell, frame: frame)
      #expect(largest(positions.array, u) < 1e-9)
    }
  }

  @Test(
    "An atom that vibrates across a face stays in the lattice scheme and drifts in the toroidal")
  func crystal() throws {
    var generator = Generator(state: 5)
    var lattice = Unwrapper(atomCount: 1)
    var toroidal = Unwrapper(atomCount: 1, scheme: .toroidal)
    var (stays, drifts) = (0.0, 0.0)
    for frame in 1...5000 {
      let cell = try Cell(orthogonal: SIMD3(repeating: 30 + generator.symmetric(0.3)))
      let w = Self.wrapped([generator.symmetric(0.2), 15, 15], cell)
      for kind in 0..<2 {
        let positions = Vectors([w])
        if kind == 0 {
          try lattice.unwrap(positions, cell: cell, frame: frame)
          let first = positions[0].x > 15 ? cell.a.x : 0
          stays = max(stays, abs(positions[0].x - first))
        } else {
          try toroidal.unwrap(positions, cell: cell, frame: frame)
          let first = positions[0].x > 15 ? 30.0 : 0
          drifts = max(drifts, abs(positions[0].x - first))
        }
      }
    }
    #expect(stays < 0.21 && drifts > 2)
  }

  @Test(
    "Diffusion through a fluctuating cell: the lattice scheme adds to it, the toroidal does not")
  func liquid() throws {
    var generator = Generator(state: 41)
    let count = 100
    var w = (0..<count).map { _ in generator.vector(5) + 5 }
    var lattice = Unwrapper(atomCount: count)
    var toroidal = Unwrapper(atomCount: count, scheme: .toroidal)
    // Squared displacements per frame, late in the walk when atoms are far from where they began.
    var sums = (walk: 0.0, lattice: 0.0, toroidal: 0.0)
    var before: ([SIMD3<Double>], [SIMD3<Double>])?
    for frame in 1...4000 {
      let cell = try Cell(orthogonal: SIMD3(repeating: 10 + generator.symmetric(0.1)))
      for k in w.indices {
        let step = generator.vector(1)
        if frame > 3000 { sums.walk += dot(step, step) }
        w[k] = Self.wrapped(w[k] + step, cell)
      }
      let a = Vectors(w)
      let b = Vectors(w)
      try lattice.unwrap(a, cell: cell, frame: frame)
      try toroidal.unwrap(b, cell: cell, frame: frame)
      if frame > 3000, let (p, q) = before {
        for k in w.indices {
          let (x, y) = (a[k] - p[k], b[k] - q[k])
          sums.lattice += dot(x, x)
          sums.toroidal += dot(y, y)
        }
      }
      before = (a.array, b.array)
    }
    #expect(abs(sums.toroidal / sums.walk - 1) < 1e-9)
    #expect(sums.lattice / sums.walk > 1.05)
  }

  @Test(
    "A direction that does not repeat is left alone; without a cell there is nothing to unwrap by")
  func slab() throws {
    let cell = try Cell(orthogonal: [10, 10, 10])
    let slab = Periodicity(a: true, b: true, c: false)
    var unwrapper = Unwrapper(atomCount: 1)
    for (frame, z) in [1.0, 9, 2].enumerated() {
      let positions = Vectors([[Double((9 + 2 * frame) % 10), 0, z]])
      try unwrapper.unwrap(positions, cell: cell, periodicity: slab, frame: frame + 1)
      #expect(positions[0] == [9 + 2 * Double(frame), 0, z])
    }
    let positions = Vectors([[0, 0, 0]])
    #expect(throws: InputError.self) { try unwrapper.unwrap(positions, cell: nil) }
  }

  @Test("Steps beyond 0.4 of the cell are refused, with axis and frames")
  func coarse() throws {
    let cell = try Cell(orthogonal: [10, 20, 10])
    for scheme in [Unwrapper.Scheme.lattice, .toroidal] {
      for (step, refused) in [(7.9, false), (8.1, true), (10, true), (11.9, true), (12.1, false)] {
        var unwrapper = Unwrapper(atomCount: 2, scheme: scheme)
        try unwrapper.unwrap(Vectors([[0, 0, 0], [5, 3, 5]]), cell: cell, frame: 1)
        let next = Vectors([[0, 0, 0], [5, (3 + step).truncatingRemainder(dividingBy: 20), 5]])
        do {
          try unwrapper.unwrap(next, cell: cell, frame: 2, file: "a.dump")
          #expect(!refused, "\(step)")
        } catch {
          #expect(refused && error.description.hasPrefix("a.dump: an atom moves by "), "\(error)")
          #expect(error.message.contains("along b between frames 1 and 2"))
        }
      }
    }
  }
}
