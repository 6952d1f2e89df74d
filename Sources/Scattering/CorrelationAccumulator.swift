import Foundation
import Matter
import Parallel
import Trajectory

/// Correlation functions of frames that come one at a time, from a file or from a run: the same
/// numbers to the last bit for the same frames, whatever the number of threads.
///
/// Densities of every frame are kept (16 bytes for each point, species and frame; 80 with currents),
/// and for incoherent functions the paths of the atoms (24 bytes for each atom and frame), in memory
/// or in files of a spool folder. `result` reads them point by point.
public final class CorrelationAccumulator {
  /// What is computed.
  public let plan: CorrelationPlan
  /// The atoms.
  public let species: SpeciesMap
  /// The number of frames added.
  public private(set) var frameCount = 0

  private let team: ThreadTeam
  private let functions: FunctionSet
  private let engine: DensityEngine?
  private let densities, paths: RecordStore?
  private let cells: RecordStore
  private let record: AlignedBuffer<Double>
  private let atoms: [Range<Int>]
  private let atomOrder: [Int]
  /// The bytes that `result` may take for the paths of atoms at a time.
  private let pathMemory: Int

  /// An accumulator without frames.
  /// - Parameters:
  ///   - spool: a folder for `cells.spool`, `densities.spool` and `paths.spool`; nil keeps all in
  ///     memory
  ///   - kept: the number of frames of an earlier process in the spool from which this one goes on
  ///   - pathMemory: the bytes that paths of atoms may take while incoherent functions are computed
  /// - Throws: `InputError` for a plan that means nothing, `FileError` for the spool.
  public init(
    plan: CorrelationPlan, species: SpeciesMap, team: ThreadTeam, spool: String? = nil,
    keeping kept: Int = 0, pathMemory: Int = 512 << 20
  ) throws {
    try plan.validate()
    guard !species.names.isEmpty else {
      throw InputError("no atom is to be analysed", remedy: "Name at least one species")
    }
    self.plan = plan
    self.species = species
    self.team = team
    self.pathMemory = pathMemory
    functions = FunctionSet(kinds: plan.kinds, species: species.names)
    var order: [Int] = []
    atoms = species.names.indices.map { s in
      let first = order.count
      order += species.atoms(of: s)
      return first..<order.count
    }
    atomOrder = order
    let needsDensities = !functions.collective.isEmpty
    engine =
      needsDensities
      ? DensityEngine(
        points: plan.points, species: species, hasCurrents: plan.kinds.contains(.currents),
        method: plan.densityMethod(for: species), team: team) : nil
    densities = try engine.map {
      try RecordStore(
        valuesPerRecord: $0.valueCount, path: spool.map { $0 + "/densities.spool" }, keeping: kept)
    }
    paths =
      plan.kinds.contains(.incoherent)
      ? try RecordStore(
        valuesPerRecord: 3 * order.count, path: spool.map { $0 + "/paths.spool" }, keeping: kept)
      : nil
    cells = try RecordStore(
      valuesPerRecord: 9, path: spool.map { $0 + "/cells.spool" }, keeping: kept)
    record = AlignedBuffer(count: max(engine?.valueCount ?? 0, 3 * order.count, 9))
    frameCount = kept
  }

  /// The bytes that `frameCount` frames and the result take, spooled or not.
  public static func memory(plan: CorrelationPlan, species: SpeciesMap, frameCount: Int) -> Int {
    let set = FunctionSet(kinds: plan.kinds, species: species.names)
    let channels =
      set.collective.isEmpty ? 0 : species.names.count * (plan.kinds.contains(.currents) ? 5 : 1)
    let paths =
      plan.kinds.contains(.incoherent) ? 24 * species.index.lazy.filter { $0 != nil }.count : 0
    let lags = min(plan.maximumLag, max(0, frameCount - 1)) + 1
    let rows = set.members.count * plan.points.count * lags * (plan.blocks > 1 ? 4 : 2)
    return (16 * channels * plan.points.count + paths) * frameCount + 8 * rows
  }

