import CHost
import Matter

/// Sums Σ Re[x_A(t₀) x_B*(t₀+l)] over the origins of each block, by the Wiener–Khinchin theorem.
///
/// With X the transform of all frames that a block reaches and M that of its origins alone, the sums
/// are the inverse transform of M_A* X_B (+ M_B* X_A for A ≠ B); only the real part is wanted, so the
/// symmetric part of the spectrum and a real inverse do. Spectra may be added over points before
/// they are inverted.
struct SeriesCorrelator: Sendable {
  /// One product of a function; both orders of the channels where they differ.
  struct Term: Sendable {
    let first, second: Int
    let factor: Double
  }
  let origins: OriginBlocks
  let channelCount: Int
  /// The terms of each function.
  let functions: [[Term]]

  private let forward, inverse: FourierTransform
  private let half, halfStride: Int

  /// Correlations of functions of `channelCount` complex series.
  init(origins: OriginBlocks, channelCount: Int, functions: [[Term]]) {
    self.origins = origins
    self.channelCount = channelCount
    self.functions = functions
    let length = origins.transformLength
    forward = FourierTransform(.complex, length: length)
    inverse = FourierTransform(.realInverse, length: length)
    half = length / 2 + 1
    halfStride = (half + 7) / 8 * 8
  }

  /// The number of doubles of the spectra of one point: block by block, function by function.
  var spectrumCount: Int { origins.blocks.count * functions.count * spectrumStride }
  /// The number of doubles of one spectrum, which is real where all frames are origins.
  var spectrumStride: Int { origins.isPlain ? halfStride : 2 * halfStride }
  /// The number of doubles of the sums of one point: block, function, lag.
  var sumCount: Int { origins.blocks.count * functions.count * origins.lagCount }
  /// The number of doubles of scratch.
  var scratchCount: Int { 4 * forward.length + channelCount * 8 * halfStride }

  /// The spectra of one point.
  /// - Parameters:
  ///   - series: channel by channel, frame by frame, complex
  ///   - scratch: `scratchCount` doubles, aligned
  func spectra(
    _ series: UnsafePointer<Double>, scratch: UnsafeMutablePointer<Double>,
    into spectra: UnsafeMutablePointer<Double>
  ) {
    let n = origins.frameCount
    // Lengths are multiples of 4: both are aligned.
    let (work, spectrum) = (scratch, scratch + 2 * forward.length)
    // Split spectra of each channel: re, im at k and at −k, of all frames and of the origins.
    let split = scratch + 4 * forward.length
    for b in origins.blocks.indices {
      let window = origins.window(b)
      for c in 0..<channelCount {
        let x = series + 2 * (c * n + window.lowerBound)
        work.update(from: x, count: 2 * window.count)
        (work + 2 * window.count).update(
          repeating: 0, count: 2 * (forward.length - window.count))
        forward.execute(work, to: spectrum)
        separate(spectrum, into: split + c * 8 * halfStride)
        if !origins.isPlain {
          work.update(repeating: 0, count: 2 * forward.length)
          // Blocks begin with an origin.
          var t = 0
          while t < origins.blocks[b].count {
            work[2 * t] = x[2 * t]
            work[2 * t + 1] = x[2 * t + 1]
            t += origins.stride
          }
          forward.execute(work, to: spectrum)
          separate(spectrum, into: split + (c * 8 + 4) * halfStride)
        }
      }
      for f in functions.indices {
        let target = spectra + (b * functions.count + f) * spectrumStride
        target.update(repeating: 0, count: spectrumStride)
        for term in functions[f] {
          let first = split + term.first * 8 * halfStride
          let second = split + term.second * 8 * halfStride
          if origins.isPlain {
            addPlain(first, second, factor: term.factor, isSame: term.first == term.second, target)
          } else {
            addMasked(first + 4 * halfStride, second, factor: term.factor, target)
            if term.first != term.second {
              addMasked(second + 4 * halfStride, first, factor: term.factor, target)
            }
          }
        }
      }
    }
  }

  private func separate(
    _ x: UnsafePointer<Double>, into s: UnsafeMutablePointer<Double>
  ) {
    let n = forward.length
    let (re, im, re2, im2) = (s, s + halfStride, s + 2 * halfStride, s + 3 * halfStride)
    (re[0], im[0], re2[0], im2[0]) = (x[0], x[1], x[0], x[1])
    for k in 1..<half {
      re[k] = x[2 * k]
      im[k] = x[2 * k + 1]
      re2[k] = x[2 * (n - k)]
      im2[k] = x[2 * (n - k) + 1]
    }
    for k in half..<halfStride { (re[k], im[k], re2[k], im2[k]) = (0, 0, 0, 0) }
  }

  /// ½[Z(k) + Z(−k)] with Z = Re a*b, twice that for both orders.
  private func addPlain(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, factor: Double, isSame: Bool,
    _ target: UnsafeMutablePointer<Double>
  ) {
    let scale = SIMD8(repeating: isSame ? 0.5 * factor : factor)
    var k = 0
    while k < halfStride {
      var z = f64x8_load(a + k) * f64x8_load(b + k)
      for part in 1..<4 {
        z = f64x8_fma(
          f64x8_load(a + part * halfStride + k), f64x8_load(b + part * halfStride + k), z)
      }
      f64x8_store(target + k, f64x8_fma(z, scale, f64x8_load(target + k)))
      k += 8
    }
  }

  /// ½[Z(k) + Z*(−k)] with Z = a*b.
  private func addMasked(
    _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, factor: Double,
    _ target: UnsafeMutablePointer<Double>
  ) {
    let scale = SIMD8(repeating: 0.5 * factor)
    let s = halfStride
    var k = 0
    while k < s {
      let (ar, ai) = (f64x8_load(a + k), f64x8_load(a + s + k))
      let (cr, ci) = (f64x8_load(a + 2 * s + k), f64x8_load(a + 3 * s + k))
      let (br, bi) = (f64x8_load(b + k), f64x8_load(b + s + k))
      let (dr, di) = (f64x8_load(b + 2 * s + k), f64x8_load(b + 3 * s + k))
      var re = ar * br
      re = f64x8_fma(ai, bi, re)
      re = f64x8_fma(cr, dr, re)
      re = f64x8_fma(ci, di, re) * scale
      var im = ar * bi
      im = f64x8_fnma(ai, br, im)
      im = f64x8_fnma(cr, di, im)
      im = f64x8_fma(ci, dr, im) * scale
      f64x8_store(target + 2 * k, f64x8_load(target + 2 * k) + f64x8_zip_low(re, im))
      f64x8_store(target + 2 * k + 8, f64x8_load(target + 2 * k + 8) + f64x8_zip_high(re, im))
      k += 8
    }
  }

  /// The sums of spectra, which are destroyed.
  /// - Parameter scratch: `scratchCount` doubles, aligned
  func sums(
    _ spectra: UnsafeMutablePointer<Double>, scratch: UnsafeMutablePointer<Double>,
    into sums: UnsafeMutablePointer<Double>
  ) {
    let scale = 1 / Double(forward.length)
    let work = scratch + 2 * forward.length
    for row in 0..<origins.blocks.count * functions.count {
      var spectrum = spectra + row * spectrumStride
      if origins.isPlain {
        for k in 0..<half {
          work[2 * k] = spectrum[k]
          work[2 * k + 1] = 0
        }
        spectrum = work
      }
      inverse.inverse(spectrum, to: scratch)
      let target = sums + row * origins.lagCount
      for lag in 0..<origins.lagCount { target[lag] = scratch[lag] * scale }
    }
  }
}
