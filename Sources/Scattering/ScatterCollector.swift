import Foundation
import Matter
import Parallel
import Trajectory

/// A part of the rows of a result, `index` of 1...count.
public struct Shard: Sendable, Equatable {
  /// The number of the part, from 1.
  public let index: Int
  /// The number of parts.
  public let count: Int

  /// A part; nil unless 1 ≤ index ≤ count.
  public init?(index: Int, count: Int) {
    guard index >= 1, index <= count, count <= 1_000_000 else { return nil }
    self.index = index
    self.count = count
  }

  /// Its share of rows, in the order of the parts.
  func range(of rows: Int) -> Range<Int> {
    rows * (index - 1) / count..<rows * index / count
  }
}

/// Everything that a scatter deck asks of the frames of one trajectory, which come one at a time
/// from a file or from a run. The first frame settles the q-points.
///
/// With a folder, frames are kept there, and a later process can go on from `memory`.
public final class ScatterCollector {
  /// The cell moved although the points were to stay: begin anew with `isMoving`.
  public struct CellMoves: Error {}

  /// What the frames are, beside themselves.
  public struct Facts: Sendable {
    /// The element of each atom.
    public var elements: [Element]
    /// The time between frames, in fs.
    public var timestep: Double
    /// The number of frames that will come.
    public var frameCount: Int
    /// Whether frames hold velocities.
    public var hasVelocities: Bool
    /// Facts of a trajectory.
    public init(elements: [Element], timestep: Double, frameCount: Int, hasVelocities: Bool) {
      self.elements = elements
      self.timestep = timestep
      self.frameCount = frameCount
      self.hasVelocities = hasVelocities
    }
  }

  /// The rows of the whole.
  public struct Layout: Sendable {
    let points: ScatterPoints
    let shells: Shells?
  }

  private let plan: ScatterPlan
  private let facts: Facts
  private let species: SpeciesMap
  private let isMoving: Bool
  private let shard: Shard?
  private let team: ThreadTeam
  private let spool: String?
  private let lag: Int
  private var first: Cell?
  private var temperature = (sum: 0.0, count: 0.0)
  private var displacements: Displacements?
  private var parts: Parts?
  /// The rows, once a frame has come: those of the first of several trajectories are for all.
  public private(set) var layout: Layout?
  /// The number of frames so far.
  public private(set) var frameCount = 0

  /// The accumulators of a set of points.
  private struct Parts {
    var points: ScatterPoints
    /// The rows of the whole that these are.
    var rows: Range<Int>
    var rowCount: Int
    var single: CorrelationAccumulator?
    var shells: ShellAccumulator?
  }

  /// A collector without frames.
  /// - Parameters:
  ///   - isMoving: whether the cell changes from frame to frame
  ///   - layout: that of the first of several trajectories; nil: of the first frame
  ///   - shard: the part of the rows that is computed
  ///   - spool: a folder for the frames; nil keeps them in memory
  ///   - memory: of an earlier process that kept frames in the spool
  /// - Throws: `InputError` for frames that do not allow what is asked.
  public init(
    _ plan: ScatterPlan, facts: Facts, isMoving: Bool, layout: Layout? = nil,
    shard: Shard? = nil, team: ThreadTeam, spool: String? = nil, memory: [String: [Double]] = [:]
  ) throws {
    self.plan = plan
    self.facts = facts
    self.isMoving = isMoving
    self.shard = shard
    self.team = team
    self.spool = spool
    self.layout = layout
    species = SpeciesMap(elements: facts.elements)
    lag = try plan.lag(frameCount: facts.frameCount, timestep: facts.timestep)
    if plan.correlation.kinds.contains(.currents), !facts.hasVelocities {
      throw InputError(
        "the frames hold no velocities, which current correlations need",
        remedy: "Write velocities with the trajectory, or set currents: false")
    }
    if plan.debyeWaller == .run { displacements = Displacements(count: facts.elements.count) }
    if let count = memory["frames"]?.first.map({ Int($0) }), count > 0 {
      guard let c = memory["cell"], c.count == 9, let t = memory["temperature"], t.count == 2,
        displacements == nil || displacements?.restore(memory["displacements"] ?? []) == true
      else { throw InputError("the state of the accumulation is damaged") }
      let cell = try Cell(a: [c[0], c[1], c[2]], b: [c[3], c[4], c[5]], c: [c[6], c[7], c[8]])
      first = cell
      temperature = (t[0], t[1])
      parts = try makeParts(cell, keeping: count)
      frameCount = count
    }
  }

