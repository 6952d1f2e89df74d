import Matter

/// From sums of blocks to functions, spectra and standard errors of one point.
struct Estimator: Sendable {
  /// Where the rows of one function and point go (error rows are nil without blocks), and which
  /// sums it adds.
  struct Member {
    let values, spectrum: UnsafeMutablePointer<Double>
    let valueErrors, spectrumErrors: UnsafeMutablePointer<Double>?
    let parts: [Int]
  }

  let origins: OriginBlocks
  /// 1/(number of pairs · number of atoms), by lag.
  private let weights: [Double]
  /// Δt w(l).
  private let taper: [Double]
  private let transform: FourierTransform
  /// The number of blocks that reach each lag.
  private let reach: [Double]
  /// Whether blocks give errors.
  var hasErrors: Bool { origins.blocks.count > 1 }

  init(origins: OriginBlocks, atomCount: Int, timestep: Double, taper: Taper) {
    self.origins = origins
    weights = origins.totals.map { 1 / ($0 * Double(atomCount)) }
    self.taper = taper.factors(maximumLag: origins.lagCount - 1, timestep: timestep)
      .map { $0 * timestep }
    transform = FourierTransform(.complex, length: 2 * origins.lagCount - 1)
    reach = (0..<origins.lagCount).map { lag in
      Double(origins.counts.lazy.filter { $0[lag] > 0 }.count)
    }
  }

  private var rowStride: Int { (origins.lagCount + 7) / 8 * 8 }
  private var seriesStride: Int { (4 * origins.lagCount + 7) / 8 * 8 }
  /// The number of doubles of scratch.
  var scratchCount: Int { 2 * seriesStride + 5 * rowStride }

  /// Fills the rows of some functions of one point.
  /// - Parameters:
  ///   - sums: block by block, `functionCount` functions, lag by lag
  ///   - scratch: `scratchCount` doubles, aligned
  func fill(
    _ members: [Member], of functionCount: Int, sums: UnsafePointer<Double>,
    scratch: UnsafeMutablePointer<Double>
  ) {
    let n = origins.lagCount
    let rows = scratch + 2 * seriesStride
    let (unused, added) = (rows, rows + rowStride)
    func sum(_ block: Int, _ parts: [Int]) -> UnsafePointer<Double> {
      let first = sums + (block * functionCount + parts[0]) * n
      if parts.count == 1 { return first }
      added.update(from: first, count: n)
      for part in parts.dropFirst() {
        let row = sums + (block * functionCount + part) * n
        for lag in 0..<n { added[lag] += row[lag] }
      }
      return UnsafePointer(added)
    }
    for member in members {
      let f = member.values
      f.update(repeating: 0, count: n)
      for b in origins.blocks.indices {
        let s = sum(b, member.parts)
        for lag in 0..<n { f[lag] += s[lag] }
      }
      for lag in 0..<n { f[lag] *= weights[lag] }
    }
    for m in stride(from: 0, to: members.count, by: 2) {
      let next = m + 1 < members.count ? members[m + 1] : nil
      transform(
        members[m].values, next?.values, into: members[m].spectrum, next?.spectrum ?? unused,
        scratch)
    }
    guard hasErrors else { return }
    for member in members {
      if let errors = member.valueErrors, let spectrumErrors = member.spectrumErrors {
        fillErrors(member, errors, spectrumErrors, scratch) { sum($0, member.parts) }
      }
    }
  }

  private func fillErrors(
    _ member: Member, _ errors: UnsafeMutablePointer<Double>,
    _ spectrumErrors: UnsafeMutablePointer<Double>, _ scratch: UnsafeMutablePointer<Double>,
    sum: (_ block: Int) -> UnsafePointer<Double>
  ) {
    let n = origins.lagCount
    let rows = scratch + 2 * seriesStride
    let f = member.values
    errors.update(repeating: 0, count: n)
    spectrumErrors.update(repeating: 0, count: n)
    let deviations = (rows + 3 * rowStride, rows + 4 * rowStride)
    let spectra = (rows, rows + 2 * rowStride)
    for b in stride(from: 0, to: origins.blocks.count, by: 2) {
      let isPair = b + 1 < origins.blocks.count
      for k in b...(isPair ? b + 1 : b) {
        let s = sum(k)
        let d = k == b ? deviations.0 : deviations.1
        let counts = origins.counts[k]
        for lag in 0..<n {
          // Σ over the block of (pair − mean), over the number of all pairs.
          let x = s[lag] * weights[lag] - counts[lag] / origins.totals[lag] * f[lag]
          d[lag] = x
          errors[lag] += x * x
        }
      }
      transform(deviations.0, isPair ? deviations.1 : nil, into: spectra.0, spectra.1, scratch)
      for k in 0..<n {
        spectrumErrors[k] += spectra.0[k] * spectra.0[k] + spectra.1[k] * spectra.1[k]
      }
    }
    let least = reach.min() ?? 0
    let blocks = Double(origins.blocks.count)
    for k in 0..<n {
      errors[k] =
        reach[k] > 1 ? (errors[k] * reach[k] / (reach[k] - 1)).squareRoot() : .nan
      spectrumErrors[k] =
        least > 1 ? (spectrumErrors[k] * blocks / (blocks - 1)).squareRoot() : .nan
    }
  }

  /// Δt Σ_{l=−W}^{W} w F(|l|) cos(ω l Δt) of one or two functions: they are the real and the
  /// imaginary part of one series, whose parts stay apart because both are even. Zeros for none.
  private func transform(
    _ f: UnsafePointer<Double>, _ g: UnsafePointer<Double>?,
    into first: UnsafeMutablePointer<Double>, _ second: UnsafeMutablePointer<Double>,
    _ scratch: UnsafeMutablePointer<Double>
  ) {
    let n = origins.lagCount
    let length = 2 * n - 1
    for lag in 0..<n {
      scratch[2 * lag] = f[lag] * taper[lag]
      scratch[2 * lag + 1] = g.map { $0[lag] * taper[lag] } ?? 0
    }
    for lag in stride(from: 1, to: n, by: 1) {
      scratch[2 * (length - lag)] = scratch[2 * lag]
      scratch[2 * (length - lag) + 1] = scratch[2 * lag + 1]
    }
    let spectrum = scratch + seriesStride
    transform.execute(scratch, to: spectrum)
    for k in 0..<n {
      first[k] = spectrum[2 * k]
      second[k] = spectrum[2 * k + 1]
    }
  }
}
