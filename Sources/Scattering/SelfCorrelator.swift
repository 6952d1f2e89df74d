import CHost
import Matter

/// Sums Σ_i cos q·(r_i(t₀+l) − r_i(t₀)) over atoms and over the origins of each block.
///
/// Every atom's e^{iq·r(t)} is one complex series. Few origins are summed as they stand, many by
/// Fourier transforms, whose spectra are added over the atoms and inverted once.
struct SelfCorrelator: Sendable {
  let origins: OriginBlocks
  private let isDirect: Bool
  private let forward, inverse: FourierTransform

  /// Sums for given origins.
  init(origins: OriginBlocks) {
    self.origins = origins
    let length = origins.transformLength
    forward = FourierTransform(.complex, length: length)
    inverse = FourierTransform(.realInverse, length: length)
    // Measured: 0.29 ns for a pair of frames; 0.37 ns times log₂ M for a value of a transform, and
    // as much again for what surrounds one with a mask.
    let pairs = origins.totals.reduce(0, +)
    let transforms = Double(origins.blocks.count * (origins.isPlain ? 1 : 3))
    var logarithm = 0
    while 1 << logarithm < length { logarithm += 1 }
    isDirect = 0.29 * pairs < 0.37 * transforms * Double(length * logarithm)
  }

  /// The number of doubles in which one point and species is added up.
  var partialCount: Int {
    origins.blocks.count * partialStride
  }
  private var partialStride: Int { padded(isDirect ? origins.lagCount : 2 * forward.length) }
  /// The number of doubles of scratch.
  var scratchCount: Int {
    4 * padded(2 * forward.length + 16) + 2 * padded(origins.frameCount + 8)
  }
  /// The number of doubles of one coordinate of an atom's path.
  var pathStride: Int { padded(origins.frameCount) }

  private func padded(_ n: Int) -> Int { (n + 7) / 8 * 8 }

  /// Adds one atom to a partial sum.
  /// - Parameters:
  ///   - path: three coordinates, each of `pathStride` frames
  ///   - q: what turns them into turns
  func add(
    path: UnsafePointer<Double>, q: SIMD3<Double>, scratch: UnsafeMutablePointer<Double>,
    to partial: UnsafeMutablePointer<Double>
  ) {
    let n = origins.frameCount
    let cosine = scratch
    let sine = scratch + padded(n + 8)
    let work = sine + padded(n + 8)
    var t = 0
    while t < n {
      var turns = f64x8_load(path + t) * q.x
      turns = f64x8_fma(f64x8_load(path + pathStride + t), SIMD8(repeating: q.y), turns)
      turns = f64x8_fma(f64x8_load(path + 2 * pathStride + t), SIMD8(repeating: q.z), turns)
      let (c, s) = phase(ofTurns: turns - f64x8_round(turns))
      f64x8_store(cosine + t, c)
      f64x8_store(sine + t, s)
      t += 8
    }
    for b in origins.blocks.indices {
      if isDirect {
        addDirect(b, cosine, sine, to: partial + b * partialStride)
      } else {
        addSpectrum(b, cosine, sine, work, to: partial + b * partialStride)
      }
    }
  }

  /// Lags in groups of 32, which stay in registers while origins go by.
  private func addDirect(
    _ b: Int, _ cosine: UnsafePointer<Double>, _ sine: UnsafePointer<Double>,
    to partial: UnsafeMutablePointer<Double>
  ) {
    let n = origins.frameCount
    let block = origins.blocks[b]
    var lag = 0
    while lag < origins.lagCount {
      if lag + 32 <= origins.lagCount {
        var s0 = f64x8_load(partial + lag)
        var s1 = f64x8_load(partial + lag + 8)
        var s2 = f64x8_load(partial + lag + 16)
        var s3 = f64x8_load(partial + lag + 24)
        var t = block.lowerBound
        while t < block.upperBound && t + lag + 31 < n {
          let c = SIMD8(repeating: cosine[t])
          let s = SIMD8(repeating: sine[t])
          let (x, y) = (cosine + t + lag, sine + t + lag)
          s0 = f64x8_fma(s, f64x8_load(y), f64x8_fma(c, f64x8_load(x), s0))
          s1 = f64x8_fma(s, f64x8_load(y + 8), f64x8_fma(c, f64x8_load(x + 8), s1))
          s2 = f64x8_fma(s, f64x8_load(y + 16), f64x8_fma(c, f64x8_load(x + 16), s2))
          s3 = f64x8_fma(s, f64x8_load(y + 24), f64x8_fma(c, f64x8_load(x + 24), s3))
          t += origins.stride
        }
        f64x8_store(partial + lag, s0)
        f64x8_store(partial + lag + 8, s1)
        f64x8_store(partial + lag + 16, s2)
        f64x8_store(partial + lag + 24, s3)
        addTail(block, from: t, lag..<lag + 32, cosine, sine, partial)
      } else {
        addTail(block, from: block.lowerBound, lag..<origins.lagCount, cosine, sine, partial)
      }
      lag += 32
    }
  }