  /// Adds a frame without velocities: positions in Å.
  public func add(cell: Cell, positions: borrowing Vectors) throws {
    if plan.kinds.contains(.currents) {
      throw InputError(
        "the frames hold no velocities, which current correlations need",
        remedy: "Write velocities with the trajectory, or set currents: false")
    }
    try add(cell: cell, positions: positions, velocities: Vectors(count: 0))
  }

  /// Adds a frame: positions in Å, wrapped or not where the points are lattice points, velocities in
  /// internal units.
  public func add(cell: Cell, positions: borrowing Vectors, velocities: borrowing Vectors) throws {
    guard positions.count == species.atomCount else {
      throw InputError(
        "frame \(frameCount + 1) has \(positions.count) atoms, the first had \(species.atomCount)",
        remedy: "Give frames with the same atoms")
    }
    if plan.kinds.contains(.currents), velocities.count != positions.count {
      throw InputError(
        "frame \(frameCount + 1) has \(velocities.count) velocities of \(positions.count) atoms",
        remedy: "Write velocities with every frame, or set currents: false")
    }
    try cells.append([cell.a, cell.b, cell.c].flatMap { [$0.x, $0.y, $0.z] })
    if let engine, let densities {
      try densities.append(by: record.pointer) { values in
        engine.evaluate(
          cell: cell, positions: positions, velocities: velocities,
          speedUnit: Units.angstromPerFemtosecond, into: values)
      }
    }
    if let paths {
      storePath(cell, positions)
      try paths.append(record.pointer)
    }
    frameCount += 1
  }

  /// Fractional coordinates in [−½, ½] for lattice points, Cartesian ones for free vectors.
  private func storePath(_ cell: Cell, _ positions: borrowing Vectors) {
    let (x, y, z) = (positions.x, positions.y, positions.z)
    let n = atomOrder.count
    let target = record.pointer
    if case .free = plan.points {
      for (i, atom) in atomOrder.enumerated() {
        target[i] = x[atom]
        target[n + i] = y[atom]
        target[2 * n + i] = z[atom]
      }
      return
    }
    let m = plan.points.fractionalMatrix(in: cell)
    for (i, atom) in atomOrder.enumerated() {
      let r = SIMD3(x[atom], y[atom], z[atom])
      let s = m * r
      target[i] = s.x - s.x.rounded(.toNearestOrEven)
      target[n + i] = s.y - s.y.rounded(.toNearestOrEven)
      target[2 * n + i] = s.z - s.z.rounded(.toNearestOrEven)
    }
  }

  /// Returns when all frames are on the disk, if they are spooled: a checkpoint may count them.
  public func sync() throws(FileError) {
    try cells.sync()
    try densities?.sync()
    try paths?.sync()
  }

  /// The cells of all frames.
  private func motion() throws -> CellMotion {
    var motion = CellMotion()
    let r = record.pointer
    for frame in 0..<frameCount {
      try cells.read(record: frame, from: 0, length: 9, into: r)
      motion.add(
        try Cell(a: [r[0], r[1], r[2]], b: [r[3], r[4], r[5]], c: [r[6], r[7], r[8]]))
    }
    return motion
  }

