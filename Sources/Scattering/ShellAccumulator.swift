import CHost
import Matter
import Parallel
import Trajectory

/// Coherent and current functions averaged over shells of lattice points, of which there may be
/// millions: frames are kept (24 bytes for each atom, 48 with velocities, in memory or in a spool),
/// and points go by in passes whose densities fit into a given memory. Spectra are added up within
/// a shell before they are inverted. Bits do not depend on threads, nor on memory but for the choice
/// of a `DensityMethod`.
public final class ShellAccumulator {
  /// What is computed; its points are the lattice points of all shells.
  public let plan: CorrelationPlan
  /// The atoms.
  public let species: SpeciesMap
  /// The shells.
  public let shells: Shells
  /// The number of frames added.
  public private(set) var frameCount = 0

  let points: [SIMD3<Int32>]
  private let multiplicities: [Double]
  let team: ThreadTeam
  private let memory: Int
  private let frames: RecordStore
  private let record: AlignedBuffer<Double>
  private var motion = CellMotion()
  private var hasVelocities: Bool { plan.kinds.contains(.currents) }

  /// The bytes that densities may take at a time where nothing else is said.
  public static let defaultMemory = 1 << 30

  /// An accumulator without frames.
  /// - Parameters:
  ///   - plan: its points are lattice points; a point and its inverse are computed once and count
  ///     twice. Incoherent functions are not averaged here.
  ///   - memory: the bytes that densities may take at a time
  ///   - spool: a folder for `frames.spool`; nil keeps the frames in memory
  ///   - kept: the number of frames of an earlier process in the spool from which this one goes on
  public init(
    plan: CorrelationPlan, species: SpeciesMap, shells: Shells, team: ThreadTeam,
    memory: Int = defaultMemory, spool: String? = nil, keeping kept: Int = 0
  ) throws {
    try plan.validate()
    guard case .lattice(let list) = plan.points else {
      throw InputError("shells need lattice points", remedy: "Give h, k, l or a sphere")
    }
    guard !plan.kinds.contains(.incoherent) else {
      throw InputError(
        "incoherent functions of every point of a sphere are not averaged on the way",
        remedy: "Ask for them at a sample of points")
    }
    guard !species.names.isEmpty else {
      throw InputError("no atom is to be analysed", remedy: "Name at least one species")
    }
    self.plan = plan
    self.species = species
    self.shells = shells
    self.team = team
    self.memory = memory
    let canonical = list.map { p -> SIMD3<Int32> in
      p.x < 0 || (p.x == 0 && (p.y < 0 || (p.y == 0 && p.z < 0))) ? 0 &- p : p
    }.sorted { ($0.x, $0.y, $0.z) < ($1.x, $1.y, $1.z) }
    var points: [SIMD3<Int32>] = []
    var multiplicities: [Double] = []
    for p in canonical {
      if p == points.last {
        multiplicities[multiplicities.count - 1] += 1
      } else {
        points.append(p)
        multiplicities.append(1)
      }
    }
    (self.points, self.multiplicities) = (points, multiplicities)
    let values = 9 + (plan.kinds.contains(.currents) ? 6 : 3) * species.atomCount
    frames = try RecordStore(
      valuesPerRecord: values, path: spool.map { $0 + "/frames.spool" }, keeping: kept)
    record = AlignedBuffer(count: values)
    for frame in 0..<kept {
      let r = record.pointer
      try frames.read(record: frame, from: 0, length: 9, into: r)
      motion.add(try Cell(a: [r[0], r[1], r[2]], b: [r[3], r[4], r[5]], c: [r[6], r[7], r[8]]))
    }
    frameCount = kept
  }

  /// Returns when all frames are on the disk, if they are spooled: a checkpoint may count them.
  public func sync() throws(FileError) { try frames.sync() }

