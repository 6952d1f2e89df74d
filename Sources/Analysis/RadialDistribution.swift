import CHost
import Matter
import Parallel

/// Radial distribution functions of pairs of groups in windows of time (docs/theory.md, Pairs).
///
/// Frames are held until a batch is full (at most 64, or 2·10⁶ atoms), then counted by all threads.
/// Counts are integers, so results do not depend on the number of threads. Memory grows by 128 bytes
/// for each frame in a window and pair of elements.
public final class RadialDistribution {
  /// What is asked for.
  public struct Plan: Sendable {
    /// The groups; they may overlap.
    public var groups: [AtomGroup]
    /// The number of atoms in a frame.
    public var atomCount: Int
    /// Pairs of groups by index; nil: all, in order.
    public var pairs: [SIMD2<Int>]?
    /// The largest distance, in Å, which may exceed the cell.
    public var cutoff = 10.0
    /// The number of bins from 0 to the cutoff.
    public var bins = 400
    /// Which frames belong to each window.
    public var windows: [Range<Int>]
    /// The number of stretches of each window for standard errors.
    public var blocks = 5
    /// Bonds that tell pairs inside a molecule from the others; nil for no such parts.
    public var bonds: BondGraph?

    /// Distributions of groups of atoms.
    public init(groups: [AtomGroup], atomCount: Int, windows: [Range<Int>]) {
      self.groups = groups
      self.atomCount = atomCount
      self.windows = windows
    }
  }

  /// The frames from one time to another, both included.
  /// - Parameters:
  ///   - times: in ps after the first frame
  ///   - frameSpacing: in ps
  public static func frames(in times: ClosedRange<Double>, frameSpacing: Double) -> Range<Int> {
    let first = (times.lowerBound / frameSpacing - 1e-6).rounded(.up)
    let last = (times.upperBound / frameSpacing + 1e-6).rounded(.down)
    guard last >= first else { return 0..<0 }
    return Int(max(0, min(first, 1e15)))..<Int(max(0, min(last, 1e15))) + 1
  }

  /// The windows of a run of this many frames where none are given: the first and the last fifth
  /// after the first tenth.
  public static func defaultWindows(frameCount: Int) -> [Range<Int>] {
    let start = frameCount / 10
    let length = (frameCount - start) / 5
    guard length > 0 else { return [0..<frameCount] }
    return [start..<start + length, frameCount - length..<frameCount]
  }

  let plan: Plan
  let pairs: [SIMD2<Int>]
  private let classes: PairClasses
  private let team: ThreadTeam
  private let workers: [PairCounter]
  private var batch: [Batched] = []
  private let batchSize: Int
  private var frame = 0
  private var volumes: PairVolumes

  /// The largest cutoff, in thicknesses of the cell.
  private static let mostImages = 50.0

  /// A frame that waits to be counted.
  private struct Batched {
    let cell: Cell
    let positions: SharedVectors
    let frame: Int
    /// Places in the totals, one for each window that has the frame.
    let slots: [Int]
  }

  /// Ready for the first frame. Groups name atoms in 0..<atomCount, pairs name groups.
  public init(_ plan: Plan, team: ThreadTeam) {
    precondition(plan.groups.allSatisfy { $0.isValid(atomCount: plan.atomCount) })
    precondition(plan.cutoff > 0 && plan.cutoff.isFinite && plan.bins > 0 && plan.blocks > 0)
    self.plan = plan
    self.team = team
    let groupCount = plan.groups.count
    pairs =
      plan.pairs
      ?? (0..<groupCount).flatMap { a in (a..<groupCount).map { SIMD2(a, $0) } }
    precondition(pairs.allSatisfy { $0.min() >= 0 && $0.max() < groupCount })

    classes = PairClasses(plan.groups, atomCount: plan.atomCount, pairs: pairs, bonds: plan.bonds)
    batchSize = max(team.count, min(64, 2_000_000 / max(1, plan.atomCount)))
    let slots = plan.windows.count * plan.blocks
    volumes = PairVolumes(slots: slots, bins: plan.bins)
    let classes = classes
    workers = (0..<team.count).map { _ in
      PairCounter(classes, bins: plan.bins, cutoff: plan.cutoff, slots: slots)
    }
  }

  /// The number of frames seen, in windows or not.
  public var frameCount: Int { frame }

  /// Adds a frame.
  /// - Parameters:
  ///   - cell: the cell
  ///   - positions: in Å, wrapped or not
  /// - Throws: `ObservableError.missing` without a cell, `notFinite` for bad positions, `unsuitable`
  ///   for a cutoff of more than 50 thicknesses of the cell.
  public func accumulate(cell: Cell?, positions: borrowing Vectors)
    throws(ObservableError)
  {
    precondition(positions.count == plan.atomCount)
    var slots: [Int] = []
    for (w, window) in plan.windows.enumerated() where window.contains(frame) {
      slots.append(
        w * plan.blocks + (frame - window.lowerBound) * plan.blocks / window.count)
    }
    if !slots.isEmpty {
      guard let cell else { throw .missing(frame: frame, what: "cell") }
      try Finite.check(positions, what: "position", frame: frame)
      let thickness = cell.thickness.min()
      guard plan.cutoff <= Self.mostImages * thickness else {
        throw .unsuitable(
          "a cutoff of \(plan.cutoff) Å is more than \(Int(Self.mostImages)) times the \(thickness) Å "
            + "that the cell of frame \(frame + 1) is thick; ask for less")
      }
      volumes.add(cell, cutoff: plan.cutoff, to: slots)
      batch.append(
        Batched(cell: cell, positions: SharedVectors(positions), frame: frame, slots: slots))
      if batch.count == batchSize { count() }
    }
    frame += 1
  }

  private func count() {
    let batch = batch
    let workers = workers
    team.run(batch.count, chunkSize: 1) { chunk, worker in
      let item = batch[chunk.lowerBound]
      workers[worker].count(
        item.cell, item.positions.vectors, frame: item.frame, into: item.slots)
    }
    self.batch.removeAll(keepingCapacity: true)
  }

  /// The distributions of all frames seen so far.
  /// - Throws: `ObservableError.notEnoughData` if no window has a frame.
  public func result() throws(ObservableError) -> RadialDistribution.Result {
    count()
    var totals = workers[0].totals
    for worker in workers.dropFirst() { totals.add(worker.totals) }
    guard volumes.frames.contains(where: { $0 > 0 }) else {
      throw .notEnoughData(
        "none of the \(frame) frames lies in a window of the radial distribution")
    }
    return Result(
      plan: plan, pairs: pairs, classes: classes, totals: totals, volumes: volumes,
      inefficiencies: inefficiencies())
  }

  /// For each window and pair of classes the largest statistical inefficiency of the pairs in a
  /// shell of distance, in frames.
  private func inefficiencies() -> [[Double]] {
    let rows = workers.flatMap(\.shells).sorted { $0.frame < $1.frame }
    return plan.windows.map { window in
      let seen = rows.filter { window.contains($0.frame) }
      return (0..<classes.pairCount).map { pair in
        (0..<PairCounter.shellCount).map { shell in
          StatisticalInefficiency.of(seen.map { $0.counts[pair * PairCounter.shellCount + shell] })
        }.max() ?? 1
      }
    }
  }
}

/// A copy of the vectors of a frame that waiting work shares.
private final class SharedVectors: Sendable {
  let vectors: Vectors
  init(_ original: borrowing Vectors) {
    let copy = Vectors(count: original.count)
    copy.copy(from: original)
    vectors = copy
  }
}
