import CHost
import Matter

/// Sums Σ_i cos q·(r_i(t₀+l) − r_i(t₀)) over atoms and over the origins of each block.
///
/// Every atom's e^{iq·r(t)} is one complex series. Few origins are summed as they stand, many by
/// Fourier transforms, whose spectra are added over the atoms and inverted once.
struct SelfCorrelator: Sendable {
  let origins: OriginBlocks
  private let isDirect: Bool
  private let period: Int
  private let forward, inverse: FourierTransform

  /// Sums for given origins.
  init(origins: OriginBlocks) {
    self.origins = origins
    let length = origins.transformLength
    forward = FourierTransform(.complex, length: length)
    inverse = FourierTransform(.realInverse, length: length)
    // 8 times this is the least multiple of 8 and of the stride.
    period = origins.stride / ([8, 4, 2].first { origins.stride % $0 == 0 } ?? 1)
    // Measured: 0.16 ns for a pair of frames; 0.37 ns times log₂ M for a value of a transform, and
    // as much again for what surrounds one with a mask.
    let pairs = origins.totals.reduce(0, +)
    let transforms = Double(origins.blocks.count * (origins.isPlain ? 1 : 3))
    var logarithm = 0
    while 1 << logarithm < length { logarithm += 1 }
    isDirect = 0.16 * pairs < 0.37 * transforms * Double(length * logarithm)
  }

  /// The number of doubles in which one point and species is added up.
  var partialCount: Int {
    origins.blocks.count * partialStride
  }
  private var partialStride: Int {
    // The longest of four lags may lie beyond the last.
    isDirect
      ? padded(origins.lagCount) + (8 * period < origins.lagCount ? 24 * period : 0)
      : padded(2 * forward.length)
  }
  /// The number of doubles of scratch.
  var scratchCount: Int {
    4 * padded(2 * forward.length + 64) + 2 * padded(origins.frameCount + 8)
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
    // Vectors of lags reach beyond the last frame.
    (cosine + n).update(repeating: 0, count: padded(n + 8) - n)
    (sine + n).update(repeating: 0, count: padded(n + 8) - n)
    for b in origins.blocks.indices {
      if isDirect {
        addDirect(b, cosine, sine, work, to: partial + b * partialStride)
      } else {
        addSpectrum(b, cosine, sine, work, to: partial + b * partialStride)
      }
    }
  }

  /// Lags eight in a vector. Lags l, l + J, l + 2J and l + 3J, J the least multiple of the stride and
  /// of 8, meet the same frames from origins J apart, so that each vector of frames is loaded once
  /// for the four. `packets` holds what it is multiplied with: of each origin and of those J, 2J and
  /// 3J before it the cosines, then the sines, 0 where there is none.
  private func addDirect(
    _ b: Int, _ cosine: UnsafePointer<Double>, _ sine: UnsafePointer<Double>,
    _ packets: UnsafeMutablePointer<Double>, to partial: UnsafeMutablePointer<Double>
  ) {
    let block = origins.blocks[b]
    let step = origins.stride
    let count = (block.count + step - 1) / step
    let shift = 8 * period
    let back = shift / step
    for o in 0..<count + 3 * back {
      for g in 0..<4 {
        let origin = o - g * back
        let isPresent = origin >= 0 && origin < count
        let t = isPresent ? block.lowerBound + origin * step : 0
        packets[8 * o + g] = isPresent ? cosine[t] : 0
        packets[8 * o + 4 + g] = isPresent ? sine[t] : 0
      }
    }
    let vectors = (origins.lagCount + 7) / 8
    for begin in stride(from: 0, to: vectors, by: 4 * period) {
      for first in begin..<min(begin + period, vectors) {
        let start = block.lowerBound + 8 * first
        // Origins whose frame at this lag exists.
        let reach = max(0, (origins.frameCount - start + step - 1) / step)
        let target = partial + 8 * first
        if first + period < vectors {
          addFour(
            packets, cosine + start, sine + start, count: min(count + 3 * back, reach), to: target)
        } else {
          addOne(packets, cosine + start, sine + start, count: min(count, reach), to: target)
        }
      }
    }
  }

  private func addFour(
    _ packets: UnsafePointer<Double>, _ cosine: UnsafePointer<Double>,
    _ sine: UnsafePointer<Double>, count: Int, to target: UnsafeMutablePointer<Double>
  ) {
    let shift = 8 * period
    let step = origins.stride
    var s0 = f64x8_load(target)
    var s1 = f64x8_load(target + shift)
    var s2 = f64x8_load(target + 2 * shift)
    var s3 = f64x8_load(target + 3 * shift)
    var (packet, x, y) = (packets, cosine, sine)
    for _ in 0..<count {
      let (c, s) = (f64x8_load(x), f64x8_load(y))
      s0 = f64x8_fma(SIMD8(repeating: packet[0]), c, s0)
      s1 = f64x8_fma(SIMD8(repeating: packet[1]), c, s1)
      s2 = f64x8_fma(SIMD8(repeating: packet[2]), c, s2)
      s3 = f64x8_fma(SIMD8(repeating: packet[3]), c, s3)
      s0 = f64x8_fma(SIMD8(repeating: packet[4]), s, s0)
      s1 = f64x8_fma(SIMD8(repeating: packet[5]), s, s1)
      s2 = f64x8_fma(SIMD8(repeating: packet[6]), s, s2)
      s3 = f64x8_fma(SIMD8(repeating: packet[7]), s, s3)
      packet += 8
      x += step
      y += step
    }
    f64x8_store(target, s0)
    f64x8_store(target + shift, s1)
    f64x8_store(target + 2 * shift, s2)
    f64x8_store(target + 3 * shift, s3)
  }

  private func addOne(
    _ packets: UnsafePointer<Double>, _ cosine: UnsafePointer<Double>,
    _ sine: UnsafePointer<Double>, count: Int, to target: UnsafeMutablePointer<Double>
  ) {
    var real = f64x8_load(target)
    var imaginary = SIMD8<Double>.zero
    for o in 0..<count {
      let t = o * origins.stride
      real = f64x8_fma(SIMD8(repeating: packets[8 * o]), f64x8_load(cosine + t), real)
      imaginary = f64x8_fma(SIMD8(repeating: packets[8 * o + 4]), f64x8_load(sine + t), imaginary)
    }
    f64x8_store(target, real + imaginary)
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
