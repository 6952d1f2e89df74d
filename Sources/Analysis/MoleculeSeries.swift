import Matter

/// Molecules against time: their number, bonds that break or form, and the herringbone angle
/// (docs/theory.md, Molecules).
///
/// Memory: 80 bytes a frame, beside what one frame needs.
public final class MoleculeSeries {
  private let graph: BondGraph
  private let rule: BondRule
  private var search: BondSearch
  private let original: Set<SIMD2<Int>>
  private var partners: [[Int]]
  private var normals: RingNormals
  private var counts: [Int] = []
  private var angles: [Double] = []
  private var axes: [[SIMD3<Double>]] = [[], []]
  private var events: [BondEvent] = []
  private var eventCount = 0
  private var firstChange: Int?
  private var broken: Set<SIMD2<Int>> = []
  private var changedElements: Set<String> = []
  private let originalCount: Int

  /// A bond that broke or formed.
  public struct BondEvent: Sendable, Equatable {
    /// The frame, from 0, in which it was first seen.
    public var frame: Int
    /// The atoms, from 0.
    public var atoms: SIMD2<Int>
    /// Whether it formed; otherwise it broke.
    public var isFormed: Bool

    /// A bond that broke or formed.
    public init(frame: Int, atoms: SIMD2<Int>, isFormed: Bool) {
      self.frame = frame
      self.atoms = atoms
      self.isFormed = isFormed
    }
  }

  /// What was seen in all frames.
  public struct Result: Sendable {
    /// The number of molecules in each frame; networks and single atoms count as one each.
    public var counts: [Int]
    /// The herringbone angle in each frame, in degrees; empty where there is none.
    public var herringboneAngles: [Double]
    /// The mean axis of the ring normals of each of the two families in each frame; empty where there
    /// is no angle.
    public var ringAxes: [[SIMD3<Double>]]
    /// Why there is no herringbone angle, or nil.
    public var herringboneReason: String?
    /// The first bonds that broke or formed, at most `mostEvents`, in order.
    public var events: [BondEvent]
    /// The number of bonds that broke or formed in all.
    public var eventCount: Int
    /// The first frame in which bonds differ from the graph at the start, or nil.
    public var firstChange: Int?
    /// The number of molecules of the graph at the start.
    public var originalCount: Int
    /// The number of bonds at the start.
    public var originalBonds: Int
    /// How many of them broke in any frame.
    public var brokenBonds: Int
    /// How many of them are missing in the last frame.
    public var missingBonds: Int
    /// The number of other bonds in the last frame.
    public var newBonds: Int
    /// The pairs of elements of all bonds that broke or formed, as "I-I", sorted.
    public var changedElements: [String]
  }

  /// The most events that are listed.
  public static let mostEvents = 1000

  /// Ready for the first frame.
  /// - Parameters:
  ///   - graph: the bonds at the start
  ///   - herringbone: whether ring normals are followed
  public init(_ graph: BondGraph, herringbone: Bool = true) {
    self.graph = graph
    rule = BondRule(graph.elements, factor: graph.factor)
    search = BondSearch(rule, atomCount: graph.elements.count)
    partners = Array(repeating: [], count: graph.elements.count)
    for bond in graph.bonds { partners[bond.x].append(bond.y) }
    original = Set(graph.bonds)
    normals = RingNormals(graph, isWanted: herringbone)
    originalCount = graph.components.count
  }

  /// The number of frames seen.
  public var frameCount: Int { counts.count }

  /// Adds a frame.
  /// - Parameters:
  ///   - cell: nil where nothing repeats
  ///   - positions: in Å, wrapped or not
  /// - Throws: `ObservableError.notFinite`, and the frame is not added.
  public func accumulate(cell: Cell?, positions: borrowing Vectors)
    throws(ObservableError)
  {
    precondition(positions.count == graph.elements.count)
    let frame = frameCount
    try Finite.check(positions, what: "position", frame: frame)
    var changes: [BondEvent] = []
    let fractional = cell?.fractionalMatrix ?? .identity
    let old = partners
    for i in old.indices {
      for j in old[i] {
        var d = SIMD3(
          positions.x[j] - positions.x[i], positions.y[j] - positions.y[i],
          positions.z[j] - positions.z[i])
        if let cell { d -= cell.cartesian((fractional * d).rounded(.toNearestOrEven)) }
        if !rule.isBonded(i, j, dot(d, d), share: 1) {
          changes.append(BondEvent(frame: frame, atoms: SIMD2(i, j), isFormed: false))
        }
      }
    }
    var formed: [BondEvent] = []
    search.forEachPair(cell, positions, share: 0.75) { i, j, _ in
      let (low, high) = (min(i, j), max(i, j))
      if low != high, !old[low].contains(high) {
        formed.append(BondEvent(frame: frame, atoms: SIMD2(low, high), isFormed: true))
      }
    }
    formed.sort { ($0.atoms.x, $0.atoms.y) < ($1.atoms.x, $1.atoms.y) }
    for event in formed where changes.last?.atoms != event.atoms { changes.append(event) }
    for change in changes {
      let (i, j) = (change.atoms.x, change.atoms.y)
      if change.isFormed {
        partners[i].append(j)
      } else {
        partners[i].removeAll { $0 == j }
        if original.contains(change.atoms) { broken.insert(change.atoms) }
      }
      let symbols = [graph.elements[i].symbol, graph.elements[j].symbol].sorted()
      changedElements.insert(symbols.joined(separator: "-"))
    }
    eventCount += changes.count
    events += changes.prefix(Self.mostEvents - events.count)
    if !changes.isEmpty, firstChange == nil { firstChange = frame }
    if changes.isEmpty {
      counts.append(counts.last ?? originalCount)
    } else {
      counts.append(Self.componentCount(partners))
    }
    if let angle = normals.angle(cell, positions) {
      angles.append(angle)
      axes[0].append(normals.axes.0)
      axes[1].append(normals.axes.1)
    }
  }

  /// The number of components of a graph, by joining sets.
  private static func componentCount(_ partners: [[Int]]) -> Int {
    var parent = Array(partners.indices)
    func root(_ atom: Int) -> Int {
      var r = atom
      while parent[r] != r {
        parent[r] = parent[parent[r]]
        r = parent[r]
      }
      return r
    }
    var count = partners.count
    for i in partners.indices {
      for j in partners[i] {
        let (a, b) = (root(i), root(j))
        if a != b {
          parent[a] = b
          count -= 1
        }
      }
    }
    return count
  }

  /// What was seen so far.
  public func result() -> Result {
    let now = Set(partners.indices.flatMap { i in partners[i].map { SIMD2(i, $0) } })
    return Result(
      counts: counts, herringboneAngles: angles, ringAxes: axes,
      herringboneReason: angles.isEmpty ? normals.reason ?? "there are no frames" : nil,
      events: events, eventCount: eventCount, firstChange: firstChange,
      originalCount: originalCount, originalBonds: original.count, brokenBonds: broken.count,
      missingBonds: original.subtracting(now).count, newBonds: now.subtracting(original).count,
      changedElements: changedElements.sorted())
  }
}
