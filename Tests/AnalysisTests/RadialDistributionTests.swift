import Analysis
import Foundation
import Matter
import Parallel
import TestSupport
import Testing

@Suite("Radial distribution")
struct RadialDistributionTests {
  private static func run(
    _ frames: Frames, threads: Int = 2, windows: [Range<Int>]? = nil,
    _ change: (inout RadialDistribution.Plan) -> Void = { _ in }
  ) throws -> RadialDistribution.Result {
    var plan = RadialDistribution.Plan(
      groups: AtomGroup.byElement(frames.elements), atomCount: frames.elements.count,
      windows: windows ?? [0..<frames.count])
    change(&plan)
    let rdf = RadialDistribution(plan, team: ThreadTeam(count: threads))
    for f in 0..<frames.count {
      try rdf.accumulate(cell: frames.cells[f], positions: Vectors(frames.positions[f]))
    }
    return try rdf.result()
  }

  /// Uniform random atoms.
  private static func gas(
    _ elements: [String], _ count: Int, _ cell: Cell, seed: UInt64, outside: Double = 0
  ) -> Frames {
    var random = TestRandom(seed)
    return Frames(
      elements: elements.map { Element(symbol: $0)! },
      cells: Array(repeating: cell, count: count),
      positions: (0..<count).map { _ in
        elements.map { _ in cell.cartesian(random.vector() + (random.vector() - 0.5) * outside) }
      })
  }

  /// Counts of ordered pairs over every image, as they are defined.
  private static func naive(_ frames: Frames, _ a: [Int], _ b: [Int], cutoff: Double, bins: Int)
    -> [Int64]
  {
    var counts = [Int64](repeating: 0, count: bins)
    for f in 0..<frames.count {
      let c = frames.cells[f]
      // Distances of wrapped atoms lie within one cell more.
      let range = (0..<3).map { Int((cutoff / c.thickness[$0]).rounded(.up)) + 1 }
      let inverse = c.fractionalMatrix
      let r = frames.positions[f].map { $0 - c.cartesian((inverse * $0).rounded(.down)) }
      for i in a {
        for j in b {
          for n in -range[0]...range[0] {
            for m in -range[1]...range[1] {
              for k in -range[2]...range[2] where i != j || (n, m, k) != (0, 0, 0) {
                let d = r[j] - r[i] + c.cartesian([Double(n), Double(m), Double(k)])
                let distance = dot(d, d).squareRoot()
                if distance < cutoff { counts[Int(distance / cutoff * Double(bins))] += 1 }
              }
            }
          }
        }
      }
    }
    return counts
  }

  @Test(
    "MDAnalysis' g(r) and counts: whole run, early and late",
    .enabled(if: Reference.isAvailable, "needs shared/reference"))
  func mdanalysis() throws {
    let all = try Frames.reference("A")
    var frames = all
    frames.positions = stride(from: 0, to: 400, by: 4).map { all.positions[$0] }
    frames.cells = stride(from: 0, to: 400, by: 4).map { all.cells[$0] }
    let result = try Self.run(frames, windows: [0..<100, 0..<25, 75..<100]) {
      $0.cutoff = 4
      $0.bins = 80
    }
    let radii = try Frames.structureReference("r")
    #expect(zip(result.radii, radii).allSatisfy { abs($0 - $1) < 1e-12 })
    for (p, name) in ["H_H", "H_Si", "Si_Si"].enumerated() {
      for (w, window) in ["all", "early", "late"].enumerated() {
        let g = try Frames.structureReference("mda_g_\(name)_\(window)")
        #expect(worstRelative(result.windows[w].curves[p].g, g, floor: 1e-3) < 2e-8)
      }
      let counts = try Frames.structureReference("mda_count_\(name)")
      #expect(result.windows[0].curves[p].counts.map(Double.init) == counts)
    }
  }