  /// Adds a frame: positions in Å, velocities in internal units (read for currents only).
  public func add(cell: Cell, positions: borrowing Vectors, velocities: borrowing Vectors) throws {
    let n = species.atomCount
    guard positions.count == n, !hasVelocities || velocities.count == n else {
      throw InputError(
        "frame \(frameCount + 1) has \(positions.count) positions and \(velocities.count) "
          + "velocities of \(n) atoms", remedy: "Give frames with the same atoms")
    }
    motion.add(cell)
    for (i, v) in [cell.a, cell.b, cell.c].enumerated() {
      for d in 0..<3 { record[3 * i + d] = v[d] }
    }
    func put(_ v: borrowing Vectors, at place: Int) {
      let target = record.pointer + place
      target.update(from: v.x, count: n)
      (target + n).update(from: v.y, count: n)
      (target + 2 * n).update(from: v.z, count: n)
    }
    put(positions, at: 9)
    if hasVelocities { put(velocities, at: 9 + 3 * n) }
    try frames.append(record.pointer)
    frameCount += 1
  }

  /// Adds a frame without velocities.
  public func add(cell: Cell, positions: borrowing Vectors) throws {
    try add(cell: cell, positions: positions, velocities: Vectors(count: 0))
  }

  /// The number of different points up to inversion.
  public var independentPointCount: Int { points.count }

  /// The functions of the frames so far, a row for each shell; NaN in shells without points.
  /// - Parameter progress: told the part done, in 0...1
  public func result(progress: (Double) -> Void = { _ in }) throws -> CorrelationResult {
    guard frameCount > 0 else {
      throw InputError("there is no frame to analyse", remedy: "Give at least one")
    }
    let origins = OriginBlocks(
      frameCount: frameCount, maximumLag: plan.maximumLag, stride: plan.originStride,
      blocks: plan.blocks)
    let functions = FunctionSet(kinds: plan.kinds, species: species.names)
    let channels = species.names.count * (hasVelocities ? 5 : 1)
    let correlator = SeriesCorrelator(
      origins: origins, channelCount: channels, functions: functions.terms)
    let statics = StaticSums(origins: origins, pairs: functions.staticPairs)
    let sums = ShellSums(shells: shells.centers.count, correlator: correlator, statics: statics)

    let meanCell = try motion.mean()
    let norms = WaveVectors.lattice(points).cartesian(in: meanCell).map { dot($0, $0).squareRoot() }
    let spread = motion.spread(of: .lattice(points), norms: norms)
    let used = points.indices.filter { !shells.weights(of: norms[$0]).isEmpty }
    var shellSpread = [Double](repeating: 0, count: shells.centers.count)
    for p in used {
      for (shell, _) in shells.weights(of: norms[p]) {
        shellSpread[shell] = max(shellSpread[shell], spread[p])
      }
    }
    var half = plan
    half.points = .lattice(points)
    let pointsPerPass = Self.pointsPerPass(
      plan: half, species: species, frameCount: frameCount, memory: memory)
    // A transform makes the densities of all points in every pass.
    let method = half.densityMethod(
      for: species,
      passes: Self.passes(
        plan: half, species: species, frameCount: frameCount, memory: memory))
    // New memory costs as much as a third of the sums: one store serves all passes.
    let store = try RecordStore(
      valuesPerRecord: max(1, 2 * channels * min(used.count, pointsPerPass)))
    for start in stride(from: 0, to: used.count, by: pointsPerPass) {
      let pass = used[start..<min(used.count, start + pointsPerPass)]
      let weights = pass.map { p in
        shells.weights(of: norms[p]).map { ($0.shell, $0.weight * multiplicities[p]) }
      }
      let engine = DensityEngine(
        points: .lattice(pass.map { points[$0] }), species: species, hasCurrents: hasVelocities,
        method: method, team: team)
      try fill(store, engine)
      progress(Double(start + pass.count / 2) / Double(used.count))
      try sums.add(store, channels: channels, weights: weights, team: team)
      progress(Double(start + pass.count) / Double(used.count))
    }
    return try finish(sums, origins, functions, meanCell, shellSpread)
  }