  private func addTail(
    _ block: Range<Int>, from first: Int, _ lags: Range<Int>, _ cosine: UnsafePointer<Double>,
    _ sine: UnsafePointer<Double>, _ partial: UnsafeMutablePointer<Double>
  ) {
    var t = first
    while t < block.upperBound {
      let (c, s) = (cosine[t], sine[t])
      for lag in lags
        .lowerBound..<max(lags.lowerBound, min(lags.upperBound, origins.frameCount - t))
      {
        partial[lag] += c * cosine[t + lag] + s * sine[t + lag]
      }
      t += origins.stride
    }
  }

  private func addSpectrum(
    _ b: Int, _ cosine: UnsafePointer<Double>, _ sine: UnsafePointer<Double>,
    _ work: UnsafeMutablePointer<Double>, to partial: UnsafeMutablePointer<Double>
  ) {
    let m = forward.length
    let window = origins.window(b)
    var t = 0
    while t < window.count {
      let c = f64x8_load(cosine + window.lowerBound + t)
      let s = f64x8_load(sine + window.lowerBound + t)
      f64x8_store(work + 2 * t, f64x8_zip_low(c, s))
      f64x8_store(work + 2 * t + 8, f64x8_zip_high(c, s))
      t += 8
    }
    (work + 2 * window.count).update(repeating: 0, count: 2 * (m - window.count))
    let whole = work + padded(2 * m + 16)
    forward.execute(work, to: whole)
    if origins.isPlain {
      // |X|² as pairs of squares, which `sums` adds.
      var k = 0
      while k < 2 * m {
        let x = f64x8_load(whole + k)
        f64x8_store(partial + k, f64x8_fma(x, x, f64x8_load(partial + k)))
        k += 8
      }
      return
    }
    let masked = whole + padded(2 * m + 16)
    masked.update(repeating: 0, count: 2 * m)
    t = 0
    while t < origins.blocks[b].count {
      masked[2 * t] = cosine[window.lowerBound + t]
      masked[2 * t + 1] = sine[window.lowerBound + t]
      t += origins.stride
    }
    let part = masked + padded(2 * m + 16)
    forward.execute(masked, to: part)
    for k in 0..<m {
      let (ar, ai, br, bi) = (part[2 * k], part[2 * k + 1], whole[2 * k], whole[2 * k + 1])
      partial[2 * k] += ar * br + ai * bi
      partial[2 * k + 1] += ar * bi - ai * br
    }
  }

  /// The sums of all lags, block by block, of a partial sum.
  func sums(
    _ partial: UnsafeMutablePointer<Double>, scratch: UnsafeMutablePointer<Double>,
    into sums: UnsafeMutablePointer<Double>
  ) {
    let m = forward.length
    let spectrum = scratch + padded(m)
    for b in origins.blocks.indices {
      let target = sums + b * origins.lagCount
      if isDirect {
        target.update(from: partial + b * partialStride, count: origins.lagCount)
        continue
      }
      let z = partial + b * partialStride
      for k in 0...m / 2 {
        let other = k == 0 ? 0 : m - k
        if origins.isPlain {
          spectrum[2 * k] = 0.5 * (z[2 * k] + z[2 * k + 1] + z[2 * other] + z[2 * other + 1])
          spectrum[2 * k + 1] = 0
        } else {
          spectrum[2 * k] = 0.5 * (z[2 * k] + z[2 * other])
          spectrum[2 * k + 1] = 0.5 * (z[2 * k + 1] - z[2 * other + 1])
        }
      }
      inverse.inverse(spectrum, to: scratch)
      for lag in 0..<origins.lagCount { target[lag] = scratch[lag] / Double(m) }
    }
  }
}