  @Test(
    "Pairs over all images equal those of the definition, in cells of every shape and thickness",
    arguments: 0..<40)
  func definition(_ seed: Int) throws {
    var random = TestRandom(1000 + UInt64(seed))
    let skew = seed % 2 == 0 ? 0 : 0.6
    func edge() -> Double { 2 + 9 * random.uniform() }
    func off() -> Double { skew * (random.uniform() - 0.5) }
    var rows = Matrix3([edge(), off(), off()], [off(), edge(), off()], [off(), off(), edge()])
    // The same lattice by other vectors, so skewed that none is a height.
    if seed % 4 == 3 { rows = Matrix3(rows.x, rows.y + rows.x, rows.z - rows.y - rows.x) }
    if seed % 5 == 1 { rows = Matrix3(rows.y, rows.x, rows.z) }
    let cell = try Cell(rows: rows)
    let cutoff = 1 + 8 * random.uniform()
    let counts = [1, 2, 5, 17, 40]
    let n = counts[seed % counts.count]
    let elements = (0..<n).map { ["H", "C", "C"][$0 % 3] }
    let frames = Self.gas(elements, 2, cell, seed: UInt64(seed), outside: 6)
    let result = try Self.run(frames) {
      $0.cutoff = cutoff
      $0.bins = 50
    }
    let groups = AtomGroup.byElement(frames.elements)
    var p = 0
    for a in groups.indices {
      for b in a..<groups.count {
        let exact = Self.naive(
          frames, groups[a].atoms, groups[b].atoms, cutoff: cutoff, bins: 50)
        let counted = result.windows[0].curves[p].counts
        #expect(counted == exact)
        let inside = exact.reduce(0, +)
        let ratio = Double(inside) / Double(2 * groups[a].atoms.count)
        #expect(abs((result.windows[0].curves[p].coordination.last ?? -1) - ratio) < 1e-12)
        p += 1
      }
    }
  }

  @Test("Many atoms in a skewed cell: the search equals that of a single column")
  func manyAtoms() throws {
    let cell = try Cell(a: [31, 0, 0], b: [9, 25, 0], c: [-6, 5, 40])
    let frames = Self.gas(Array(repeating: "Ar", count: 1500), 1, cell, seed: 77)
    let result = try Self.run(frames) { $0.cutoff = 6.5 }
    var naive = [Int64](repeating: 0, count: 400)
    let inverse = cell.fractionalMatrix
    let r = frames.positions[0]
    for i in r.indices {
      for j in r.indices where j != i {
        // Half of the thinnest direction exceeds the cutoff by far, so one image is enough.
        let d = r[j] - r[i]
        let near = d - cell.cartesian((inverse * d).rounded(.toNearestOrEven))
        let distance = dot(near, near).squareRoot()
        if distance < 6.5 { naive[Int(distance / 6.5 * 400)] += 1 }
      }
    }
    #expect(result.windows[0].curves[0].counts == naive)
  }

  @Test("An ideal gas has g(r) = 1 within its statistical error, which is the one stated")
  func idealGas() throws {
    let cell = try Cell(a: [11, 0, 0], b: [3, 12, 0], c: [-2, 1, 13])
    let frames = Self.gas(
      (0..<40).map { $0 % 2 == 0 ? "Ar" : "Kr" }, 3000, cell, seed: 5)
    let result = try Self.run(frames) {
      $0.cutoff = 10
      $0.bins = 20
      $0.blocks = 20
    }
    for (p, curve) in result.windows[0].curves.enumerated() {
      var squares = 0.0
      for k in 2..<20 {
        // Unordered pairs are independent: the error of g is 1/√pairs. Like pairs count twice.
        let pairs = Double(curve.counts[k]) / (p == 1 ? 1 : 2)
        squares += pow(curve.g[k] - 1, 2) * pairs
        #expect((0.5...1.7).contains(curve.gError[k] * pairs.squareRoot()))
      }
      #expect((0.3...2.2).contains(squares / 18))
    }
  }

