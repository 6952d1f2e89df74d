import CHost
import Matter

/// Sums over all time origins, Σ_particles Σ_t x(t) x(t+l), for each Cartesian component, of whole
/// series and of equal segments of them, by the Wiener–Khinchin theorem.
///
/// Every segment is padded with zeros and transformed once. Its power spectrum gives its own sums;
/// products of spectra of segments d apart, X_b* X_{b+d}, give the pairs of times between them, and
/// all together the sums of the whole series. Spectra add up over particles; one inverse transform
/// for each product ends.
final class OriginSums {
  /// What a series is cut into, and the transform for it: the same for all threads.
  struct Layout: Sendable {
    /// The number of frames and of lags 0, 1, ….
    let frameCount, lagCount: Int
    /// The frames of each segment; the last also holds those left over.
    let segments: [Range<Int>]
    fileprivate let transform: RealTransform
    /// Values of a spectrum, a multiple of a vector.
    fileprivate let stride: Int
    /// The distance of the furthest segments that a lag joins.
    fileprivate let reach: Int

    /// A layout of one segment or more, each of at least one frame.
    init(frameCount: Int, lagCount: Int, segmentCount: Int) {
      precondition(segmentCount > 0 && frameCount >= segmentCount && lagCount <= frameCount)
      self.frameCount = frameCount
      self.lagCount = lagCount
      let length = frameCount / segmentCount
      segments = (0..<segmentCount).map {
        $0 * length..<($0 == segmentCount - 1 ? frameCount : ($0 + 1) * length)
      }
      // Products of neighbours hold every lag between them, those of a single segment only the
      // lags asked for.
      let longest = frameCount - (segmentCount - 1) * length
      transform = RealTransform(
        length: RealTransform.fastLength(longest + (segmentCount == 1 ? lagCount : longest)))
      stride = (transform.spectrumCount / 2 + 7) / 8 * 8
      reach = min(segmentCount - 1, (lagCount + length - 2) / length)
    }
  }

  private let layout: Layout
  /// By component: |X|² of each segment, then real and imaginary parts of Σ_b X_b* X_{b+d} for
  /// d = 1, 2, ….
  private let products: AlignedBuffer<Double>
  /// Σ_particles x(t)², by component.
  private let squares: AlignedBuffer<Double>

  private var rowCount: Int { layout.segments.count + 2 * layout.reach }

  /// Empty sums.
  init(_ layout: Layout) {
    self.layout = layout
    products = AlignedBuffer(count: 3 * (layout.segments.count + 2 * layout.reach) * layout.stride)
    squares = AlignedBuffer(count: 3 * layout.frameCount)
  }

  /// Scratch, one for each thread.
  struct Scratch: ~Copyable {
    fileprivate let padded, spectrum: AlignedBuffer<Double>
    /// Real parts, then imaginary parts, of the spectrum of each segment.
    fileprivate let parts: AlignedBuffer<Double>
    /// Scratch for sums of this layout.
    init(_ layout: Layout) {
      padded = AlignedBuffer(count: layout.transform.length)
      spectrum = AlignedBuffer(count: layout.transform.spectrumCount)
      parts = AlignedBuffer(count: 2 * layout.segments.count * layout.stride)
    }
  }

  /// Adds a particle; component k at time t is `series[k * stride + t]`.
  func add(
    _ series: UnsafePointer<Double>, stride: Int, scratch: borrowing Scratch
  ) {
    for k in 0..<3 {
      let row = series + k * stride
      let square = squares.pointer + k * layout.frameCount
      for t in 0..<layout.frameCount { square[t] += row[t] * row[t] }
      for (b, frames) in layout.segments.enumerated() {
        transform(row + frames.lowerBound, count: frames.count, segment: b, scratch)
      }
      addProducts(k, scratch)
    }
  }

  /// The spectrum of a segment into its place of `parts`.
  private func transform(
    _ x: UnsafePointer<Double>, count: Int, segment: Int, _ scratch: borrowing Scratch
  ) {
    let transform = layout.transform
    let padded = scratch.padded.pointer
    let spectrum = scratch.spectrum.pointer
    padded.update(from: x, count: count)
    for t in count..<transform.length { padded[t] = 0 }
    transform.forward(padded, to: spectrum)
    let real = scratch.parts.pointer + 2 * segment * layout.stride
    let imaginary = real + layout.stride
    for i in 0..<transform.spectrumCount / 2 {
      real[i] = spectrum[2 * i]
      imaginary[i] = spectrum[2 * i + 1]
    }
  }

