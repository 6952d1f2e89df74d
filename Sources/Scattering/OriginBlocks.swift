/// Which pairs of frames (t₀, t₀ + l) are counted: origins t₀ = 0, s, 2s, … of all frames, lags l
/// up to W where t₀ + l is a frame, as dynasor does; each lag is divided by its own count. Origins
/// are cut into consecutive blocks, so that sums of blocks add up to the whole.
struct OriginBlocks: Sendable {
  let frameCount: Int
  let stride: Int
  /// Lags 0..<lagCount.
  let lagCount: Int
  /// The frames whose origins belong to each block.
  let blocks: [Range<Int>]
  /// The number of pairs of each lag in each block, and in all.
  let counts: [[Double]]
  let totals: [Double]

  /// Origins among `frameCount` ≥ 1 frames; without as many origins as blocks, fewer blocks.
  init(frameCount: Int, maximumLag: Int, stride: Int, blocks wanted: Int) {
    precondition(frameCount > 0)
    self.frameCount = frameCount
    self.stride = stride
    let lagCount = min(maximumLag, frameCount - 1) + 1
    self.lagCount = lagCount
    let origins = (frameCount + stride - 1) / stride
    let number = max(1, min(wanted, origins))
    let blocks = (0..<number).map { b in
      min(
        frameCount, origins * b / number * stride)..<min(
          frameCount, origins * (b + 1) / number * stride)
    }
    self.blocks = blocks
    let counts = blocks.map { block in
      (0..<lagCount).map { lag in
        // Origins of the block below frameCount − lag.
        let end = min(block.upperBound, frameCount - lag)
        return Double(max(0, (end - block.lowerBound + stride - 1) / stride))
      }
    }
    self.counts = counts
    totals = (0..<lagCount).map { lag in counts.reduce(0) { $0 + $1[lag] } }
  }

  /// Replicas in the place of blocks, with the number of pairs of each lag in each.
  init(replicas counts: [[Double]], frameCount: Int) {
    precondition(!counts.isEmpty)
    self.frameCount = frameCount
    stride = 1
    let lagCount = counts[0].count
    self.lagCount = lagCount
    blocks = counts.map { _ in 0..<0 }
    self.counts = counts
    totals = (0..<lagCount).map { lag in counts.reduce(0) { $0 + $1[lag] } }
  }

  /// Whether every frame is an origin of the one block.
  var isPlain: Bool { stride == 1 && blocks.count == 1 }

  /// The frames that the origins of a block reach.
  func window(_ block: Int) -> Range<Int> {
    let range = blocks[block]
    return range
      .lowerBound..<max(
        range.lowerBound, min(frameCount, range.upperBound + lagCount - 1))
  }

  /// A length of Fourier transforms at which no lag of any block wraps.
  var transformLength: Int {
    FourierTransform.fastLength((blocks.map(\.count).max() ?? 1) + lagCount - 1)
  }
}