  private static func pointsPerPass(
    plan: CorrelationPlan, species: SpeciesMap, frameCount: Int, memory: Int
  ) -> Int {
    let channels = species.names.count * (plan.kinds.contains(.currents) ? 5 : 1)
    return max(64, memory / (16 * channels * max(1, frameCount)))
  }

  /// How often frames are gone through for the points of a plan.
  static func passes(
    plan: CorrelationPlan, species: SpeciesMap, frameCount: Int, memory: Int
  ) -> Int {
    let perPass = pointsPerPass(
      plan: plan, species: species, frameCount: frameCount, memory: memory)
    return (plan.points.count + perPass - 1) / perPass
  }

  /// Densities of all frames.
  private func fill(_ store: RecordStore, _ engine: DensityEngine) throws {
    store.removeAll()
    let n = species.atomCount
    let positions = Vectors(count: n)
    let velocities = Vectors(count: hasVelocities ? n : 0)
    for frame in 0..<frameCount {
      let r = record.pointer
      try frames.read(record: frame, from: 0, length: frames.valuesPerRecord, into: r)
      func take(_ place: Int, into v: borrowing Vectors) {
        v.x.update(from: r + place, count: n)
        v.y.update(from: r + place + n, count: n)
        v.z.update(from: r + place + 2 * n, count: n)
      }
      take(9, into: positions)
      if hasVelocities { take(9 + 3 * n, into: velocities) }
      let cell = try Cell(
        a: [r[0], r[1], r[2]], b: [r[3], r[4], r[5]], c: [r[6], r[7], r[8]])
      // In memory, so that there is no scratch.
      try store.append(by: r) { values in
        engine.evaluate(
          cell: cell, positions: positions, velocities: velocities,
          speedUnit: Units.angstromPerFemtosecond, into: values)
      }
    }
  }

  private func finish(
    _ sums: ShellSums, _ origins: OriginBlocks, _ functions: FunctionSet, _ meanCell: Cell,
    _ spread: [Double]
  ) throws -> CorrelationResult {
    let estimator = Estimator(
      origins: origins, atomCount: species.atomCount, timestep: plan.timestep, taper: plan.taper)
    let count = shells.centers.count
    let staticGrid = Grid(rows: count, rowLength: sums.statics.resultCount)
    let scratchStride =
      (max(sums.correlator.scratchCount, estimator.scratchCount) + 7) / 8 * 8
    let workerStride = scratchStride + (sums.correlator.sumCount + 7) / 8 * 8
    let workspace = AlignedBuffer<Double>(count: team.count * workerStride)
    let work = workspace.pointer
    let results = try FunctionGrid.functions(
      functions.members.map(\.member), points: count, lagCount: origins.lagCount,
      hasErrors: estimator.hasErrors
    ) { grids in
      team.run(count, chunkSize: 1) { range, worker in
        let scratch = work + worker * workerStride
        let lagSums = scratch + scratchStride
        for shell in range {
          // 0/0 where no point lies.
          let (spectra, staticSums) = sums.mean(of: shell)
          sums.correlator.sums(spectra, scratch: scratch, into: lagSums)
          estimator.fill(
            functions.members.indices.map {
              grids[$0].member(shell, parts: functions.members[$0].parts)
            }, of: functions.terms.count, sums: lagSums, scratch: scratch)
          sums.statics.finish(
            staticSums, atomCount: species.atomCount, into: staticGrid.row(shell))
        }
      }
    }
    withExtendedLifetime(workspace.count) {}
    var speciesCounts: [String: Int] = [:]
    for index in species.index {
      if let index { speciesCounts[species.names[index], default: 0] += 1 }
    }
    return CorrelationResult(
      points: .free(shells.centers.map { [$0, 0, 0] }), q: shells.centers.map { [$0, 0, 0] },
      norms: shells.centers, normSpread: spread, meanCell: meanCell,
      timestep: plan.timestep, times: (0..<origins.lagCount).map { Double($0) * plan.timestep },
      frequencies: (0..<origins.lagCount).map {
        2 * Double.pi * Double($0) / (Double(2 * origins.lagCount - 1) * plan.timestep)
      },
      pairCounts: origins.totals, frameCount: frameCount, atomCount: species.atomCount,
      speciesCounts: speciesCounts, taper: plan.taper,
      functions: results,
      statics: sums.statics.functions(
        staticGrid, points: count, names: functions.staticNames, hasErrors: estimator.hasErrors))
  }
}