  @Test("Counts do not depend on threads, wrapping or the order of atoms")
  func invariance() throws {
    let cell = try Cell(a: [8, 0, 0], b: [2, 9, 0], c: [1, -2, 10])
    let frames = Self.gas((0..<60).map { $0 % 3 == 0 ? "C" : "H" }, 70, cell, seed: 6, outside: 5)
    let graph = BondGraph(
      elements: frames.elements, cell: cell, positions: Vectors(frames.positions[0]))
    func result(_ frames: Frames, _ threads: Int, _ graph: BondGraph)
      throws -> RadialDistribution.Result
    {
      try Self.run(frames, threads: threads, windows: [0..<30, 40..<70]) { $0.bonds = graph }
    }
    let one = try result(frames, 1, graph)
    for other in [
      try result(frames, 2, graph), try result(frames, 3, graph),
      try result(frames.wrapped, 2, graph),
    ] {
      for (a, b) in zip(one.windows, other.windows) {
        for (x, y) in zip(a.curves, b.curves) {
          #expect(x.counts == y.counts && x.g == y.g && x.gError == y.gError)
        }
      }
    }
    let order = (0..<60).map { ($0 * 7) % 60 }
    let shuffled = frames.reordered(order)
    let other = try Self.run(shuffled, windows: [0..<30, 40..<70])
    for (a, b) in zip(one.windows, other.windows) {
      for (x, y) in zip(a.curves, b.curves) { #expect(x.counts == y.counts && x.g == y.g) }
    }
  }

  @Test("Pairs inside molecules stand apart, also across the edges of the cell")
  func molecules() throws {
    let cell = try cell(10, 10, 12)
    var random = TestRandom(3)
    var frames = Frames(elements: [], cells: [], positions: [])
    for _ in 0..<10 { frames.elements += [Element(symbol: "C")!, Element(symbol: "O")!] }
    // Molecules on a grid, so that none touches another, moved together across the edges.
    for f in 0..<20 {
      var positions: [SIMD3<Double>] = []
      for m in 0..<10 {
        let site = SIMD3(Double(m % 2) * 5, Double(m / 2 % 2) * 5, Double(m / 4) * 4)
        let v = random.normalVector()
        let center = site + Double(f) * 0.7
        positions += [center, center + v * (1.15 / dot(v, v).squareRoot())]
      }
      frames.positions.append(positions)
      frames.cells.append(cell)
    }
    let graph = BondGraph(
      elements: frames.elements, cell: cell, positions: Vectors(frames.positions[0]))
    #expect(graph.molecules.count == 10)
    for source in [frames, frames.wrapped] {
      let result = try Self.run(source) {
        $0.cutoff = 8
        $0.bins = 80
        $0.bonds = graph
      }
      let names = ["C-C", "C-O", "O-O"]
      #expect(result.pairs == names)
      for (p, curve) in result.windows[0].curves.enumerated() {
        let (intra, inter) = (try #require(curve.intra), try #require(curve.inter))
        for k in 0..<80 {
          #expect(abs(intra[k] + inter[k] - curve.g[k]) < 1e-12 * max(1, curve.g[k]))
          // All bonds of 1.15 Å lie in the bin from 1.1 to 1.2 Å (or on neither side of it).
          if p != 1 || k != 11 { #expect(intra[k] == 0) }
        }
      }
      let curve = result.windows[0].curves[1]
      #expect(abs(curve.coordination[12] - 1) < 1e-12)
      #expect((curve.intra?[11] ?? 0) > 0 && curve.inter?[11] == 0)
    }
  }

  @Test("Overlapping groups of named atoms are counted as their definition says")
  func groups() throws {
    let cell = try cell(7, 8, 9)
    let frames = Self.gas((0..<20).map { $0 < 12 ? "C" : "H" }, 3, cell, seed: 21)
    let groups = [
      AtomGroup(name: "C", atoms: Array(0..<12)), AtomGroup(name: "first", atoms: [0, 1, 13, 14]),
    ]
    let result = try Self.run(frames) {
      $0.groups = groups
      $0.cutoff = 6
      $0.bins = 30
    }
    #expect(result.pairs == ["C-C", "C-first", "first-first"])
    for (p, (a, b)) in [(0, 0), (0, 1), (1, 1)].enumerated() {
      let exact = Self.naive(frames, groups[a].atoms, groups[b].atoms, cutoff: 6, bins: 30)
      #expect(result.windows[0].curves[p].counts == exact)
    }
    let asked = try Self.run(frames) {
      $0.groups = groups
      $0.pairs = [[1, 0]]
      $0.cutoff = 6
      $0.bins = 30
    }
    #expect(asked.pairs == ["first-C"])
    #expect(asked.windows[0].curves[0].counts == result.windows[0].curves[1].counts)
    #expect(
      abs(
        (asked.windows[0].curves[0].coordination[29]) * 4
          - result.windows[0].curves[1].coordination[29] * 12) < 1e-9)
  }

  @Test("Two windows of the same fluid rarely differ; a change is found")
  func comparison() throws {
    let cell = try cell(9, 9, 9)
    var alarms = 0
    let runs = 200
    for seed in 0..<runs {
      let frames = Self.gas(
        Array(repeating: "Ar", count: 20), 100, cell, seed: 500 + UInt64(seed))
      let result = try Self.run(frames, windows: [0..<50, 50..<100]) {
        $0.cutoff = 4.5
        $0.bins = 15
      }
      let difference = try #require(result.differences.first)
      #expect(difference.verdict != .notEnoughData)
      if difference.verdict == .significant { alarms += 1 }
    }
    // Each of two tests alarms in 2 of 252 assignments: at most 1.6 % of runs, 3.2 of 200.
    #expect(alarms <= 9)
    var changed = Self.gas(Array(repeating: "Ar", count: 20), 100, cell, seed: 9)
    for f in 50..<100 {
      for i in 0..<10 { changed.positions[f][2 * i + 1] = changed.positions[f][2 * i] + [2, 0, 0] }
    }
    let result = try Self.run(changed, windows: [0..<50, 50..<100]) {
      $0.cutoff = 4.5
      $0.bins = 15
    }
    let difference = try #require(result.differences.first)
    #expect(difference.verdict == .significant)
    #expect(abs(difference.largestRadius - 2.1) < 0.31)
    #expect(difference.largest > 5 * difference.largestError)
    #expect(difference.integrated > 1.3 * difference.integratedByChance)
  }

  @Test("Windows that differ because the fluid wanders slowly are not called different")
  func slowFluid() throws {
    let cell = try cell(9, 9, 9)
    var (differ, correlated) = (0, 0)
    for seed in 0..<60 {
      var frames = Self.gas(
        Array(repeating: "Ar", count: 40), 200, cell, seed: 900 + UInt64(seed))
      // Half of the atoms sit on the others, in shares that wander over 100 frames.
      var random = TestRandom(700 + UInt64(seed))
      var slow = random.normalVector().x
      for f in 0..<200 {
        slow = 0.99 * slow + (1 - 0.99 * 0.99).squareRoot() * random.normalVector().x
        for i in 0..<20 where random.normalVector().x < slow {
          frames.positions[f][2 * i + 1] = frames.positions[f][2 * i] + [0.3, 0, 0]
        }
      }
      let result = try Self.run(frames, windows: [0..<100, 100..<200]) {
        $0.cutoff = 4.5
        $0.bins = 9
      }
      switch try #require(result.differences.first).verdict {
      case .significant: differ += 1
      case .correlated: correlated += 1
      default: break
      }
    }
    // All five stretches of one window lie above those of the other in 19 % of such series.
    #expect(differ <= 2)
    #expect(correlated >= 5)
  }

  @Test("In a cell that changes, pairs are weighed with the density of their frame")
  func changingCell() throws {
    var random = TestRandom(31)
    var frames = Frames(
      elements: Array(repeating: Element(symbol: "Ar")!, count: 30), cells: [], positions: [])
    for f in 0..<2000 {
      let c = try cell(f % 2 == 0 ? 8 : 12, 10, 10)
      frames.cells.append(c)
      frames.positions.append((0..<30).map { _ in c.cartesian(random.vector()) })
    }
    let curve = try Self.run(frames) {
      $0.cutoff = 5
      $0.bins = 5
    }.windows[0].curves[0]
    for k in 1..<5 {
      #expect(abs(curve.g[k] - 1) < 4 / (Double(curve.counts[k]) / 2).squareRoot())
    }
  }

  @Test("Totals as neutrons and X-rays see them")
  func weighted() throws {
    let cell = try cell(9, 9, 9)
    let frames = Self.gas((0..<30).map { $0 % 3 == 0 ? "C" : "H" }, 50, cell, seed: 40)
    let result = try Self.run(frames) {
      $0.cutoff = 4.5
      $0.bins = 9
    }
    let neutron = try WeightedDistribution(
      of: result, window: 0, elements: frames.elements, radiation: .neutron)
    let curves = result.windows[0].curves
    let (c, h) = (10.0 / 30 * 6.646, 20.0 / 30 * -3.739)
    for k in 0..<9 {
      let expected =
        (c * c * curves[0].g[k] + 2 * c * h * curves[1].g[k] + h * h * curves[2].g[k])
        / ((c + h) * (c + h))
      #expect(abs(neutron.g[k] - expected) < 1e-12 * max(1, abs(expected)))
      let reduced = 4 * Double.pi * result.radii[k] * 30 / 729 * (expected - 1)
      #expect(abs(neutron.reduced[k] - reduced) < 1e-12 * max(1, abs(reduced)))
    }
    let xray = try WeightedDistribution(
      of: result, window: 0, elements: frames.elements, radiation: .xray)
    let z = (36 * curves[0].g[5] * 1 + 2 * 6 * 2 * curves[1].g[5] + 4 * curves[2].g[5]) / 64
    #expect(abs(xray.g[5] - z) < 1e-12)
    #expect(xray.gError[5] > 0)
    let partial = try Self.run(frames) { $0.pairs = [[0, 0]] }
    #expect(throws: ObservableError.self) {
      try WeightedDistribution(
        of: partial, window: 0, elements: frames.elements, radiation: .xray)
    }
  }

