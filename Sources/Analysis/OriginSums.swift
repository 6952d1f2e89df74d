import Matter

/// Sums over all time origins, Σ_particles Σ_t x(t) x(t+l), for each Cartesian component, by the
/// Wiener–Khinchin theorem: power spectra of zero-padded series add up, one inverse transform ends.
final class OriginSums {
  /// The number of frames and of lags 0, 1, ….
  let frameCount, lagCount: Int
  private let transform: RealTransform
  /// Squares of the real and imaginary parts of every spectrum, by component.
  private let power: AlignedBuffer<Double>
  private let powerStride: Int
  /// Σ_particles x(t)², by component.
  private let squares: AlignedBuffer<Double>

  /// Empty sums; the transform is at least as long as frames and lags together.
  init(frameCount: Int, lagCount: Int, transform: RealTransform) {
    precondition(transform.length >= frameCount + lagCount - 1)
    self.frameCount = frameCount
    self.lagCount = lagCount
    self.transform = transform
    powerStride = (transform.spectrumCount + 7) / 8 * 8
    power = AlignedBuffer(count: 3 * powerStride)
    squares = AlignedBuffer(count: 3 * frameCount)
  }

  /// Scratch for `add`, one for each thread.
  struct Scratch: ~Copyable {
    fileprivate let padded, spectrum: AlignedBuffer<Double>
    /// Scratch for transforms of at most this length.
    init(length: Int) {
      padded = AlignedBuffer(count: length)
      spectrum = AlignedBuffer(count: length + 2)
    }
  }

  /// Adds a particle; component k at time t is `series[k * stride + t]`.
  func add(
    _ series: UnsafePointer<Double>, stride: Int, scratch: borrowing Scratch
  ) {
    let padded = scratch.padded.pointer
    let spectrum = scratch.spectrum.pointer
    for k in 0..<3 {
      let row = series + k * stride
      let square = squares.pointer + k * frameCount
      for t in 0..<frameCount {
        padded[t] = row[t]
        square[t] += row[t] * row[t]
      }
      for t in frameCount..<transform.length { padded[t] = 0 }
      transform.forward(padded, to: spectrum)
      let sum = power.pointer + k * powerStride
      for i in 0..<transform.spectrumCount { sum[i] += spectrum[i] * spectrum[i] }
    }
  }

  /// The correlation sums of component k, for every lag.
  private func correlations(_ k: Int, scratch: borrowing Scratch) -> [Double] {
    let spectrum = scratch.spectrum.pointer
    let sum = power.pointer + k * powerStride
    for i in 0...transform.length / 2 {
      spectrum[2 * i] = sum[2 * i] + sum[2 * i + 1]
      spectrum[2 * i + 1] = 0
    }
    transform.inverse(spectrum, to: scratch.padded.pointer)
    let scale = 1 / Double(transform.length)
    return (0..<lagCount).map { scratch.padded.pointer[$0] * scale }
  }

  /// Σ_particles ⟨x(t) x(t+l)⟩ over the origins of each lag, for each component.
  func correlations(scratch: borrowing Scratch) -> [[Double]] {
    var result: [[Double]] = []
    for k in 0..<3 {
      var c = correlations(k, scratch: scratch)
      for l in 0..<lagCount { c[l] /= Double(frameCount - l) }
      result.append(c)
    }
    return result
  }

  /// Σ_particles ⟨[x(t+l) − x(t)]²⟩ over the origins of each lag, for each component; never
  /// negative, 0 at lag 0.
  func squaredDifferences(scratch: borrowing Scratch) -> [[Double]] {
    var result: [[Double]] = []
    for k in 0..<3 {
      let c = correlations(k, scratch: scratch)
      let square = squares.pointer + k * frameCount
      var both = 0.0
      for t in 0..<frameCount { both += 2 * square[t] }
      var out = [Double](repeating: 0, count: lagCount)
      for l in 1..<max(1, lagCount) {
        both -= square[l - 1] + square[frameCount - l]
        out[l] = max(0, (both - 2 * c[l]) / Double(frameCount - l))
      }
      result.append(out)
    }
    return result
  }
}
