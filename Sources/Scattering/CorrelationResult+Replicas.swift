import Matter

extension CorrelationResult {
  /// The mean over independent trajectories, each lag weighted by its pairs of frames, with standard
  /// errors from the spread between them in place of those of blocks.
  /// - Throws: `InputError` where they differ in points, lags, functions or atoms.
  public static func mean(ofReplicas replicas: [CorrelationResult]) throws -> CorrelationResult {
    guard var result = replicas.first else {
      throw InputError("there is no replica", remedy: "Give at least one")
    }
    if replicas.count == 1 { return result }
    for (number, replica) in replicas.enumerated() {
      func demand(_ isSame: Bool, _ what: String) throws(InputError) {
        if !isSame {
          throw InputError(
            "replica \(number + 1) differs from the first in its \(what)",
            remedy: "Give trajectories of the same system and deck")
        }
      }
      try demand(replica.points == result.points, "q-points")
      try demand(
        replica.times == result.times && replica.timestep == result.timestep
          && replica.taper == result.taper,
        "lags (\(replica.times.count), first \(result.times.count)), time step or window")
      try demand(
        replica.atomCount == result.atomCount && replica.speciesCounts == result.speciesCounts,
        "atoms")
      try demand(
        replica.functions.map(\.timeName) == result.functions.map(\.timeName)
          && replica.statics.map(\.species) == result.statics.map(\.species), "functions")
    }
    let n = result.times.count
    let frames = replicas.map(\.frameCount)
    let origins = OriginBlocks(
      replicas: replicas.map(\.pairCounts), frameCount: frames.reduce(0, +))
    let estimator = Estimator(
      origins: origins, atomCount: 1, timestep: result.timestep, taper: result.taper)
    let scratch = AlignedBuffer<Double>(count: estimator.scratchCount)
    let sums = Grid(rows: replicas.count, rowLength: n)
    for f in result.functions.indices {
      let member = FunctionSet.Member(
        kind: result.functions[f].kind, species: result.functions[f].species)
      result.functions[f] =
        try FunctionGrid.functions(
          [member], points: result.points.count, lagCount: n, hasErrors: true
        ) { grids in
          for p in 0..<result.points.count {
            for (r, replica) in replicas.enumerated() {
              for lag in 0..<n {
                sums.row(r)[lag] =
                  replica.functions[f].values[n * p + lag] * replica.pairCounts[lag]
              }
            }
            estimator.fill(
              [grids[0].member(p, parts: [0])], of: 1, sums: sums.row(0), scratch: scratch.pointer)
          }
        }[0]
    }
    let (total, count) = (Double(origins.frameCount), Double(replicas.count))
    for s in result.statics.indices {
      for p in 0..<result.points.count {
        let parts = replicas.enumerated().map {
          $1.statics[s].values[p] * Double(frames[$0]) / total
        }
        let mean = parts.reduce(0, +)
        let square = zip(parts, frames).reduce(0) { sum, part in
          let d = part.0 - mean * Double(part.1) / total
          return sum + d * d
        }
        if p == 0 { result.statics[s].errors = Array(repeating: 0, count: result.points.count) }
        result.statics[s].values[p] = mean
        result.statics[s].errors[p] = (square * count / (count - 1)).squareRoot()
      }
    }
    let rows = zip(replicas, frames).reduce(Matrix3.zero) {
      $0 + $1.0.meanCell.rows * (Double($1.1) / total)
    }
    do {
      result.meanCell = try Cell(rows: rows)
    } catch {
      throw InputError("the mean of the cells has no volume")
    }
    if case .lattice = result.points {
      result.q = result.points.cartesian(in: result.meanCell)
      result.norms = result.q.map { dot($0, $0).squareRoot() }
    }
    for p in result.norms.indices {
      let square = zip(replicas, frames).reduce(0) { sum, replica in
        let d = replica.0.norms[p] - result.norms[p]
        let spread = replica.0.normSpread[p]
        return sum + (spread * spread + d * d) * Double(replica.1) / total
      }
      result.normSpread[p] = square.squareRoot()
    }
    result.pairCounts = origins.totals
    result.frameCount = origins.frameCount
    return result
  }
}
