import Foundation

extension RadialDistribution {
  /// Distributions of all pairs in all windows.
  public struct Result: Sendable {
    /// The names of the pairs, such as `C-H`, in the order of the plan.
    public var pairs: [String]
    /// The middles and the edges of the bins, in Å; one edge more than bins.
    public var radii, edges: [Double]
    /// The windows of the plan, in its order.
    public var windows: [Window]
    /// The difference between the first and the last window, by pair; empty for one window.
    public var differences: [Difference]
    /// The mean number density of all atoms of the groups in each window, in Å⁻³.
    public var densities: [Double]
    /// The number of atoms of each group.
    public var groupSizes: [String: Int]
  }

  /// The distributions of one window.
  public struct Window: Sendable {
    /// The frames asked for.
    public var frames: Range<Int>
    /// The frames that there were.
    public var frameCount: Int
    /// A distribution for each pair.
    public var curves: [Distribution]
  }

  /// The distribution of one pair in one window; errors are standard errors from the blocks of the
  /// window, NaN where there are not enough.
  public struct Distribution: Sendable {
    /// g(r) by bin.
    public var g, gError: [Double]
    /// The parts of pairs inside a molecule and of the others, which add up to g; nil without bonds.
    public var intra, intraError, inter, interError: [Double]?
    /// The mean number of atoms of the second group nearer than the upper edge of the bin to one of
    /// the first.
    public var coordination, coordinationError: [Double]
    /// Counted pairs (from an atom of the first group to one of the second) by bin, all frames.
    public var counts: [Int64]
    /// g(r) of each block.
    var blocks: [[Double]]
  }

  /// How g(r) of the last window differs from that of the first.
  public struct Difference: Sendable {
    /// What can be said.
    public enum Verdict: String, Sendable {
      /// No more than the blocks of a window differ among each other.
      case none = "no difference beyond the statistical error"
      /// More than that.
      case significant = "the windows differ"
      /// More than that, but blocks are too short to be independent of each other.
      case correlated = "not enough data: distances stay correlated from stretch to stretch"
      /// Fewer than five blocks in a window.
      case notEnoughData = "not enough data"
    }
    /// The largest |Δg|, where (Å), and the standard error of Δg there.
    public var largest, largestRadius, largestError: Double
    /// ∫|Δg| dr, in Å, and its mean over random assignments of the blocks to the windows, which is
    /// what the statistical error alone gives.
    public var integrated, integratedByChance: Double
    /// The share of assignments of blocks to windows that give at least as large an integral, or at
    /// least as large a maximum.
    public var integratedProbability, largestProbability: Double
    /// The verdict: significant below `significance` in either share.
    public var verdict: Verdict

    /// The share of assignments at which a difference is taken for real.
    public static let significance = 0.01
    /// Fewest statistical inefficiencies of pair counts in a block for a difference to be real.
    public static let inefficienciesPerBlock = 3.0
  }
}

extension RadialDistribution.Result {
  init(
    plan: RadialDistribution.Plan, pairs: [SIMD2<Int>], classes: PairClasses, totals: PairTotals,
    volumes: PairVolumes, inefficiencies: [[Double]]
  ) {
    let bins = plan.bins
    let width = plan.cutoff / Double(bins)
    edges = (0...bins).map { Double($0) * width }
    radii = (0..<bins).map { (Double($0) + 0.5) * width }
    self.pairs = pairs.map { plan.groups[$0.x].name + "-" + plan.groups[$0.y].name }
    groupSizes = Dictionary(
      plan.groups.map { ($0.name, $0.atoms.count) }, uniquingKeysWith: { first, _ in first })
    let cube = 4 * Double.pi / 3 * width * width * width
    let shells = (0..<bins).map { bin -> Double in
      let k = Double(bin)
      return cube * (3 * k * (k + 1) + 1)
    }
    let total = Set(plan.groups.flatMap(\.atoms)).count

    windows = []
    densities = []
    for (w, frames) in plan.windows.enumerated() {
      let slots = (w * plan.blocks..<(w + 1) * plan.blocks)
      let counted = slots.reduce(0) { $0 + volumes.frames[$1] }
      // A block of which the run gave less than half does not count for errors.
      let blocks = slots.filter { slot -> Bool in
        let counted = volumes.frames[slot]
        return counted > 0 && 2 * counted * plan.blocks >= frames.count
      }
      let inverse = slots.reduce(0) { $0 + volumes.inverse[$1] }
      densities.append(counted > 0 ? Double(total) * inverse / Double(counted) : .nan)
      let curves = pairs.map { pair in
        Self.distribution(
          pair, plan: plan, classes: classes, totals: totals, volumes: volumes,
          slots: Array(slots), blocks: blocks, shells: shells)
      }
      windows.append(.init(frames: frames, frameCount: counted, curves: curves))
    }
    differences = []
    if let first = windows.first, let last = windows.last, windows.count > 1 {
      // Whatever is slow in one pair is no less slow in the others.
      let slowest = [inefficiencies.first, inefficiencies.last].compactMap { $0?.max() }.max() ?? 1
      differences = pairs.indices.map { p in
        var difference = WindowComparison.difference(
          first.curves[p].blocks, last.curves[p].blocks, first: first.curves[p].g,
          last: last.curves[p].g, radii: radii, width: width)
        let block = Double(min(first.frames.count, last.frames.count)) / Double(plan.blocks)
        if difference.verdict == .significant,
          block < RadialDistribution.Difference.inefficienciesPerBlock * slowest
        {
          difference.verdict = .correlated
        }
        return difference
      }
    }
  }