  /// The functions of the frames so far.
  /// - Throws: `InputError` where there is no frame, `FileError` for the spool.
  public func result() throws -> CorrelationResult {
    guard frameCount > 0 else {
      throw InputError("there is no frame to analyse", remedy: "Give at least one")
    }
    let origins = OriginBlocks(
      frameCount: frameCount, maximumLag: plan.maximumLag, stride: plan.originStride,
      blocks: plan.blocks)
    let estimator = Estimator(
      origins: origins, atomCount: species.atomCount, timestep: plan.timestep, taper: plan.taper)
    var statics: [StaticFunction] = []
    let results = try FunctionGrid.functions(
      functions.members.map(\.member), points: plan.points.count, lagCount: origins.lagCount,
      hasErrors: estimator.hasErrors
    ) { grids in
      statics = try correlateDensities(origins, estimator, grids)
      try correlateAtoms(origins, estimator, grids)
    }
    let motion = try motion()
    let meanCell = try motion.mean()
    let q = plan.points.cartesian(in: meanCell)
    let norms = q.map { dot($0, $0).squareRoot() }
    return CorrelationResult(
      points: plan.points, q: q, norms: norms,
      normSpread: motion.spread(of: plan.points, norms: norms), meanCell: meanCell,
      timestep: plan.timestep, times: (0..<origins.lagCount).map { Double($0) * plan.timestep },
      frequencies: (0..<origins.lagCount).map {
        2 * Double.pi * Double($0) / (Double(2 * origins.lagCount - 1) * plan.timestep)
      },
      pairCounts: origins.totals, frameCount: frameCount, atomCount: species.atomCount,
      speciesCounts: Dictionary(
        uniqueKeysWithValues: zip(species.names, atoms.map(\.count))), taper: plan.taper,
      functions: results, statics: statics)
  }

  // MARK: densities and currents

  private func correlateDensities(
    _ origins: OriginBlocks, _ estimator: Estimator, _ grids: [FunctionGrid]
  ) throws -> [StaticFunction] {
    guard let engine, let densities else { return [] }
    let reader = SeriesReader(
      store: densities, channelCount: engine.channelCount, pointCount: plan.points.count)
    let correlator = SeriesCorrelator(
      origins: origins, channelCount: engine.channelCount, functions: functions.terms)
    let members = functions.members.enumerated().filter { $1.member.kind != .incoherent }
    let size = reader.pointsPerTask
    let seriesStride = (reader.seriesCount(points: 1) + 7) / 8 * 8
    let scratchStride =
      (max(
        correlator.scratchCount, estimator.scratchCount, 2 * size,
        functions.staticPairs.count * origins.blocks.count) + 7) / 8 * 8
    let workerStride =
      size * seriesStride + scratchStride + correlator.spectrumCount
      + (correlator.sumCount + 7) / 8 * 8 + 64
    let workspace = AlignedBuffer<Double>(count: team.count * workerStride)
    let work = workspace.pointer
    let staticSums = StaticSums(origins: origins, pairs: functions.staticPairs)
    let staticGrid = Grid(rows: plan.points.count, rowLength: staticSums.resultCount)
    let failure = FirstError()
    // Each task writes the rows of its points.
    team.run(plan.points.count, chunkSize: size) { range, worker in
      let series = work + worker * workerStride
      let scratch = series + size * seriesStride
      let spectra = scratch + scratchStride
      let sums = spectra + correlator.spectrumCount
      failure.run { () throws(FileError) in
        try reader.load(range, scratch: scratch, into: series)
        for (n, point) in range.enumerated() {
          let x = series + n * reader.seriesCount(points: 1)
          correlator.spectra(x, scratch: scratch, into: spectra)
          correlator.sums(spectra, scratch: scratch, into: sums)
          estimator.fill(
            members.map { grids[$0].member(point, parts: $1.parts) }, of: functions.terms.count,
            sums: sums, scratch: scratch)
          staticSums.sums(x, into: scratch)
          staticSums.finish(scratch, atomCount: species.atomCount, into: staticGrid.row(point))
        }
      }
    }
    withExtendedLifetime(workspace.count) {}
    try failure.check()
    return staticSums.functions(
      staticGrid, points: plan.points.count, names: functions.staticNames,
      hasErrors: estimator.hasErrors)
  }

  // MARK: single atoms