  private func addProducts(_ k: Int, _ scratch: borrowing Scratch) {
    let (count, stride, reach) = (layout.segments.count, layout.stride, layout.reach)
    let parts = scratch.parts.pointer
    let rows = products.pointer + k * rowCount * stride
    for i in Swift.stride(from: 0, to: stride, by: 8) {
      for b in 0..<count {
        let a = f64x8_load(parts + 2 * b * stride + i)
        let c = f64x8_load(parts + (2 * b + 1) * stride + i)
        let power = rows + b * stride + i
        f64x8_store(power, f64x8_fma(a, a, f64x8_fma(c, c, f64x8_load(power))))
      }
      for d in 0..<reach {
        let place = rows + (count + 2 * d) * stride + i
        var real = f64x8_load(place)
        var imaginary = f64x8_load(place + stride)
        for b in 0..<count - d - 1 {
          let first = parts + 2 * b * stride + i
          let second = first + 2 * (d + 1) * stride
          let (a, c) = (f64x8_load(first), f64x8_load(first + stride))
          let (e, f) = (f64x8_load(second), f64x8_load(second + stride))
          real = f64x8_fma(a, e, f64x8_fma(c, f, real))
          imaginary = f64x8_fma(a, f, f64x8_fnma(c, e, imaginary))
        }
        f64x8_store(place, real)
        f64x8_store(place + stride, imaginary)
      }
    }
  }

  /// The inverse transform of row r of component k and the row behind it as imaginary parts, or
  /// none; it stays in `padded`.
  private func inverse(_ k: Int, _ row: Int, isReal: Bool, _ scratch: borrowing Scratch) {
    let spectrum = scratch.spectrum.pointer
    let real = products.pointer + (k * rowCount + row) * layout.stride
    let imaginary = real + layout.stride
    let scale = 1 / Double(layout.transform.length)
    for i in 0..<layout.transform.spectrumCount / 2 {
      spectrum[2 * i] = real[i] * scale
      spectrum[2 * i + 1] = isReal ? 0 : imaginary[i] * scale
    }
    layout.transform.inverse(spectrum, to: scratch.padded.pointer)
  }

  /// Σ_particles Σ_t x(t) x(t+l) of component k.
  private func sums(_ k: Int, _ scratch: borrowing Scratch) -> [Double] {
    var result = [Double](repeating: 0, count: layout.lagCount)
    let (count, period) = (layout.segments.count, layout.transform.length)
    let found = scratch.padded.pointer
    let longest = layout.segments[count - 1].count
    for b in 0..<count {
      inverse(k, b, isReal: true, scratch)
      for l in 0..<min(layout.lagCount, longest) { result[l] += found[l] }
    }
    for d in 0..<layout.reach {
      inverse(k, count + 2 * d, isReal: false, scratch)
      // From the last frame of a segment to the first of one d + 1 later, and so on.
      let shift = (d + 1) * layout.segments[0].count
      let first = shift - layout.segments[0].count + 1
      for l in first..<max(first, min(layout.lagCount, shift + longest)) {
        result[l] += found[l < shift ? l - shift + period : l - shift]
      }
    }
    return result
  }

  /// Σ_particles Σ_t x(t) x(t+l) of component k within a segment.
  private func sums(_ k: Int, segment: Int, lagCount: Int, _ scratch: borrowing Scratch) -> [Double]
  {
    inverse(k, segment, isReal: true, scratch)
    return (0..<lagCount).map { scratch.padded.pointer[$0] }
  }

  /// Averages over the origins of each lag, for each component.
  func averages(_ kind: OriginAverage.Kind, scratch: borrowing Scratch) -> [[Double]] {
    (0..<3).map {
      average(kind, $0, sums($0, scratch), over: 0..<layout.frameCount)
    }
  }

  /// The same within a segment.
  func averages(
    _ kind: OriginAverage.Kind, segment: Int, lagCount: Int, scratch: borrowing Scratch
  ) -> [[Double]] {
    (0..<3).map {
      average(
        kind, $0, sums($0, segment: segment, lagCount: lagCount, scratch),
        over: layout.segments[segment])
    }
  }

  /// Σ_particles ⟨x(t) x(t+l)⟩, or Σ_particles ⟨[x(t+l) − x(t)]²⟩, which is never negative and 0 at
  /// lag 0.
  private func average(
    _ kind: OriginAverage.Kind, _ k: Int, _ sums: [Double], over frames: Range<Int>
  ) -> [Double] {
    switch kind {
    case .correlation: return sums.indices.map { sums[$0] / Double(frames.count - $0) }
    case .squaredDifference:
      let square = squares.pointer + k * layout.frameCount
      var both = 0.0
      for t in frames { both += 2 * square[t] }
      var result = [Double](repeating: 0, count: sums.count)
      for l in 1..<max(1, sums.count) {
        both -= square[frames.lowerBound + l - 1] + square[frames.upperBound - l]
        result[l] = max(0, (both - 2 * sums[l]) / Double(frames.count - l))
      }
      return result
    }
  }
}
