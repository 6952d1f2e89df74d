import Foundation
import Matter
import Parallel
import Scattering
import Testing
import Trajectory

@Suite("Collection of frames for a deck") struct ScatterCollectorTests {
  private static let argon = Element(symbol: "Ar")!
  private static let neon = Element(symbol: "Ne")!

  /// Frames of a walk of two species, in a cell that moves or not.
  private static func walk(moving: Bool) throws -> Frames {
    let cell = try Cell(orthogonal: [9, 10, 11])
    var frames = randomWalk(
      atoms: 12, frames: 40, width: 0.2, seed: 5, cell: cell,
      labels: (0..<12).map { $0 % 3 == 0 ? "Ne" : "Ar" })
    if moving {
      frames.cells = try frames.cells.indices.map { t in
        try Cell(orthogonal: [9 + 0.02 * sin(Double(t)), 10, 11 + 0.01 * cos(Double(t) / 3)])
      }
    }
    return frames
  }

  private static let plans: [ScatterPlan] = {
    var points = ScatterPlan(points: .supercell([[1, 0, 0], [-1, 0, 0], [0, 2, -3]]))
    points.correlation.maximumLag = .frames(10)
    points.correlation.kinds = [.coherent, .incoherent, .currents]
    points.debyeWaller = .run
    points.weights = .neutron
    var shells = ScatterPlan(points: .sphere(minimum: 0, maximum: 2, count: 40, seed: 3))
    shells.correlation.maximumLag = .frames(10)
    shells.shells = ScatterPlan.ShellChoice(width: 0.3, isGaussian: true)
    return [points, shells]
  }()

  private static func facts(_ frames: Frames) -> ScatterCollector.Facts {
    ScatterCollector.Facts(
      elements: frames.labels.map { $0 == "Ne" ? neon : argon }, timestep: 2,
      frameCount: frames.positions.count, hasVelocities: true)
  }

  private static func feed(
    _ collector: ScatterCollector, _ frames: Frames, _ range: Range<Int>
  ) throws {
    for t in range {
      try collector.add(
        cell: frames.cells[t], positions: Vectors(frames.positions[t]),
        velocities: Vectors(frames.velocities[t]), temperature: 80 + Double(t))
    }
  }

  @Test(
    "a process that goes on with the spool and the memory of another ends with the same bits",
    arguments: plans.indices, [false, true])
  func goesOn(plan index: Int, moving: Bool) throws {
    let plan = Self.plans[index]
    let frames = try Self.walk(moving: moving)
    let folder = NSTemporaryDirectory() + "apus-collector-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    func collector(
      spool: String? = nil, memory: [String: [Double]] = [:], threads: Int = 1
    ) throws -> ScatterCollector {
      try ScatterCollector(
        plan, facts: Self.facts(frames), isMoving: moving, team: ThreadTeam(count: threads),
        spool: spool, memory: memory)
    }
    let whole = try collector()
    try Self.feed(whole, frames, 0..<40)

    let first = try collector(spool: folder)
    try Self.feed(first, frames, 0..<17)
    try first.sync()
    let memory = first.memory
    // What comes after the checkpoint is lost.
    try Self.feed(first, frames, 17..<23)
    let second = try collector(spool: folder, memory: memory, threads: 2)
    #expect(second.frameCount == 17)
    try Self.feed(second, frames, 17..<40)

    let (a, b) = (try whole.result(), try second.result())
    #expect(a.result.functions == b.result.functions && !a.result.functions.isEmpty)
    #expect(a.result.statics == b.result.statics && a.result.normSpread == b.result.normSpread)
    #expect(a.result.q == b.result.q && a.temperature == b.temperature)
    #expect(a.meanSquares == b.meanSquares && a.temperature == 99.5)
    let moves = (a.result.normSpread.max() ?? 0) > 1e-4
    #expect(moves == moving)
  }

  @Test("a cell that moves is noticed, so that points can follow it")
  func cellMoves() throws {
    let frames = try Self.walk(moving: true)
    let collector = try ScatterCollector(
      Self.plans[0], facts: Self.facts(frames), isMoving: false, team: ThreadTeam(count: 1))
    try Self.feed(collector, frames, 0..<1)
    #expect(throws: ScatterCollector.CellMoves.self) { try Self.feed(collector, frames, 1..<2) }
  }

  @Test("q and −q are computed once and written twice")
  func inversion() throws {
    let frames = try Self.walk(moving: false)
    let collector = try ScatterCollector(
      Self.plans[0], facts: Self.facts(frames), isMoving: false, team: ThreadTeam(count: 1))
    try Self.feed(collector, frames, 0..<40)
    let data = try collector.result()
    #expect(data.points.computed.count == 2 && data.points.index == [0, 0, 1])
    let table = ScatterTable(data)
    #expect(table.result.q[1] == -table.result.q[0] && table.result.norms.count == 3)
    let f = try #require(table.result.function(.coherent))
    #expect(f.values.count == 3 * 11 && f.values[0..<11] == f.values[11..<22])
    // U = ⟨|r − ⟨r⟩|²⟩ of each species.
    let expected = ["Ar", "Ne"].map { name -> Double in
      let atoms = frames.labels.indices.filter { frames.labels[$0] == name }
      return atoms.reduce(0.0) { total, i in
        let mean = frames.positions.reduce(SIMD3<Double>.zero) { $0 + $1[i] } / 40
        return total + frames.positions.reduce(0.0) { $0 + dot($1[i] - mean, $1[i] - mean) } / 40
      } / Double(atoms.count)
    }
    let squares = try #require(table.meanSquares)
    for (a, b) in zip(squares, expected) { #expect(abs(a / b - 1) < 1e-12) }
  }

  @Test("incoherent functions in shells are means of those of the points in them")
  func incoherentShells() throws {
    let frames = try Self.walk(moving: false)
    var plan = Self.plans[1]
    plan.shells = ScatterPlan.ShellChoice(width: 0.5, isGaussian: false)
    func result(_ plan: ScatterPlan) throws -> ScatterTable {
      let collector = try ScatterCollector(
        plan, facts: Self.facts(frames), isMoving: false, team: ThreadTeam(count: 1))
      try Self.feed(collector, frames, 0..<40)
      return ScatterTable(try collector.result())
    }
    let shells = try result(plan).result
    plan.shells = nil
    let points = try result(plan).result
    for kind in [CorrelationFunction.Kind.coherent, .incoherent] {
      let (a, b) = (try #require(shells.function(kind)), try #require(points.function(kind)))
      for (s, center) in shells.norms.enumerated() {
        let inside = points.norms.indices.filter {
          points.norms[$0] >= center - 0.25 && points.norms[$0] < center + 0.25
        }
        for lag in 0..<11 {
          let mean = inside.reduce(0.0) { $0 + b.values[$1 * 11 + lag] } / Double(inside.count)
          let value = a.values[s * 11 + lag]
          #expect(inside.isEmpty ? value.isNaN : abs(value - mean) < 1e-12)
        }
      }
    }
  }
}