  /// What a later process needs beside the spool.
  public var memory: [String: [Double]] {
    guard let cell = first else { return ["frames": [0]] }
    var result: [String: [Double]] = [
      "frames": [Double(frameCount)],
      "cell": [cell.a, cell.b, cell.c].flatMap { [$0.x, $0.y, $0.z] },
      "temperature": [temperature.sum, temperature.count],
    ]
    if let displacements { result["displacements"] = displacements.values }
    return result
  }

  private func makeParts(_ cell: Cell, keeping kept: Int) throws -> Parts {
    let isGiven = layout != nil
    let layout = try self.layout ?? makeLayout(cell)
    self.layout = layout
    let points = layout.points
    if isGiven, case .multiples = points.rows,
      WaveVectors.commensurate(points.rows.cartesian(in: cell), in: cell) == nil
    {
      throw InputError(
        "the q-points of the first trajectory are not commensurate with the cell of another",
        remedy: "Give trajectories of one cell, or the points as hkl")
    }
    var made = Parts(points: points, rows: 0..<points.rows.count, rowCount: points.rows.count)
    if let shells = layout.shells {
      made.rowCount = shells.centers.count
      made.rows = shard?.range(of: made.rowCount) ?? 0..<made.rowCount
      try refuseEmpty(made.rows, of: "shell", made.rowCount)
      let some = Shells(centers: Array(shells.centers[made.rows]), kernel: shells.kernel)
      let collective = plan.correlation.kinds.subtracting(.incoherent)
      let lattice = points.rows.integers ?? []
      if !collective.isEmpty {
        made.shells = try ShellAccumulator(
          plan: correlation(.lattice(lattice), collective), species: species, shells: some,
          team: team, spool: spool, keeping: kept)
      }
      if plan.correlation.kinds.contains(.incoherent) {
        made.single = try CorrelationAccumulator(
          plan: correlation(points.computed, .incoherent), species: species, team: team,
          spool: spool, keeping: kept)
      }
      shellsUsed = some
      return made
    }
    if let shard {
      made.rows = shard.range(of: points.rows.count)
      try refuseEmpty(made.rows, of: "q-point", points.rows.count)
      made.points = points.part(made.rows)
    }
    var single = correlation(made.points.computed, plan.correlation.kinds)
    // That of all parts, so that they have the bits of the whole.
    single.densities = correlation(points.computed, single.kinds).densityMethod(for: species)
    made.single = try CorrelationAccumulator(
      plan: single, species: species, team: team, spool: spool, keeping: kept)
    return made
  }

  private var shellsUsed: Shells?

  private func refuseEmpty(
    _ rows: Range<Int>, of what: String, _ count: Int
  ) throws(InputError) {
    guard rows.isEmpty, let shard else { return }
    throw InputError(
      "part \(shard.index) of \(shard.count) is empty: there "
        + (count == 1 ? "is 1 \(what)" : "are \(count) \(what)s"),
      remedy: "Cut the calculation into fewer parts")
  }

  private func correlation(_ points: WaveVectors, _ kinds: CorrelationKinds) -> CorrelationPlan {
    CorrelationPlan(
      points: points, kinds: kinds, timestep: facts.timestep, maximumLag: lag,
      originStride: plan.correlation.originStride, blocks: plan.correlation.blocks,
      taper: plan.correlation.window)
  }

  private func makeLayout(_ cell: Cell) throws(InputErrors) -> Layout {
    let points = try ScatterPoints(
      plan.points, cell: cell, atomCount: facts.elements.count, isMoving: isMoving)
    return Layout(
      points: points, shells: plan.shells.map { Self.shells($0, points: points, cell: cell) })
  }

  /// Shells from 0 to beyond the farthest point.
  private static func shells(
    _ choice: ScatterPlan.ShellChoice, points: ScatterPoints, cell: Cell
  ) -> Shells {
    let maximum =
      points.rows.cartesian(in: cell).map { dot($0, $0) }.max().map { $0.squareRoot() } ?? 0
    let bins = Shells.bins(width: choice.width, maximum: max(maximum, choice.width))
    return choice.isGaussian
      ? Shells(centers: bins.centers, kernel: .gaussian(sigma: choice.width)) : bins
  }

