import Matter

/// The running average of the cell in standard form, kept as at most 512 block sums, so that its
/// size does not grow with the run and the equilibrated part can be chosen afterwards.
public struct CellAverage: Sendable, Equatable {
  /// The most blocks kept; then pairs are joined.
  static let capacity = 512
  /// Samples in a whole block.
  private(set) var blockLength = 1
  /// Sums over whole blocks, six numbers each.
  private(set) var blocks: [Double] = []
  /// The sum over the samples of the block not yet whole.
  private(set) var partial = [Double](repeating: 0, count: 6)
  private(set) var partialCount = 0

  /// An average of nothing.
  public init() {}

  /// The number of samples.
  public var sampleCount: Int { blocks.count / 6 * blockLength + partialCount }

  /// Adds the cell of one step.
  public mutating func add(_ cell: Cell) {
    let v = cell.standardComponents
    for k in 0..<6 { partial[k] += v[k] }
    partialCount += 1
    guard partialCount == blockLength else { return }
    blocks += partial
    partial = [Double](repeating: 0, count: 6)
    partialCount = 0
    if blocks.count == 6 * Self.capacity { joinPairs() }
  }

  private mutating func joinPairs() {
    var joined: [Double] = []
    joined.reserveCapacity(blocks.count)
    for pair in 0..<blocks.count / 12 {
      for k in 0..<6 { joined.append(blocks[12 * pair + k] + blocks[12 * pair + 6 + k]) }
    }
    blocks = joined
    blockLength *= 2
  }

  /// All that a checkpoint needs, and `init(numbers:)` restores.
  public var numbers: [Double] { [Double(blockLength), Double(partialCount)] + partial + blocks }

  /// An average from `numbers`; nil if they cannot be one.
  public init?(numbers: [Double]) {
    guard numbers.count >= 8, (numbers.count - 8) % 6 == 0, let length = Int(exactly: numbers[0]),
      let count = Int(exactly: numbers[1]), length > 0, count >= 0, count < length
    else { return nil }
    blockLength = length
    partialCount = count
    partial = Array(numbers[2..<8])
    blocks = Array(numbers[8...])
  }
}

/// A mean cell with its uncertainty.
public struct CellEstimate: Sendable, Equatable {
  /// a_x, b_x, b_y, c_x, c_y, c_z of the mean cell, in Å.
  public let mean: [Double]
  /// Standard errors of `mean`, in Å; NaN where there are too few samples.
  public let standardError: [Double]
  /// Samples left out at the start, and samples averaged.
  public let discarded, used: Int
  /// How the part left out was chosen, in words.
  public let choice: String
  /// The largest difference between the means of the first and second half, in standard errors of
  /// that difference, over the components that move; NaN where there are too few samples.
  public let drift: Double

  /// Whether the two halves agree within three standard errors.
  public var isConverged: Bool { drift < 3 }
  /// The mean cell.
  public var cell: Cell? {
    try? Cell(
      a: [mean[0], 0, 0], b: [mean[1], mean[2], 0], c: [mean[3], mean[4], mean[5]])
  }
}

extension CellAverage {
  /// The mean over the equilibrated part.
  /// - Parameter keepAll: no truncation, because the samples start where the user said
  /// - Returns: nil without samples
  public func estimate(keepAll: Bool = false) -> CellEstimate? {
    let n = blocks.count / 6
    guard sampleCount > 0 else { return nil }
    var first = 0
    var choice = "from the time given"
    if !keepAll {
      if n >= 20 {
        first = truncation()
        choice = "by the marginal standard error rule (MSER)"
      } else {
        first = n / 5
        choice = "the first fifth (too few samples for a better choice)"
      }
    }
    let used = (n - first) * blockLength + partialCount
    var mean = partial
    for b in first..<n {
      for k in 0..<6 { mean[k] += blocks[6 * b + k] }
    }
    mean = mean.map { $0 / Double(used) }
    var errors: [Double] = []
    var drift = Double.nan
    for k in 0..<6 {
      let series = (first..<n).map { blocks[6 * $0 + k] / Double(blockLength) }
      let error = Self.standardError(series)
      errors.append(error)
      guard series.count >= 4, error > 1e-12 * abs(mean[k]), error > 0 else { continue }
      let half = series.count / 2
      let before = series[..<half].reduce(0, +) / Double(half)
      let after = series[half...].reduce(0, +) / Double(series.count - half)
      // A drift would inflate the error it is measured in.
      let z = abs(after - before) / (2 * Self.standardError(Self.withoutTrend(series)))
      drift = drift.isNaN ? z : max(drift, z)
    }
    return CellEstimate(
      mean: mean, standardError: errors, discarded: first * blockLength, used: used,
      choice: choice, drift: drift)
  }

  /// The first block of the part whose mean volume has the least marginal standard error
  /// (White 1997), in the first half.
  private func truncation() -> Int {
    let n = blocks.count / 6
    let scale = 1 / Double(blockLength)
    let volume = (0..<n).map {
      blocks[6 * $0] * blocks[6 * $0 + 2] * blocks[6 * $0 + 5] * scale * scale * scale
    }
    let origin = volume.reduce(0, +) / Double(n)
    var best = 0
    var least = Double.infinity
    var sum = 0.0
    var squares = 0.0
    for b in stride(from: n - 1, through: 0, by: -1) {
      let v = volume[b] - origin
      sum += v
      squares += v * v
      let m = Double(n - b)
      let marginal = (squares / m - (sum / m) * (sum / m)) / m
      if b <= n / 2, marginal <= least {
        least = marginal
        best = b
      }
    }
    return best
  }

  /// A series less its straight line of least squares.
  private static func withoutTrend(_ series: [Double]) -> [Double] {
    let n = Double(series.count)
    let middle = (n - 1) / 2
    let mean = series.reduce(0, +) / n
    var slope = 0.0
    for (t, x) in series.enumerated() { slope += (Double(t) - middle) * (x - mean) }
    slope /= n * (n * n - 1) / 12
    return series.enumerated().map { $1 - slope * (Double($0) - middle) }
  }

  /// The standard error of the mean of a correlated series, with the statistical inefficiency
  /// summed up to the first correlation that is not positive.
  static func standardError(_ series: [Double]) -> Double {
    let n = series.count
    guard n >= 4 else { return .nan }
    let mean = series.reduce(0, +) / Double(n)
    let d = series.map { $0 - mean }
    let variance = d.reduce(0) { $0 + $1 * $1 } / Double(n)
    guard variance > 0 else { return 0 }
    var inefficiency = 1.0
    for lag in 1..<n / 2 {
      var c = 0.0
      for t in 0..<n - lag { c += d[t] * d[t + lag] }
      let rho = c / (Double(n - lag) * variance)
      if rho <= 0 { break }
      inefficiency += 2 * rho * (1 - Double(lag) / Double(n))
    }
    return (variance * inefficiency / Double(n - 1)).squareRoot()
  }
}