  @Test("No frames, no cell, single atoms and numbers that are not")
  func littleData() throws {
    let c = try cell(9, 9, 9)
    let empty = Frames(
      elements: [Element(symbol: "H")!, Element(symbol: "C")!], cells: [], positions: [])
    #expect(throws: ObservableError.self) { try Self.run(empty, windows: [0..<10]) }
    var one = empty
    one.positions = [[.zero, [1, 0, 0]]]
    one.cells = [c]
    let result = try Self.run(one, windows: [0..<1, 5..<9]) { $0.cutoff = 4 }
    let curve = result.windows[0].curves[1]
    #expect(curve.counts.reduce(0, +) == 1 && curve.gError[40].isNaN)
    // One atom of an element: no pairs are expected, and none are there.
    #expect(result.windows[0].curves[0].g[100].isNaN)
    #expect(result.windows[1].frameCount == 0 && result.windows[1].curves[1].g[40].isNaN)
    #expect(result.differences.allSatisfy { $0.verdict == .notEnoughData })
    let rdf = RadialDistribution(
      RadialDistribution.Plan(
        groups: AtomGroup.byElement(one.elements), atomCount: 2, windows: [0..<5]),
      team: ThreadTeam(count: 1))
    #expect(throws: ObservableError.missing(frame: 0, what: "cell")) {
      try rdf.accumulate(cell: nil, positions: Vectors(count: 2))
    }
    #expect(throws: ObservableError.self) {
      try rdf.accumulate(cell: try cell(9, 9, 0.1), positions: Vectors(count: 2))
    }
    #expect(throws: ObservableError.notFinite(frame: 0, atom: 1, what: "position")) {
      try rdf.accumulate(cell: c, positions: Vectors([.zero, [0, .infinity, 0]]))
    }
  }

  @Test("Windows in time are frames, both ends included")
  func windows() {
    #expect(RadialDistribution.frames(in: 0.1...0.3, frameSpacing: 0.01) == 10..<31)
    #expect(RadialDistribution.frames(in: 0...0.005, frameSpacing: 0.01) == 0..<1)
    #expect(RadialDistribution.defaultWindows(frameCount: 1000) == [100..<280, 820..<1000])
    #expect(RadialDistribution.defaultWindows(frameCount: 3) == [0..<3])
  }
}