  /// Adds a frame: positions in Å, velocities in internal units, the temperature in K where the
  /// frame tells.
  /// - Throws: `CellMoves`, `InputError` for frames or points that cannot be, `FileError`.
  public func add(
    cell: Cell?, positions: borrowing Vectors, velocities: borrowing Vectors, temperature: Double?
  ) throws {
    guard let cell else {
      throw InputError(
        "frame \(frameCount + 1) has no cell, to whose reciprocal lattice q-points belong",
        remedy: "Give a trajectory of a periodic system")
    }
    if let first {
      if !isMoving, cell != first, Self.strain(cell, first) > 1e-9 { throw CellMoves() }
    } else {
      parts = try makeParts(cell, keeping: 0)
      first = cell
    }
    if plan.correlation.kinds.contains(.currents), velocities.count != positions.count {
      throw InputError(
        "frame \(frameCount + 1) has \(velocities.count) velocities of \(positions.count) atoms",
        remedy: "Write velocities with every frame, or set currents: false")
    }
    if let temperature {
      self.temperature.sum += temperature
      self.temperature.count += 1
    }
    displacements?.add(cell, positions)
    if plan.correlation.kinds.contains(.currents) {
      try parts?.single?.add(cell: cell, positions: positions, velocities: velocities)
      try parts?.shells?.add(cell: cell, positions: positions, velocities: velocities)
    } else {
      try parts?.single?.add(cell: cell, positions: positions)
      try parts?.shells?.add(cell: cell, positions: positions)
    }
    frameCount += 1
  }

  private static func strain(_ a: Cell, _ b: Cell) -> Double {
    let m = a.rows * b.rows.inverse
    return (0..<9).map { abs(m[$0 / 3, $0 % 3] - ($0 / 3 == $0 % 3 ? 1 : 0)) }.max() ?? 0
  }

  /// Returns when the frames so far are on the disk.
  public func sync() throws(FileError) {
    try parts?.single?.sync()
    try parts?.shells?.sync()
  }

  /// The functions of the frames so far.
  /// - Parameter progress: told the part of the shells that is done, in 0...1
  public func result(progress: (Double) -> Void = { _ in }) throws -> ScatterData {
    guard let parts, frameCount > 0 else {
      throw InputError("there is no frame to analyse", remedy: "Give at least one")
    }
    var notes = parts.points.notes
    var result: CorrelationResult
    if let shells = shellsUsed {
      let single = try parts.single?.result()
      let averaged = single.map { $0.expanded(parts.points.index, rows: parts.points.rows) }
        .map { $0.averaged(over: shells) }
      if let collective = try parts.shells?.result(progress: progress) {
        result = collective
        result.functions += averaged?.functions ?? []
      } else if let averaged {
        result = averaged
      } else {
        throw InputError("no function is asked for")
      }
      let spread = result.normSpread.filter { !$0.isNaN }.max() ?? 0
      if let width = plan.shells?.width, spread > width {
        notes.append(
          "|q| of points varies by \(Decimals.text(spread, digits: 3)) 1/Å with the cell, "
            + "more than the shells are wide (\(Decimals.text(width)) 1/Å)")
      }
    } else if let single = parts.single {
      result = try single.result()
    } else {
      throw InputError("no function is asked for")
    }
    let mean = temperature.count > 0 ? temperature.sum / temperature.count : nil
    return ScatterData(
      result: result, points: parts.points, isShells: plan.shells != nil, rows: parts.rows,
      rowCount: parts.rowCount, temperature: mean,
      meanSquares: displacements?.meanSquares(species: species), notes: notes)
  }
}

/// What the frames of a trajectory gave, or of several.
public struct ScatterData: Sendable {
  /// The functions at the computed points, or in shells.
  public var result: CorrelationResult
  /// The points.
  public var points: ScatterPoints
  /// Whether rows are shells.
  public var isShells: Bool
  /// The rows of the whole, and their number.
  public var rows: Range<Int>
  /// The number of rows of the whole.
  public var rowCount: Int
  /// The mean temperature of the frames, in K, where they tell.
  public var temperature: Double?
  /// ⟨|r − ⟨r⟩|²⟩ of each species, in Å², where it was asked for.
  public var meanSquares: [Double]?
  /// What a user should know.
  public var notes: [String]

