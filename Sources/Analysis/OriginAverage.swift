import CHost
import Matter
import Parallel

/// An average over the particles of a group and all time origins, with the averages of its parts
/// from which errors are estimated. Arrays are [component][lag], per particle.
struct OriginAverage {
  /// What is averaged.
  enum Kind {
    /// [x(t+l) − x(t)]² of displacements.
    case squaredDifference
    /// x(t) x(t+l).
    case correlation
  }

  /// The whole average.
  var whole: [[Double]]
  /// The averages of equal stretches of time, for lags up to half of their length.
  var timeBlocks: [[[Double]]]
  /// The averages of equal parts of the particles in their order.
  var parts: [[[Double]]]
  /// ⟨u u⟩ about each particle's mean position, of each stretch of time.
  var blockMoments: [Tensor6]
  /// ⟨u u⟩ of each part of the particles, over all frames.
  var partMoments: [Tensor6]

  /// The most parts that the particles are cut into.
  static let mostParts = 16

  /// Averages over `particles`, not empty, of a store of at least one frame.
  /// - Parameter map: what is applied to every stored vector
  init(
    of particles: [Int], in store: SeriesStore, kind: Kind, map: Matrix3, lagCount: Int,
    blockCount: Int, team: ThreadTeam
  ) throws(ObservableError) {
    let n = store.frameCount
    let blockLength = n / max(1, blockCount)
    let hasBlocks = blockCount > 1 && blockLength >= 4
    let blockLags = hasBlocks ? min(lagCount, blockLength / 2 + 1) : 0
    let layout = OriginSums.Layout(
      frameCount: n, lagCount: lagCount, segmentCount: hasBlocks ? blockCount : 1)
    let partCount = min(Self.mostParts, particles.count)
    let stride = (n + 7) / 8 * 8

    struct Part {
      var whole: [[Double]]
      var blocks: [[[Double]]]
      var moments: [Tensor6]
      var wholeMoment: Tensor6
    }
    let results = UnsafeMutablePointer<Part?>.allocate(capacity: partCount)
    results.initialize(repeating: nil, count: partCount)
    let failures = UnsafeMutablePointer<ObservableError?>.allocate(capacity: partCount)
    failures.initialize(repeating: nil, count: partCount)
    defer {
      results.deinitialize(count: partCount)
      results.deallocate()
      failures.deinitialize(count: partCount)
      failures.deallocate()
    }
    // A part writes only its own result.
    team.run(partCount, chunkSize: 1) { chunk, _ in
      let p = chunk.lowerBound
      let scratch = OriginSums.Scratch(layout)
      let series = AlignedBuffer<Double>(count: 3 * stride)
      let x = series.pointer
      let sums = OriginSums(layout)
      var moments = [Tensor6](repeating: .zero, count: layout.segments.count)
      for index in particles.count * p / partCount..<particles.count * (p + 1) / partCount {
        do throws(ObservableError) {
          try store.read(particles[index], into: x, stride: stride)
        } catch {
          failures[p] = error
          return
        }
        if map != .identity { Self.apply(map, x, stride: stride, count: n) }
        if kind == .squaredDifference {
          Self.subtractMeans(x, stride: stride, count: n)
          for (b, frames) in layout.segments.enumerated() {
            moments[b] = moments[b] + Self.moment(x, stride: stride, frames)
          }
        }
        sums.add(x, stride: stride, scratch: scratch)
      }
      var wholeMoment = Tensor6.zero
      for (b, frames) in layout.segments.enumerated() {
        wholeMoment = wholeMoment + moments[b] * (Double(frames.count) / Double(n))
      }
      results[p] = Part(
        whole: sums.averages(kind, scratch: scratch),
        blocks: hasBlocks
          ? layout.segments.indices.map {
            sums.averages(kind, segment: $0, lagCount: blockLags, scratch: scratch)
          } : [],
        moments: moments, wholeMoment: wholeMoment)
    }
    for p in 0..<partCount { if let failure = failures[p] { throw failure } }

    let zero = [[Double]](repeating: [Double](repeating: 0, count: lagCount), count: 3)
    let zeroBlock = [[Double]](repeating: [Double](repeating: 0, count: blockLags), count: 3)
    let share = 1 / Double(particles.count)
    whole = zero
    timeBlocks = [[[Double]]](repeating: zeroBlock, count: hasBlocks ? blockCount : 0)
    parts = []
    blockMoments = [Tensor6](repeating: .zero, count: timeBlocks.count)
    partMoments = []
    for p in 0..<partCount {
      guard let part = results[p] else { continue }
      let size = particles.count * (p + 1) / partCount - particles.count * p / partCount
      Self.add(part.whole, times: share, to: &whole)
      for b in timeBlocks.indices {
        Self.add(part.blocks[b], times: share, to: &timeBlocks[b])
        blockMoments[b] = blockMoments[b] + part.moments[b] * share
      }
      parts.append(part.whole.map { row in row.map { $0 / Double(size) } })
      partMoments.append(part.wholeMoment * (1 / Double(size)))
    }
  }

  private static func add(_ rows: [[Double]], times factor: Double, to sum: inout [[Double]]) {
    for k in rows.indices {
      for l in rows[k].indices { sum[k][l] += factor * rows[k][l] }
    }
  }

  private static func apply(
    _ m: Matrix3, _ x: UnsafeMutablePointer<Double>, stride: Int, count: Int
  ) {
    for t in 0..<count {
      let v = m * SIMD3(x[t], x[stride + t], x[2 * stride + t])
      x[t] = v.x
      x[stride + t] = v.y
      x[2 * stride + t] = v.z
    }
  }

  private static func subtractMeans(
    _ x: UnsafeMutablePointer<Double>, stride: Int, count: Int
  ) {
    for k in 0..<3 {
      let row = x + k * stride
      let mean = DeterministicSum.sum(row, count: count) / Double(count)
      for t in 0..<count { row[t] -= mean }
    }
  }

  /// ⟨u u⟩ over frames, in eight interleaved sums.
  private static func moment(
    _ x: UnsafePointer<Double>, stride: Int, _ frames: Range<Int>
  ) -> Tensor6 {
    let y = x + stride
    let z = y + stride
    var (xx, yy, zz) = (f64x8.zero, f64x8.zero, f64x8.zero)
    var (yz, xz, xy) = (f64x8.zero, f64x8.zero, f64x8.zero)
    let whole = frames.lowerBound + frames.count / 8 * 8
    for t in Swift.stride(from: frames.lowerBound, to: whole, by: 8) {
      let a = f64x8_load(x + t)
      let b = f64x8_load(y + t)
      let c = f64x8_load(z + t)
      xx = f64x8_fma(a, a, xx)
      yy = f64x8_fma(b, b, yy)
      zz = f64x8_fma(c, c, zz)
      yz = f64x8_fma(b, c, yz)
      xz = f64x8_fma(a, c, xz)
      xy = f64x8_fma(a, b, xy)
    }
    var m = Tensor6(
      xx: f64x8_sum(xx), yy: f64x8_sum(yy), zz: f64x8_sum(zz), yz: f64x8_sum(yz),
      xz: f64x8_sum(xz), xy: f64x8_sum(xy))
    for t in whole..<frames.upperBound {
      m.xx += x[t] * x[t]
      m.yy += y[t] * y[t]
      m.zz += z[t] * z[t]
      m.yz += y[t] * z[t]
      m.xz += x[t] * z[t]
      m.xy += x[t] * y[t]
    }
    return m * (1 / Double(frames.count))
  }
}
