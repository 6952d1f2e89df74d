import Foundation
import Matter
import Parallel
import Scattering
import TestSupport
import Testing

@Suite("Densities by a non-uniform Fourier transform")
struct GridTransformTests {
  private let random = Philox(seed: 41)

  private func places(_ count: Int, _ draw: Int = 0) -> [SIMD3<Double>] {
    (0..<count).map { i in
      let (u, v) = (
        random.uniform(.test, step: draw, index: i),
        random.uniform(.test, step: draw, index: i, draw: 1)
      )
      return [u.x, u.y, v.x]
    }
  }

  /// Σ c e^{2πi n·s}, term by term.
  private func direct(_ s: [SIMD3<Double>], _ c: [Double]?, _ n: SIMD3<Int32>) -> SIMD2<Double> {
    var sum = SIMD2<Double>.zero
    for (i, s) in s.enumerated() {
      var turns = 0.0
      for d in 0..<3 {
        let x = Double(n[d]) * (s[d] - s[d].rounded(.toNearestOrEven))
        turns += x - x.rounded(.toNearestOrEven)
      }
      let phase = 2 * Double.pi * turns
      sum += (c?[i] ?? 1) * SIMD2(cos(phase), sin(phase))
    }
    return sum
  }

  private func sums(
    _ s: [SIMD3<Double>], _ c: [Double]?, _ points: [SIMD3<Int32>], largest: SIMD3<Int>,
    tolerance: Double, oversampling: Double, threads: Int = 1
  ) -> [SIMD2<Double>] {
    let transform = GridTransform(
      points: points, largest: largest, atomCapacity: s.count, team: ThreadTeam(count: threads),
      tolerance: tolerance, oversampling: oversampling)
    let x = AlignedBuffer(s.map(\.x))
    let y = AlignedBuffer(s.map(\.y))
    let z = AlignedBuffer(s.map(\.z))
    let strengths = AlignedBuffer(c ?? [])
    let values = AlignedBuffer<Double>(count: 2 * points.count)
    transform.place(x.pointer, y.pointer, z.pointer, count: s.count)
    transform.sums(strengths: c == nil ? nil : strengths.pointer, into: values.pointer)
    withExtendedLifetime((x.count, y.count, z.count, strengths.count)) {}
    return points.indices.map { [values[2 * $0], values[2 * $0 + 1]] }
  }

  /// The largest error over the root of Σ c².
  private func error(
    _ s: [SIMD3<Double>], _ points: [SIMD3<Int32>], strengths c: [Double]? = nil,
    tolerance: Double = 1e-10, oversampling: Double
  ) -> Double {
    var largest = SIMD3<Int>.zero
    for p in points {
      for d in 0..<3 { largest[d] = max(largest[d], Int(abs(p[d]))) }
    }
    let found = sums(
      s, c, points, largest: largest, tolerance: tolerance, oversampling: oversampling)
    let norm = (c.map { $0.reduce(0) { $0 + $1 * $1 } } ?? Double(s.count)).squareRoot()
    return zip(points, found).map { p, x in
      let d = x - direct(s, c, p)
      return (d.x * d.x + d.y * d.y).squareRoot() / norm
    }.max() ?? .infinity
  }