  /// The mean over trajectories, with errors from the spread between them.
  public static func mean(of replicas: [ScatterData]) throws -> ScatterData {
    guard var mean = replicas.first else {
      throw InputError("there is no trajectory", remedy: "Give at least one")
    }
    if replicas.count == 1 { return mean }
    mean.result = try CorrelationResult.mean(ofReplicas: replicas.map(\.result))
    let frames = replicas.map { Double($0.result.frameCount) }
    let total = frames.reduce(0, +)
    let temperatures = replicas.compactMap(\.temperature)
    mean.temperature =
      temperatures.count == replicas.count
      ? zip(temperatures, frames).reduce(0) { $0 + $1.0 * $1.1 } / total : nil
    let squares = replicas.compactMap(\.meanSquares)
    if squares.count == replicas.count {
      mean.meanSquares = squares[0].indices.map { s in
        zip(squares, frames).reduce(0) { $0 + $1.0[s] * $1.1 } / total
      }
    }
    for note in replicas.dropFirst().flatMap(\.notes) where !mean.notes.contains(note) {
      mean.notes.append(note)
    }
    return mean
  }
}

/// Mean square displacements from the mean positions, of atoms that stay within half a cell of
/// where they were in the first frame; wrapping does not matter.
private struct Displacements {
  private var count = 0.0
  private var first: [SIMD3<Double>]
  private var sum: [SIMD3<Double>]
  private var square: [Double]

  init(count n: Int) {
    first = Array(repeating: .zero, count: n)
    sum = first
    square = Array(repeating: 0, count: n)
  }

  mutating func add(_ cell: Cell, _ positions: borrowing Vectors) {
    let fractional = cell.fractionalMatrix
    for i in first.indices {
      let s = fractional * positions[i]
      if count == 0 { first[i] = s }
      let d = s - first[i]
      let u = cell.cartesian(d - d.rounded(.toNearestOrEven))
      sum[i] += u
      square[i] += dot(u, u)
    }
    count += 1
  }

  /// ⟨|r − ⟨r⟩|²⟩ of each species.
  func meanSquares(species: SpeciesMap) -> [Double] {
    species.names.indices.map { s in
      let atoms = species.atoms(of: s)
      return atoms.reduce(0) { total, i in
        let mean = sum[i] / count
        return total + square[i] / count - dot(mean, mean)
      } / Double(max(1, atoms.count))
    }
  }

  var values: [Double] {
    [count] + first.flatMap { [$0.x, $0.y, $0.z] } + sum.flatMap { [$0.x, $0.y, $0.z] } + square
  }

  mutating func restore(_ v: [Double]) -> Bool {
    let n = first.count
    guard v.count == 1 + 7 * n else { return false }
    count = v[0]
    for i in 0..<n {
      first[i] = [v[1 + 3 * i], v[2 + 3 * i], v[3 + 3 * i]]
      let k = 1 + 3 * n + 3 * i
      sum[i] = [v[k], v[k + 1], v[k + 2]]
      square[i] = v[1 + 6 * n + i]
    }
    return true
  }
}

extension ScatterPlan {
  /// The longest lag in frames.
  /// - Throws: where there are too few frames for it.
  public func lag(frameCount: Int, timestep: Double) throws(InputError) -> Int {
    switch correlation.maximumLag {
    case nil: return min(500, frameCount / 2)
    case .frames(let frames): return try checked(frames, frameCount, timestep)
    case .time(let time):
      let frames = (time / timestep).rounded()
      guard frames >= 1, frames < 1e9 else {
        throw InputError(
          "correlation.maximum_lag: \(Decimals.text(time)) fs is less than the "
            + "\(Decimals.text(timestep)) fs between frames",
          remedy: "Give a longer one")
      }
      return try checked(Int(frames), frameCount, timestep)
    }
  }

  private func checked(
    _ lag: Int, _ frameCount: Int, _ timestep: Double
  ) throws(InputError) -> Int {
    guard lag < frameCount else {
      throw InputError(
        "correlation.maximum_lag: \(lag) frames (\(Decimals.text(Double(lag) * timestep)) fs) are "
          + "asked for, but there are only \(frameCount) frames",
        remedy: "Give at most \(frameCount - 1) frames, better a tenth of them")
    }
    return lag
  }
}

