import Foundation
import Matter
import Parallel
import Scattering
import Testing

private func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }
private let isAsked = ConditionTrait.enabled(
  if: variable("APUS_BENCH") != nil, "APUS_BENCH not set")

/// Rates of the main cases, printed: APUS_BENCH=1, and APUS_THREADS for more threads than one.
@Suite("Rates", .serialized)
struct CorrelationRates {
  /// C₄H₂I₂S, 1152 atoms that swing about random places, as in analysis/bench_dynasor.py.
  private let edges = SIMD3(29.889, 36.588, 21.016)
  private let labels = (0..<1152).map { $0 < 512 ? "C" : $0 < 768 ? "H" : $0 < 1024 ? "I" : "S" }
  private let team = ThreadTeam(
    count: variable("APUS_THREADS").flatMap { Int($0) } ?? 1)
  private let random = Philox(seed: 1)

  private func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
  }

  private func positions(_ frame: Int) -> Vectors {
    let r = Vectors(count: 1152)
    for i in 0..<1152 {
      let (u, v) = (
        random.uniform(.test, step: 0, index: i), random.uniform(.test, step: 0, index: i, draw: 1)
      )
      let swing = SIMD3(
        sin(Double(frame) * u.x), sin(Double(frame) * u.y), cos(Double(frame) * v.x))
      r[i] = SIMD3(u.x, u.y, v.x) * edges + 0.2 * swing
    }
    return r
  }

  /// Lattice points up to `maximum`, of each pair ±q the one with the first index not negative.
  private func sphere(_ maximum: Double) -> [SIMD3<Int32>] {
    let b = 2 * Double.pi / edges
    let n = SIMD3<Int32>(SIMD3(repeating: maximum) / b)
    return box(n).filter { p in
      guard p.x > 0 || (p.x == 0 && (p.y > 0 || (p.y == 0 && p.z > 0))) else { return false }
      let q = SIMD3(Double(p.x), Double(p.y), Double(p.z)) * b
      return dot(q, q) <= maximum * maximum
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let points: Int
    let kinds: CorrelationKinds
    let stride, blocks: Int
    var testDescription: String { name }
  }

  @Test(
    "1000 frames, 500 lags", isAsked,
    arguments: [
      Case(name: "coherent", points: 2000, kinds: .coherent, stride: 1, blocks: 1),
      Case(name: "coherent, stride 10", points: 2000, kinds: .coherent, stride: 10, blocks: 1),
      Case(name: "coherent, 5 blocks", points: 2000, kinds: .coherent, stride: 1, blocks: 5),
      Case(
        name: "with incoherent", points: 100, kinds: [.coherent, .incoherent], stride: 1, blocks: 1),
      Case(
        name: "with incoherent, stride 10", points: 100, kinds: [.coherent, .incoherent],
        stride: 10, blocks: 1),
    ])
  func functions(_ c: Case) throws {
    let all = sphere(8)
    let chosen = (0..<c.points).map { n in
      all[Int(random.uniform(.test, step: 1, index: n).x * Double(all.count))]
    }
    let accumulator = try CorrelationAccumulator(
      plan: CorrelationPlan(
        points: .lattice(chosen), kinds: c.kinds, timestep: 2, maximumLag: 500,
        originStride: c.stride, blocks: c.blocks), species: SpeciesMap(labels), team: team)
    let cell = try Cell(orthogonal: edges)
    var densities = 0.0
    for frame in 0..<1000 {
      let r = positions(frame)
      let start = seconds(CLOCK_PROCESS_CPUTIME_ID)
      try accumulator.add(cell: cell, positions: r)
      densities += seconds(CLOCK_PROCESS_CPUTIME_ID) - start
    }
    let start = (seconds(CLOCK_PROCESS_CPUTIME_ID), seconds(CLOCK_MONOTONIC))
    let result = try accumulator.result()
    let correlation = seconds(CLOCK_PROCESS_CPUTIME_ID) - start.0
    print(
      "\(c.name), \(c.points) q, \(team.count) threads: densities \(densities) s, "
        + "correlation \(correlation) s of CPU, \(seconds(CLOCK_MONOTONIC) - start.1) s of wall; "
        + "estimated \(CorrelationAccumulator.seconds(plan: accumulator.plan, species: accumulator.species, frameCount: 1000, threads: 1)) s"
    )
    #expect(result.functions.allSatisfy { f in f.values.allSatisfy { $0.isFinite } })
  }

  @Test("Every point of a sphere", isAsked, arguments: [(8.0, 200), (14.0, 100)])
  func shells(_ maximum: Double, _ frames: Int) throws {
    let points = sphere(maximum)
    let accumulator = try ShellAccumulator(
      plan: CorrelationPlan(
        points: .lattice(points), kinds: .coherent, timestep: 2, maximumLag: frames / 4, blocks: 1),
      species: SpeciesMap(labels), shells: .bins(width: 0.05, maximum: maximum), team: team)
    let cell = try Cell(orthogonal: edges)
    for frame in 0..<frames { try accumulator.add(cell: cell, positions: positions(frame)) }
    let start = (seconds(CLOCK_PROCESS_CPUTIME_ID), seconds(CLOCK_MONOTONIC))
    let result = try accumulator.result()
    let cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - start.0
    let products = 1152 * Double(points.count) * Double(frames)
    print(
      "sphere of \(maximum) 1/Å, \(points.count) points, \(frames) frames, \(team.count) threads: "
        + "\(cpu) s of CPU, \(seconds(CLOCK_MONOTONIC) - start.1) s of wall, "
        + "\(products / cpu * 1e-9)e9 (atom q frame)/s; "
        + "estimated \(ShellAccumulator.seconds(plan: accumulator.plan, species: accumulator.species, frameCount: frames, threads: 1)) s"
    )
    #expect(result.norms.count > 100)
  }

  struct Size: Sendable, CustomTestStringConvertible {
    let name: String
    let atoms: Int
    let points: [SIMD3<Int32>]
    var kinds = CorrelationKinds.coherent
    var testDescription: String { "\(atoms) atoms, \(name)" }
  }

  private static func scattered(_ largest: Int32, _ count: Int) -> [SIMD3<Int32>] {
    let random = Philox(seed: 2)
    return (0..<count).map { n in
      let (u, v) = (
        random.uniform(.test, step: 0, index: n), random.uniform(.test, step: 0, index: n, draw: 1)
      )
      return SIMD3<Int32>(
        ((2 * SIMD3(u.x, u.y, v.x) - 1) * Double(largest)).rounded(.toNearestOrEven))
    }
  }

  @Test(
    "Densities of a frame by either method", isAsked,
    arguments: [
      Size(name: "box of 12", atoms: 500, points: box([12, 12, 12])),
      Size(name: "box of 30", atoms: 1152, points: box([30, 30, 30])),
      Size(name: "2000 points of a box of 9", atoms: 50_000, points: scattered(9, 2000)),
      Size(name: "2000 points of a box of 100", atoms: 50_000, points: scattered(100, 2000)),
      Size(name: "box of 12", atoms: 50_000, points: box([12, 12, 12])),
      Size(name: "box of 40", atoms: 50_000, points: box([40, 40, 40])),
      Size(
        name: "box of 12, currents", atoms: 10_000, points: box([12, 12, 12]), kinds: [.currents]),
    ])
  func methods(_ size: Size) throws {
    let cell = try Cell(orthogonal: [50, 60, 70])
    let r = Vectors(count: size.atoms)
    let v = Vectors(count: size.atoms)
    for i in 0..<size.atoms {
      let (a, b) = (
        random.uniform(.test, step: 0, index: i), random.uniform(.test, step: 0, index: i, draw: 1)
      )
      r[i] = SIMD3(a.x, a.y, b.x) * SIMD3(50, 60, 70)
      v[i] = SIMD3(a.y, b.x, a.x) - 0.5
    }
    var plan = CorrelationPlan(
      points: .lattice(size.points), kinds: size.kinds, timestep: 1, maximumLag: 1, blocks: 1)
    let species = SpeciesMap((0..<size.atoms).map { $0 % 2 == 0 ? "C" : "H" })
    let choice = plan.densityMethod(for: species)
    var largest = SIMD3<Int32>.zero
    for p in size.points { for d in 0..<3 { largest[d] = max(largest[d], abs(p[d])) } }
    var text = size.testDescription
    for method in [.products, DensityMethod.transform(largest: largest)] {
      plan.densities = method
      let accumulator = try CorrelationAccumulator(plan: plan, species: species, team: team)
      var best = Double.infinity
      for _ in 0..<3 {
        let start = seconds(CLOCK_PROCESS_CPUTIME_ID)
        try accumulator.add(cell: cell, positions: r, velocities: v)
        best = min(best, seconds(CLOCK_PROCESS_CPUTIME_ID) - start)
      }
      let one = CorrelationAccumulator.seconds(
        plan: plan, species: species, frameCount: 1, threads: 1)
      let two = CorrelationAccumulator.seconds(
        plan: plan, species: species, frameCount: 2, threads: 1)
      text +=
        method == .products
        ? ": products \(best * 1e3) ms (estimated \((two - one) * 1e3))"
        : ", transform \(best * 1e3) ms (estimated \((two - one) * 1e3))"
    }
    print(text + ", chosen \(choice == .products ? "products" : "transform")")
  }
}