  private static func distribution(
    _ pair: SIMD2<Int>, plan: RadialDistribution.Plan, classes: PairClasses, totals: PairTotals,
    volumes: PairVolumes, slots: [Int], blocks: [Int], shells: [Double]
  ) -> RadialDistribution.Distribution {
    let bins = shells.count
    let (a, b) = (plan.groups[pair.x].atoms, plan.groups[pair.y].atoms)
    let allPairs = Double(a.count) * Double(b.count)
    let own = Double(Set(a).intersection(b).count)

    /// Pairs from the first group to the second: twice the unordered ones within a class.
    func ordered(_ counts: [[Int64]], _ slots: [Int]) -> [Int64] {
      var sum = [Int64](repeating: 0, count: bins)
      for c in classes.members.indices where classes.members[c].contains(pair.x) {
        for d in classes.members.indices where classes.members[d].contains(pair.y) {
          let first = classes.pair(c, d) * bins
          for slot in slots {
            for k in 0..<bins { sum[k] += (c == d ? 2 : 1) * counts[slot][first + k] }
          }
        }
      }
      return sum
    }
    /// What a uniform distribution of the pairs gives.
    func expected(_ slots: [Int]) -> [Double] {
      let near = (allPairs - own) * slots.reduce(0) { $0 + volumes.inverse[$1] }
      return (0..<bins).map { k in
        let far = own * slots.reduce(0) { $0 + volumes.inverseBeyond[$1][k] }
        return (near + far) * shells[k]
      }
    }
    func ratio(_ counts: [Int64], _ expected: [Double]) -> [Double] {
      zip(counts, expected).map { $1 > 0 ? Double($0) / $1 : .nan }
    }
    func neighbors(_ counts: [Int64], _ slots: [Int]) -> [Double] {
      let frames = slots.reduce(0) { $0 + volumes.frames[$1] }
      var sum: Int64 = 0
      return counts.map {
        sum += $0
        return a.isEmpty || frames == 0 ? .nan : Double(sum) / (Double(a.count) * Double(frames))
      }
    }
    func errors(_ rows: [[Double]]) -> [Double] {
      (0..<bins).map { k in Spread.standardError(rows.map { $0[k] }) }
    }

    let counts = ordered(totals.all, slots)
    let uniform = expected(slots)
    let blockExpected = blocks.map { expected([$0]) }
    let blockCounts = blocks.map { ordered(totals.all, [$0]) }
    let blockCurves = zip(blockCounts, blockExpected).map(ratio)
    var result = RadialDistribution.Distribution(
      g: ratio(counts, uniform), gError: errors(blockCurves),
      coordination: neighbors(counts, slots),
      coordinationError: errors(zip(blockCounts, blocks).map { neighbors($0, [$1]) }),
      counts: counts, blocks: blockCurves)
    if classes.hasMolecules {
      func minus(_ all: [Int64], _ part: [Int64]) -> [Int64] { zip(all, part).map { $0 - $1 } }
      let inside = ordered(totals.inside, slots)
      let blockInside = blocks.map { ordered(totals.inside, [$0]) }
      result.intra = ratio(inside, uniform)
      result.intraError = errors(zip(blockInside, blockExpected).map(ratio))
      result.inter = ratio(minus(counts, inside), uniform)
      result.interError = errors(
        zip(zip(blockCounts, blockInside).map(minus), blockExpected).map(ratio))
    }
    return result
  }
}