extension CorrelationResult {
  /// Incoherent functions of points averaged over shells. Functions of different points of a
  /// trajectory vary together, so the error of a mean is taken as the mean of errors.
  func averaged(over shells: Shells) -> CorrelationResult {
    let weights = norms.map { shells.weights(of: $0) }
    var total = [Double](repeating: 0, count: shells.centers.count)
    for list in weights { for (shell, weight) in list { total[shell] += weight } }
    func mean(_ values: [Double], _ columns: Int) -> [Double] {
      guard !values.isEmpty else { return [] }
      var sum = [Double](repeating: 0, count: shells.centers.count * columns)
      for (p, list) in weights.enumerated() {
        for (shell, weight) in list {
          for c in 0..<columns {
            sum[shell * columns + c] += weight * values[p * columns + c]
          }
        }
      }
      // 0/0 where no point lies.
      return sum.indices.map { sum[$0] / total[$0 / columns] }
    }
    var spread = [Double](repeating: 0, count: shells.centers.count)
    for (p, list) in weights.enumerated() {
      for (shell, _) in list { spread[shell] = max(spread[shell], normSpread[p]) }
    }
    var result = self
    let n = times.count
    for f in functions.indices {
      result.functions[f].values = mean(functions[f].values, n)
      result.functions[f].valueErrors = mean(functions[f].valueErrors, n)
      result.functions[f].spectrum = mean(functions[f].spectrum, n)
      result.functions[f].spectrumErrors = mean(functions[f].spectrumErrors, n)
    }
    for s in statics.indices {
      result.statics[s].values = mean(statics[s].values, 1)
      result.statics[s].errors = mean(statics[s].errors, 1)
    }
    result.q = shells.centers.map { [$0, 0, 0] }
    result.points = .free(result.q)
    result.norms = shells.centers
    result.normSpread = spread
    return result
  }
}

/// What a calculation will take, before it is done.
public struct ScatterEstimate: Sendable {
  /// Bytes of the frames that are kept, in memory or in a spool.
  public let frames: Int
  /// Bytes of the results and of what they are made in.
  public let results: Int
  /// Seconds of one processor, about.
  public let seconds: Double
  /// Rows of the result, and points that are computed for them.
  public let rows, computed: Int

  /// An estimate for the points of a plan.
  public init(
    _ plan: ScatterPlan, facts: ScatterCollector.Facts, points: ScatterPoints, shard: Shard?
  ) throws(InputError) {
    let lag = try plan.lag(frameCount: facts.frameCount, timestep: facts.timestep)
    let species = SpeciesMap(elements: facts.elements)
    let kinds = plan.correlation.kinds
    let isShells = plan.shells != nil
    let part =
      isShells ? points : shard.map { points.part($0.range(of: points.rows.count)) } ?? points
    let q = Double(part.computed.count) / (isShells ? Double(shard?.count ?? 1) : 1)
    let single = CorrelationPlan(
      points: part.computed, kinds: isShells ? kinds.intersection(.incoherent) : kinds,
      timestep: facts.timestep, maximumLag: lag, originStride: plan.correlation.originStride,
      blocks: plan.correlation.blocks)
    var kept = 0
    var time = 0.0
    var made = 0
    if !single.kinds.isEmpty {
      kept = CorrelationAccumulator.memory(
        plan: single, species: species, frameCount: facts.frameCount)
      let members = FunctionSet(kinds: single.kinds, species: species.names).members.count
      made =
        8 * members * part.computed.count * (lag + 1) * (plan.correlation.blocks > 1 ? 4 : 2)
      kept = max(0, kept - made)
      made += made * part.rows.count / max(1, part.computed.count)
      time += CorrelationAccumulator.seconds(
        plan: single, species: species, frameCount: facts.frameCount, threads: 1)
    }
    if isShells, !kinds.subtracting(.incoherent).isEmpty {
      kept +=
        facts.frameCount * (8 * 9 + (kinds.contains(.currents) ? 48 : 24) * facts.elements.count)
      let all =
        Double(16 * species.names.count * (kinds.contains(.currents) ? 5 : 1)) * q
        * Double(facts.frameCount)
      made += Int(min(Double(ShellAccumulator.defaultMemory), all))
      var collective = single
      collective.kinds = kinds.subtracting(.incoherent)
      collective.points = .lattice(part.computed.integers ?? [])
      time +=
        ShellAccumulator.seconds(
          plan: collective, species: species, frameCount: facts.frameCount, threads: 1)
        / Double(shard?.count ?? 1)
    }
    self.frames = kept
    results = made
    rows = part.rows.count
    computed = part.computed.count
    seconds = time
  }
}
