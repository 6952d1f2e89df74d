import Analysis
import Foundation
import Matter
import Parallel
import Testing

/// Times of the observables on a trajectory that `analysis/bench_analysis.py` writes and gives to
/// other programs too; run by it.
@Suite("Analysis bench")
struct AnalysisBench {
  private static let path = ProcessInfo.processInfo.environment["APUS_BENCH_TRAJECTORY"]

  @Test("Seconds of each observable", .enabled(if: path != nil, "see analysis/bench_analysis.py"))
  func bench() throws {
    let environment = ProcessInfo.processInfo.environment
    let path = try #require(Self.path)
    let threads = Int(environment["APUS_BENCH_THREADS"] ?? "1") ?? 1
    // Three edges of an orthogonal cell, then positions, all float32; symbols in a second file.
    let symbols = try String(contentsOfFile: path + ".symbols", encoding: .utf8)
      .split(separator: "\n")
    let elements = symbols.compactMap { Element(symbol: String($0)) }
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    let n = elements.count
    let frameCount = (data.count / 4 - 3) / (3 * n)
    let cell = try data.withUnsafeBytes { raw in
      let edges = raw.bindMemory(to: Float.self)
      return try Cell(orthogonal: [Double(edges[0]), Double(edges[1]), Double(edges[2])])
    }
    let team = ThreadTeam(count: threads)
    let spacing = 0.01
    let frame = Vectors(count: n)
    func forEachFrame(_ body: () throws -> Void) throws {
      try data.withUnsafeBytes { raw in
        let numbers = raw.bindMemory(to: Float.self)
        for f in 0..<frameCount {
          var k = 3 + f * 3 * n
          for i in 0..<n {
            frame.x[i] = Double(numbers[k])
            frame.y[i] = Double(numbers[k + 1])
            frame.z[i] = Double(numbers[k + 2])
            k += 3
          }
          try body()
        }
      }
    }
    let wanted = environment["APUS_BENCH_ONLY"]
    func time(_ name: String, _ body: () throws -> Double) rethrows {
      guard wanted == nil || wanted == name else { return }
      let start = ContinuousClock.now
      let check = try body()
      let seconds = (ContinuousClock.now - start) / .seconds(1)
      print("bench \(name) \(seconds) \(check)")
    }
    let groups = AtomGroup.byElement(elements)
    var graph: BondGraph?
    try forEachFrame {
      if graph == nil { graph = BondGraph(elements: elements, cell: cell, positions: frame) }
    }
    let bonds = try #require(graph)
    try time("read") {
      var sum = 0.0
      try forEachFrame { sum += frame.x[0] }
      return sum
    }
    try time("rdf") {
      var plan = RadialDistribution.Plan(
        groups: groups, atomCount: n, windows: [0..<frameCount])
      plan.bonds = bonds
      let rdf = RadialDistribution(plan, team: team)
      try forEachFrame { try rdf.accumulate(cell: cell, positions: frame) }
      return try rdf.result().windows[0].curves[0].g[200]
    }
    try time("msd") {
      var plan = MeanSquareDisplacement.Plan(
        groups: groups, masses: elements.map(\.mass), frameSpacing: spacing)
      plan.maximumLag = Double(frameCount - 1) * spacing
      let msd = MeanSquareDisplacement(plan)
      try forEachFrame { try msd.accumulate(cell: cell, positions: frame) }
      return try msd.result(team: team).groups[0].total[frameCount / 2]
    }
    try time("vacf") {
      let vacf = VelocityAutocorrelation(
        .init(groups: groups, masses: elements.map(\.mass), frameSpacing: spacing))
      try forEachFrame { try vacf.accumulate(velocities: frame) }
      return try vacf.result(team: team).groups[0].autocorrelation[10]
    }
    try time("molecules") {
      let series = MoleculeSeries(bonds)
      try forEachFrame { try series.accumulate(cell: cell, positions: frame) }
      let result = series.result()
      return Double(result.counts.last ?? 0) + (result.herringboneAngles.last ?? 0) / 1000
    }
  }
}