  private func correlateAtoms(
    _ origins: OriginBlocks, _ estimator: Estimator, _ grids: [FunctionGrid]
  ) throws {
    guard let paths else { return }
    let correlator = SelfCorrelator(origins: origins)
    let members = functions.members.enumerated().filter { $1.member.kind == .incoherent }
    let kinds = species.names.count
    let pathCount = 3 * correlator.pathStride
    let atomsAtOnce = max(1, min(atomOrder.count, pathMemory / (8 * pathCount)))
    let partialCount = correlator.partialCount
    let pointsAtOnce = max(1, min(plan.points.count, (256 << 20) / (8 * partialCount * kinds)))
    let path = AlignedBuffer<Double>(count: atomsAtOnce * pathCount)
    let partials = AlignedBuffer<Double>(count: pointsAtOnce * kinds * partialCount)
    let blockCount = origins.blocks.count
    let sumCount = blockCount * kinds * origins.lagCount
    let scratchStride =
      (max(correlator.scratchCount, estimator.scratchCount, blockCount * origins.lagCount)
        + 7) / 8 * 8
    let workerStride = scratchStride + (sumCount + blockCount * origins.lagCount + 7) / 8 * 8
    let workspace = AlignedBuffer<Double>(count: team.count * workerStride)
    let work = workspace.pointer
    let (pathStart, partialStart) = (path.pointer, partials.pointer)
    let turns: [SIMD3<Double>] =
      switch plan.points {
      case .lattice(let list), .multiples(let list, _): list.map { SIMD3<Double>($0) }
      case .free(let list): list.map { $0 / (2 * Double.pi) }
      }
    let firstMember = functions.collective.count
    let isOnePass = atomsAtOnce == atomOrder.count
    if isOnePass { try load(0..<atomOrder.count, of: paths, correlator, into: pathStart) }
    for start in stride(from: 0, to: plan.points.count, by: pointsAtOnce) {
      let points = start..<min(plan.points.count, start + pointsAtOnce)
      partialStart.update(repeating: 0, count: points.count * kinds * partialCount)
      for atom in stride(from: 0, to: atomOrder.count, by: atomsAtOnce) {
        let present = atom..<min(atomOrder.count, atom + atomsAtOnce)
        if !isOnePass { try load(present, of: paths, correlator, into: pathStart) }
        // Each task owns the partial sum of one point and species.
        team.run(points.count * kinds, chunkSize: 1) { range, worker in
          let scratch = work + worker * workerStride
          for task in range {
            for i in atoms[task % kinds].clamped(to: present) {
              correlator.add(
                path: pathStart + (i - present.lowerBound) * pathCount,
                q: turns[points.lowerBound + task / kinds], scratch: scratch,
                to: partialStart + task * partialCount)
            }
          }
        }
      }
      // Each task writes the rows of one point.
      team.run(points.count, chunkSize: 1) { range, worker in
        let scratch = work + worker * workerStride
        let sums = scratch + scratchStride
        let one = sums + sumCount
        for n in range {
          for s in 0..<kinds {
            correlator.sums(
              partialStart + (n * kinds + s) * partialCount, scratch: scratch, into: one)
            for b in 0..<blockCount {
              (sums + (b * kinds + s) * origins.lagCount)
                .update(from: one + b * origins.lagCount, count: origins.lagCount)
            }
          }
          estimator.fill(
            members.map { m, entry in
              grids[m].member(
                points.lowerBound + n, parts: entry.parts.map { $0 - firstMember })
            }, of: kinds, sums: sums, scratch: scratch)
        }
      }
    }
    withExtendedLifetime((path.count, partials.count, workspace.count)) {}
  }

  /// Paths of atoms out of the frames: atom by atom, coordinate by coordinate.
  private func load(
    _ range: Range<Int>, of paths: RecordStore, _ correlator: SelfCorrelator,
    into target: UnsafeMutablePointer<Double>
  ) throws {
    let n = atomOrder.count
    for frame in 0..<frameCount {
      for d in 0..<3 {
        try paths.read(
          record: frame, from: d * n + range.lowerBound, length: range.count, into: record.pointer)
        for i in 0..<range.count {
          target[(3 * i + d) * correlator.pathStride + frame] = record.pointer[i]
        }
      }
    }
  }
}
