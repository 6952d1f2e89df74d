import Matter
import Synchronization
import Trajectory

/// Time series of points out of a store of frames.
struct SeriesReader: Sendable {
  let store: RecordStore
  let channelCount, pointCount: Int

  /// The number of points that a task takes at once, from the size of their series.
  var pointsPerTask: Int {
    max(1, min(64, (16 << 20) / max(1, 16 * channelCount * store.count)))
  }
  /// The number of doubles of the series of so many points, and of a frame's part of them.
  func seriesCount(points: Int) -> Int { 2 * points * channelCount * store.count }

  /// Series of points, point by point, channel by channel, frame by frame.
  /// - Parameter scratch: two doubles for each point
  func load(
    _ points: Range<Int>, scratch: UnsafeMutablePointer<Double>,
    into series: UnsafeMutablePointer<Double>
  ) throws(FileError) {
    let n = store.count
    for frame in 0..<n {
      for c in 0..<channelCount {
        let offset = 2 * (c * pointCount + points.lowerBound)
        let source: UnsafePointer<Double>
        if let values = store.values(record: frame, from: offset) {
          source = values
        } else {
          try store.read(record: frame, from: offset, length: 2 * points.count, into: scratch)
          source = UnsafePointer(scratch)
        }
        var place = series + 2 * (c * n + frame)
        for p in 0..<points.count {
          place[0] = source[2 * p]
          place[1] = source[2 * p + 1]
          place += 2 * channelCount * n
        }
      }
    }
  }
}

/// The first error of tasks that cannot throw.
final class FirstError: Sendable {
  private let error = Mutex<FileError?>(nil)

  /// Runs a task; notes what it throws.
  func run(_ body: () throws(FileError) -> Void) {
    do throws(FileError) {
      try body()
    } catch {
      self.error.withLock { if $0 == nil { $0 = error } }
    }
  }

  /// Throws what was noted.
  func check() throws(FileError) {
    if let error = error.withLock({ $0 }) { throw error }
  }
}

/// Rows of numbers that tasks fill; each task writes its own.
/// `@unchecked Sendable`: the pointer is constant.
final class Grid: @unchecked Sendable {
  let rowLength: Int
  private let start: UnsafeMutablePointer<Double>
  private let isOwner: Bool

  /// Rows without values, each of which is written before it is read.
  init(rows: Int, rowLength: Int) {
    self.rowLength = rowLength
    // For loads and stores of vectors that go beyond the last row.
    start = .allocate(capacity: rows * rowLength + 16)
    isOwner = true
  }

  /// Rows of zeros.
  convenience init(zeroRows rows: Int, rowLength: Int) {
    self.init(rows: rows, rowLength: rowLength)
    start.initialize(repeating: 0, count: rows * rowLength + 16)
  }

  /// Rows in memory of another.
  init(in start: UnsafeMutablePointer<Double>, rowLength: Int) {
    self.rowLength = rowLength
    self.start = start
    isOwner = false
  }

  deinit { if isOwner { start.deallocate() } }

  func row(_ index: Int) -> UnsafeMutablePointer<Double> { start + index * rowLength }
}

/// The rows of one function at all points.
struct FunctionGrid: Sendable {
  let values, spectrum: Grid
  let valueErrors, spectrumErrors: Grid?

  /// The functions of members whose rows `body` fills, in the arrays of the result themselves.
  static func functions(
    _ members: [FunctionSet.Member], points: Int, lagCount: Int, hasErrors: Bool,
    _ body: ([FunctionGrid]) throws -> Void
  ) throws -> [CorrelationFunction] {
    let parts = hasErrors ? 4 : 2
    let arrays = try filledArrays(members.count * parts, count: points * lagCount) { starts in
      let grids = starts.map { Grid(in: $0, rowLength: lagCount) }
      try body(
        members.indices.map { m in
          FunctionGrid(
            values: grids[parts * m], spectrum: grids[parts * m + 1],
            valueErrors: hasErrors ? grids[parts * m + 2] : nil,
            spectrumErrors: hasErrors ? grids[parts * m + 3] : nil)
        })
    }
    return members.enumerated().map { m, member in
      CorrelationFunction(
        kind: member.kind, species: member.species, values: arrays[parts * m],
        valueErrors: hasErrors ? arrays[parts * m + 2] : [], spectrum: arrays[parts * m + 1],
        spectrumErrors: hasErrors ? arrays[parts * m + 3] : [])
    }
  }

  func member(_ point: Int, parts: [Int]) -> Estimator.Member {
    Estimator.Member(
      values: values.row(point), spectrum: spectrum.row(point),
      valueErrors: valueErrors?.row(point), spectrumErrors: spectrumErrors?.row(point),
      parts: parts)
  }
}

/// Arrays of `count` values all of which `body` writes, without first being cleared.
func filledArrays(
  _ number: Int, count: Int, _ body: ([UnsafeMutablePointer<Double>]) throws -> Void
) throws -> [[Double]] {
  var starts: [UnsafeMutablePointer<Double>] = []
  var arrays: [[Double]] = []
  // Each array lives in the closure that fills it.
  func fill(_ left: Int) throws {
    if left == 0 { return try body(starts) }
    arrays.append(
      try Array(unsafeUninitializedCapacity: max(1, count)) { buffer, initialized in
        if let start = buffer.baseAddress {
          adviseHugePages(start, bytes: 8 * count)
          starts.append(start)
        }
        try fill(left - 1)
        initialized = count
      })
  }
  try fill(number)
  return arrays.reversed()
}