  @Test("Every point of a box, random places", arguments: [1.35, 1.5, 2])
  func randomPlaces(_ oversampling: Double) {
    let measured = error(places(337), box([9, 7, 5]), oversampling: oversampling)
    #expect(measured < 1e-9)
    let strengths = places(337, 7).map { $0.x - 0.5 }
    #expect(
      error(places(337), box([6, 7, 5]), strengths: strengths, oversampling: oversampling) < 1e-9)
  }

  @Test("Tolerances", arguments: [1e-4, 1e-6, 1e-8, 1e-12])
  func tolerances(_ tolerance: Double) {
    let measured = error(
      places(200), box([6, 6, 6]), tolerance: tolerance, oversampling: 2)
    #expect(measured < 10 * tolerance)
    // Nor is the kernel wider than it has to be.
    #expect(measured > 1e-4 * tolerance)
  }

  @Test("Ranges of very different length, and a plane, a line and the origin alone")
  func anisotropic() {
    let s = places(101)
    #expect(error(s, box([40, 1, 3]), oversampling: 1.35) < 1e-9)
    #expect(error(s, box([0, 31, 2]), oversampling: 1.5) < 1e-9)
    #expect(error(s, box([2, 0, 67]), oversampling: 2) < 1e-9)
    #expect(error(s, box([11, 13, 0]), oversampling: 1.35) < 1e-9)
    #expect(error(s, box([0, 0, 17]), oversampling: 1.5) < 1e-9)
    #expect(error(s, [.zero], oversampling: 2) < 1e-9)
  }

  @Test("Atoms on the faces of the cell, outside it, on the grid and on one another")
  func edges() {
    let tiny = 0x1p-60
    var s: [SIMD3<Double>] = [
      .zero, [1, 1, 1], [-tiny, tiny, 1 - 0x1p-53], [0.5, -0.5, 0], [-3.25, 7.75, 100],
      [1 - 0x1p-53, 0, -0x1p-53], [0.999999, 0.000001, 0.5], [0.25, 0.25, 0.25],
      [0.25, 0.25, 0.25],
    ]
    for k in 0..<33 { s.append(SIMD3(repeating: Double(k) / 32)) }
    for oversampling in [1.35, 1.5, 2] {
      #expect(error(s, box([5, 6, 7]), oversampling: oversampling) < 1e-9)
      #expect(error([[1, 0, 0.5]], box([3, 3, 3]), oversampling: oversampling) < 1e-9)
    }
  }

  @Test("Threads: the same bits, and those of any part of the points")
  func threads() {
    let (s, points) = (places(1009), box([8, 9, 10]))
    let largest = SIMD3(9, 9, 11)
    let one = sums(s, nil, points, largest: largest, tolerance: 1e-10, oversampling: 1.5)
    for threads in 2...4 {
      #expect(
        sums(
          s, nil, points, largest: largest, tolerance: 1e-10, oversampling: 1.5, threads: threads)
          == one)
    }
    let chosen = points.indices.filter { $0 % 7 == 3 }
    let part = sums(
      s, nil, chosen.map { points[$0] }, largest: largest, tolerance: 1e-10, oversampling: 1.5,
      threads: 2)
    #expect(part == chosen.map { one[$0] })
  }

  @Test("Functions of a triclinic cell, with currents: those by products to 1e-9")
  func functions() throws {
    let cell = try Cell(lengths: [9, 10, 11], angles: [80, 95, 105])
    let frames = randomWalk(
      atoms: 151, frames: 30, width: 0.3, seed: 23, cell: cell,
      labels: (0..<151).map { ["C", "H", nil, "H", "S"][$0 % 5] })
    var plan = CorrelationPlan(
      points: .lattice(box([2, 4, 3])), kinds: [.coherent, .currents], timestep: 2, maximumLag: 15,
      blocks: 3)
    let exact = try frames.result(plan)
    plan.densities = .transform(largest: [2, 4, 3])
    let result = try frames.result(plan)
    #expect(try frames.result(plan, threads: 3) == result)
    #expect(result != exact)
    for (f, g) in zip(result.functions, exact.functions) {
      #expect(deviation(f.values, from: g.values) < 1e-9)
      #expect(deviation(f.spectrum, from: g.spectrum) < 1e-9)
    }
    let shells = Shells.bins(width: 0.4, maximum: 2.5)
    func average(_ densities: DensityMethod, memory: Int) throws -> CorrelationResult {
      plan.densities = densities
      let accumulator = try ShellAccumulator(
        plan: plan, species: SpeciesMap(frames.labels), shells: shells, team: ThreadTeam(count: 2),
        memory: memory)
      try frames.feed { try accumulator.add(cell: $0, positions: $1, velocities: $2) }
      return try accumulator.result()
    }
    let whole = try average(.transform(largest: [2, 4, 3]), memory: 1 << 30)
    #expect(try average(.transform(largest: [2, 4, 3]), memory: 1 << 20) == whole)
    for (f, g) in zip(whole.functions, try average(.products, memory: 1 << 30).functions) {
      #expect(f.values.contains { $0.isFinite })
      for (x, y) in zip(f.values, g.values) { #expect(x.isNaN == y.isNaN) }
      #expect(
        deviation(f.values.filter(\.isFinite), from: g.values.filter(\.isFinite)) < 1e-9)
    }
  }

  @Test("Points outside the grid are refused")
  func outside() {
    var plan = CorrelationPlan(points: .lattice([[1, 2, 3]]), timestep: 1, maximumLag: 1)
    plan.densities = .transform(largest: [1, 2, 3])
    #expect(throws: Never.self) { try plan.validate() }
    plan.densities = .transform(largest: [1, 1, 3])
    #expect(throws: (any Error).self) { try plan.validate() }
    plan.densities = .transform(largest: [9, 9, 9])
    plan.points = .free([[1, 0, 0]])
    #expect(throws: (any Error).self) { try plan.validate() }
  }

  @Test("The choice: few points or atoms by products, many of both by a transform")
  func choice() {
    func method(_ points: [SIMD3<Int32>], atoms: Int) -> DensityMethod {
      CorrelationPlan(points: .lattice(points), kinds: .coherent, timestep: 1, maximumLag: 1)
        .densityMethod(for: SpeciesMap(Array(repeating: "Ar", count: atoms)))
    }
    #expect(method(box([2, 2, 2]), atoms: 100) == .products)
    #expect(method(box([20, 20, 20]), atoms: 100) == .products)
    #expect(method([[300, 0, 0], [0, 300, 0], [0, 0, 300]], atoms: 100_000) == .products)
    #expect(method(box([20, 20, 20]), atoms: 100_000) == .transform(largest: [20, 20, 20]))
  }
}
