import Foundation
import Matter
import Parallel
import Scattering
import TestSupport
import Testing
import Trajectory

@Suite("What correlation functions do not depend on")
struct CorrelationInvarianceTests {
  private let cell: Cell
  private let frames: Frames
  private let plan: CorrelationPlan

  init() throws {
    cell = try Cell(lengths: [9, 10, 11], angles: [80, 95, 105])
    frames = randomWalk(
      atoms: 150, frames: 40, width: 0.3, seed: 23, cell: cell,
      labels: (0..<150).map { ["C", "H", "H", "S"][$0 % 4] })
    plan = CorrelationPlan(
      points: .lattice(box([2, 3, 4])), kinds: [.coherent, .incoherent], timestep: 2,
      maximumLag: 15, originStride: 1, blocks: 3)
  }

  private func expectEqual(_ a: CorrelationResult, _ b: CorrelationResult, within tolerance: Double)
  {
    #expect(a.functions.count == b.functions.count)
    for (f, g) in zip(a.functions, b.functions) {
      #expect(deviation(f.values, from: g.values) < tolerance)
      #expect(deviation(f.spectrum, from: g.spectrum) < tolerance)
    }
  }

  @Test("Threads: the same bits", arguments: [2, 3])
  func threads(_ count: Int) throws {
    #expect(try frames.result(plan) == frames.result(plan, threads: count))
    var currents = plan
    currents.kinds = [.coherent, .currents]
    currents.originStride = 2
    #expect(try frames.result(currents) == frames.result(currents, threads: count))
  }

