import Matter

/// From sums of blocks to functions, spectra and standard errors of one point.
struct Estimator: Sendable {
  let origins: OriginBlocks
  /// 1/(number of pairs · number of atoms), by lag.
  private let weights: [Double]
  private let taper: [Double]
  private let timestep: Double
  private let transform: FourierTransform
  /// Whether blocks give errors.
  var hasErrors: Bool { origins.blocks.count > 1 }
  /// Whether at least two blocks reach every lag.
  private let coversLags: [Bool]

  init(origins: OriginBlocks, atomCount: Int, timestep: Double, taper: Taper) {
    self.origins = origins
    self.timestep = timestep
    weights = origins.totals.map { 1 / ($0 * Double(atomCount)) }
    self.taper = taper.factors(maximumLag: origins.lagCount - 1, timestep: timestep)
    transform = FourierTransform(.realForward, length: 2 * origins.lagCount - 1)
    coversLags = (0..<origins.lagCount).map { lag in
      origins.counts.lazy.filter { $0[lag] > 0 }.count > 1
    }
  }

  /// The number of doubles of scratch.
  var scratchCount: Int { 6 * (origins.lagCount + 8) + 2 * (origins.lagCount + 8) }

  /// Where the rows of one point go; error rows are nil without blocks.
  struct Target {
    let values, spectrum: UnsafeMutablePointer<Double>
    let valueErrors, spectrumErrors: UnsafeMutablePointer<Double>?
  }

  /// Fills the rows of one function and point.
  /// - Parameters:
  ///   - sums: the sum of each lag in a block
  ///   - scratch: `scratchCount` doubles, aligned
  func fill(
    _ target: Target, scratch: UnsafeMutablePointer<Double>,
    sums: (_ block: Int) -> UnsafePointer<Double>
  ) {
    let n = origins.lagCount
    let f = target.values
    f.update(repeating: 0, count: n)
    for b in origins.blocks.indices {
      let s = sums(b)
      for lag in 0..<n { f[lag] += s[lag] }
    }
    for lag in 0..<n { f[lag] *= weights[lag] }
    let rest = scratch + (2 * n + 15) / 8 * 8
    transformed(f, rest, scratch)
    target.spectrum.update(from: rest, count: n)
    guard let errors = target.valueErrors, let spectrumErrors = target.spectrumErrors else {
      return
    }
    errors.update(repeating: 0, count: n)
    spectrumErrors.update(repeating: 0, count: n)
    let deviation = rest + (2 * n + 15) / 8 * 8
    for b in origins.blocks.indices {
      let s = sums(b)
      let counts = origins.counts[b]
      for lag in 0..<n {
        // Σ over the block of (pair − mean), over the number of all pairs.
        let d = s[lag] * weights[lag] - counts[lag] / origins.totals[lag] * f[lag]
        deviation[lag] = d
        errors[lag] += d * d
      }
      transformed(deviation, rest, scratch)
      for k in 0..<n { spectrumErrors[k] += rest[k] * rest[k] }
    }
    let allCovered = coversLags.allSatisfy { $0 }
    let blocks = Double(origins.blocks.count)
    for k in 0..<n {
      let reaching = Double(origins.counts.lazy.filter { $0[k] > 0 }.count)
      errors[k] =
        coversLags[k] ? (errors[k] * reaching / (reaching - 1)).squareRoot() : .nan
      spectrumErrors[k] =
        allCovered ? (spectrumErrors[k] * blocks / (blocks - 1)).squareRoot() : .nan
    }
  }

  /// Δt Σ_{l=−W}^{W} w F cos(ω l Δt): `count` values at the start of `target`.
  private func transformed(
    _ f: UnsafePointer<Double>, _ target: UnsafeMutablePointer<Double>,
    _ scratch: UnsafeMutablePointer<Double>
  ) {
    let n = origins.lagCount
    for lag in 0..<n { scratch[lag] = f[lag] * taper[lag] }
    for lag in 1..<max(1, n) { scratch[2 * n - 1 - lag] = scratch[lag] }
    transform.forward(scratch, to: target)
    for k in 0..<n { target[k] = target[2 * k] * timestep }
  }
}