/// Weighted sums of spectra and of static sums over the points of each shell, in the order of the
/// points.
private final class ShellSums {
  let correlator: SeriesCorrelator
  let statics: StaticSums
  private let spectra, staticSums: Grid
  private var total: [Double]
  private let batchSize = 128

  init(shells: Int, correlator: SeriesCorrelator, statics: StaticSums) {
    self.correlator = correlator
    self.statics = statics
    spectra = Grid(zeroRows: shells, rowLength: correlator.spectrumCount)
    staticSums = Grid(zeroRows: shells, rowLength: (statics.count + 7) / 8 * 8)
    total = Array(repeating: 0, count: shells)
  }

  func add(
    _ store: RecordStore, channels: Int, weights: [[(Int, Double)]], team: ThreadTeam
  ) throws {
    let reader = SeriesReader(
      store: store, channelCount: channels, pointCount: weights.count)
    let size = reader.pointsPerTask
    let seriesStride = (reader.seriesCount(points: size) + 7) / 8 * 8
    let workerStride = seriesStride + (max(correlator.scratchCount, 2 * size) + 7) / 8 * 8
    let workspace = AlignedBuffer<Double>(count: team.count * workerStride)
    let work = workspace.pointer
    let batch = Grid(rows: batchSize, rowLength: correlator.spectrumCount)
    let batchStatics = Grid(rows: batchSize, rowLength: staticSums.rowLength)
    let rows = correlator.spectrumCount / correlator.spectrumStride
    let stride = correlator.spectrumStride
    let failure = FirstError()
    var start = 0
    while start < weights.count {
      let count = min(batchSize, weights.count - start)
      // Each task writes the spectra of its points.
      team.run(count, chunkSize: size) { range, worker in
        let series = work + worker * workerStride
        let scratch = series + seriesStride
        failure.run { () throws(FileError) in
          try reader.load(
            start + range.lowerBound..<start + range.upperBound, scratch: scratch, into: series)
          for (n, place) in range.enumerated() {
            let x = series + n * reader.seriesCount(points: 1)
            correlator.spectra(x, scratch: scratch, into: batch.row(place))
            statics.sums(x, into: batchStatics.row(place))
          }
        }
      }
      // Each task adds one row of all shells, over the points in their order.
      team.run(rows, chunkSize: 1) { range, _ in
        for row in range {
          for place in 0..<count {
            for (shell, weight) in weights[start + place] {
              let x = batch.row(place) + row * stride
              let y = spectra.row(shell) + row * stride
              let w = SIMD8(repeating: weight)
              var k = 0
              while k < stride {
                f64x8_store(y + k, f64x8_fma(f64x8_load(x + k), w, f64x8_load(y + k)))
                k += 8
              }
            }
          }
        }
      }
      for place in 0..<count {
        for (shell, weight) in weights[start + place] {
          total[shell] += weight
          for k in 0..<statics.count {
            staticSums.row(shell)[k] += weight * batchStatics.row(place)[k]
          }
        }
      }
      start += count
    }
    withExtendedLifetime(workspace.count) {}
    try failure.check()
  }

  /// The sums of a shell over its weights; called once for each shell, since it scales in place.
  func mean(of shell: Int) -> (
    spectra: UnsafeMutablePointer<Double>, statics: UnsafePointer<Double>
  ) {
    let (x, y) = (spectra.row(shell), staticSums.row(shell))
    for k in 0..<correlator.spectrumCount { x[k] /= total[shell] }
    for k in 0..<statics.count { y[k] /= total[shell] }
    return (x, UnsafePointer(y))
  }
}