  @Test("Other points: a shard has the bits of the whole")
  func shards() throws {
    guard case .lattice(let points) = plan.points else { return }
    let whole = try frames.result(plan)
    for shard in 0..<5 {
      let chosen = points.indices.filter { $0 % 5 == shard }
      var part = plan
      part.points = .lattice(chosen.map { points[$0] })
      let result = try frames.result(part)
      for (f, g) in zip(result.functions, whole.functions) {
        for (n, p) in chosen.enumerated() {
          #expect(f.values[16 * n..<16 * (n + 1)] == g.values[16 * p..<16 * (p + 1)])
          #expect(
            f.spectrumErrors[16 * n..<16 * (n + 1)] == g.spectrumErrors[16 * p..<16 * (p + 1)])
        }
      }
      for (s, t) in zip(result.statics, whole.statics) {
        #expect(s.values == chosen.map { t.values[$0] })
      }
    }
  }

  @Test("Spooling, and results on the way")
  func spool() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "apus-spool-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let whole = try frames.result(plan)
    let accumulator = try CorrelationAccumulator(
      plan: plan, species: SpeciesMap(frames.labels), team: ThreadTeam(count: 2),
      spool: folder.path, pathMemory: 20_000)
    var count = 0
    try frames.feed { cell, positions, velocities in
      try accumulator.add(cell: cell, positions: positions)
      count += 1
      if count == 30 {
        #expect(try accumulator.result() == frames.strided(stop: 30).result(plan))
      }
    }
    #expect(try accumulator.result() == whole)
    try accumulator.sync()
    // Another process goes on from frame 17 and sees the others again.
    let resumed = try CorrelationAccumulator(
      plan: plan, species: SpeciesMap(frames.labels), team: ThreadTeam(count: 1),
      spool: folder.path, keeping: 17)
    count = 0
    try frames.feed { cell, positions, velocities in
      if count >= 17 { try resumed.add(cell: cell, positions: positions) }
      count += 1
    }
    #expect(try resumed.result() == whole)
    #expect(throws: FileError.self) {
      try CorrelationAccumulator(
        plan: plan, species: SpeciesMap(frames.labels), team: ThreadTeam(count: 1),
        spool: folder.path, keeping: 41)
    }
  }

  @Test("Wrapping: 1e-12")
  func wrapping() throws {
    var wrapped = frames
    let inverse = cell.fractionalMatrix
    wrapped.positions = frames.positions.map { frame in
      frame.map { r in
        let s = inverse * r
        return r - cell.cartesian(s.rounded(.down))
      }
    }
    #expect(wrapped.positions != frames.positions)
    expectEqual(try wrapped.result(plan), try frames.result(plan), within: 1e-12)
  }

  @Test("The order of atoms: 1e-12")
  func order() throws {
    let order = (0..<150).map { ($0 * 71 + 5) % 150 }
    var shuffled = frames
    shuffled.labels = order.map { frames.labels[$0] }
    shuffled.positions = frames.positions.map { frame in order.map { frame[$0] } }
    expectEqual(try shuffled.result(plan), try frames.result(plan), within: 1e-12)
  }

  @Test("The sign of q: 1e-13")
  func inversion() throws {
    guard case .lattice(let points) = plan.points else { return }
    var other = plan
    other.points = .lattice(points.map { 0 &- $0 })
    let (a, b) = (try frames.result(plan), try frames.result(other))
    for (f, g) in zip(a.functions, b.functions) where f.kind == .coherent {
      #expect(deviation(f.values, from: g.values) < 1e-13)
    }
  }

  @Test("How q is given: free vectors on the lattice, 1e-11")
  func free() throws {
    var free = plan
    free.points = .free(plan.points.cartesian(in: cell))
    free.kinds = [.coherent, .incoherent, .currents]
    var lattice = plan
    lattice.kinds = free.kinds
    expectEqual(try frames.result(free), try frames.result(lattice), within: 1e-11)
    let given = plan.points.cartesian(in: cell)
    #expect(WaveVectors.commensurate([given[3], given[8] * 1.0001], in: cell) == nil)
    // Along one line, whose other directions nothing tells.
    let line = [given[3] * 2, given[3] * 3]
    guard case .multiples? = WaveVectors.commensurate(line, in: cell) else {
      Issue.record("no common lattice")
      return
    }
  }

  @Test("An affine motion of cell and atoms, which |q| and its spread tell")
  func cells() throws {
    var moving = frames
    let scale = (0..<40).map { 1 + 0.01 * sin(Double($0)) }
    moving.cells = try scale.map { try Cell(rows: cell.rows * $0) }
    moving.positions = zip(frames.positions, scale).map { frame, s in frame.map { $0 * s } }
    let (a, b) = (try moving.result(plan), try frames.result(plan))
    expectEqual(a, b, within: 1e-11)
    let inverse = scale.map { 1 / $0 }
    let mean = inverse.reduce(0, +) / 40
    let deviation = (inverse.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 40).squareRoot()
    for p in b.norms.indices where b.norms[p] > 0 {
      // To first order in the strain of 1 %.
      #expect(abs(a.normSpread[p] / (b.norms[p] * deviation) - 1) < 0.01)
      #expect(abs(a.norms[p] / b.norms[p] - 40 / scale.reduce(0, +)) < 1e-12)
      #expect(b.normSpread[p] == 0)
    }
  }

  @Test("Shells: averages of the points, for any memory and thread count")
  func shells() throws {
    var plan = plan
    plan.kinds = [.coherent, .currents]
    let single = try frames.result(plan)
    for shells in [
      Shells.bins(width: 0.5, maximum: 4),
      Shells(centers: [0.5, 1, 1.5, 2, 2.5, 3], kernel: .gaussian(sigma: 0.1)),
    ] {
      func average(memory: Int, threads: Int) throws -> CorrelationResult {
        let accumulator = try ShellAccumulator(
          plan: plan, species: SpeciesMap(frames.labels), shells: shells,
          team: ThreadTeam(count: threads), memory: memory)
        try frames.feed { try accumulator.add(cell: $0, positions: $1, velocities: $2) }
        return try accumulator.result()
      }
      let all = try average(memory: 1 << 30, threads: 1)
      // Passes of 64 points; shells without points hold NaN.
      let small = try average(memory: 1, threads: 2)
      for (n, f) in all.functions.enumerated() {
        #expect(f.values.map(\.bitPattern) == small.functions[n].values.map(\.bitPattern))
        var expected: [Double] = []
        var found: [Double] = []
        for (shell, center) in shells.centers.enumerated() {
          let weights = single.norms.map { norm -> Double in
            let d = norm - center
            switch shells.kernel {
            case .bin(let width): return d >= -width / 2 && d < width / 2 ? 1 : 0
            case .gaussian(let sigma): return exp(-0.5 * d * d / sigma / sigma)
            }
          }
          let total = weights.reduce(0, +)
          let row = f.values[16 * shell..<16 * (shell + 1)]
          guard total > 0 else {
            #expect(row.allSatisfy { $0.isNaN })
            continue
          }
          found += row
          for lag in 0..<16 {
            var sum = 0.0
            for p in weights.indices {
              sum += weights[p] * single.functions[n].values[16 * p + lag]
            }
            expected.append(sum / total)
          }
        }
        #expect(deviation(found, from: expected) < 1e-12)
      }
    }
  }

  @Test("Replicas: the mean by pairs, and their spread")
  func replicas() throws {
    let replicas = try (0..<4).map { n in
      try randomWalk(
        atoms: 30, frames: n == 3 ? 60 : 40, width: 0.3, seed: UInt64(n), cell: cell
      ).result(
        CorrelationPlan(
          points: .lattice([[1, 0, 2], [3, 1, 1]]), timestep: 2, maximumLag: 15, blocks: 1))
    }
    let mean = try CorrelationResult.mean(ofReplicas: replicas)
    for (f, function) in mean.functions.enumerated() {
      for i in function.values.indices {
        let n = replicas.map { $0.pairCounts[i % 16] }
        let total = n.reduce(0, +)
        let x = replicas.map { $0.functions[f].values[i] }
        let m = zip(n, x).map { $0 * $1 }.reduce(0, +) / total
        #expect(abs(function.values[i] - m) < 1e-14)
        let square = zip(n, x).map { pow($0 * ($1 - m) / total, 2) }.reduce(0, +)
        #expect(abs(function.valueErrors[i] - (square * 4 / 3).squareRoot()) < 1e-14)
      }
      let step = mean.frequencies[1] / (2 * Double.pi)
      let s = function.spectrum
      let sum = 2 * s[0..<16].reduce(0, +) - s[0]
      #expect(abs(sum * step - function.values[0]) < 1e-13)
    }
    #expect(mean.frameCount == 180)
    var other = replicas[1]
    other.timestep *= 2
    #expect(throws: InputError.self) {
      try CorrelationResult.mean(ofReplicas: [replicas[0], other])
    }
  }

  @Test("Bad input is refused with a remedy")
  func refusals() throws {
    var currents = plan
    currents.kinds = .currents
    let species = SpeciesMap(frames.labels)
    let team = ThreadTeam(count: 1)
    let accumulator = try CorrelationAccumulator(plan: currents, species: species, team: team)
    #expect(throws: InputError.self) { try accumulator.result() }
    #expect(throws: InputError.self) {
      try accumulator.add(cell: cell, positions: Vectors(frames.positions[0]))
    }
    #expect(throws: InputError.self) {
      try accumulator.add(cell: cell, positions: Vectors(count: 3), velocities: Vectors(count: 3))
    }
    for change: (inout CorrelationPlan) -> Void in [
      { $0.timestep = 0 }, { $0.maximumLag = -1 }, { $0.originStride = 0 }, { $0.blocks = 0 },
      { $0.points = .lattice([]) }, { $0.taper = .gaussian(sigma: .nan) }, { $0.kinds = [] },
      { $0.points = .free([[.infinity, 0, 0]]) },
    ] {
      var bad = plan
      change(&bad)
      #expect(throws: InputError.self) {
        try CorrelationAccumulator(plan: bad, species: species, team: team)
      }
    }
  }
}
