import Matter
import Synchronization
import Trajectory

/// Time series of points out of a store of frames.
struct SeriesReader: Sendable {
  let store: RecordStore
  let channelCount, pointCount: Int

  /// The number of points that a task takes at once, from the size of their series.
  var pointsPerTask: Int {
    max(1, min(32, (8 << 20) / max(1, 16 * channelCount * store.count)))
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
        try store.read(
          record: frame, from: 2 * (c * pointCount + points.lowerBound), length: 2 * points.count,
          into: scratch)
        for p in 0..<points.count {
          let place = series + 2 * ((p * channelCount + c) * n + frame)
          place[0] = scratch[2 * p]
          place[1] = scratch[2 * p + 1]
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
  private let count: Int

  /// Rows without values, each of which is written before it is read.
  init(rows: Int, rowLength: Int) {
    self.rowLength = rowLength
    count = rows * rowLength
    // For loads and stores of vectors that go beyond the last row.
    start = .allocate(capacity: count + 16)
  }

  /// Rows of zeros.
  convenience init(zeroRows rows: Int, rowLength: Int) {
    self.init(rows: rows, rowLength: rowLength)
    start.initialize(repeating: 0, count: count + 16)
  }

  deinit { start.deallocate() }

  func row(_ index: Int) -> UnsafeMutablePointer<Double> { start + index * rowLength }
  var array: [Double] { Array(UnsafeBufferPointer(start: start, count: count)) }
}

/// The rows of one function at all points.
struct FunctionGrid: Sendable {
  let values, spectrum: Grid
  let valueErrors, spectrumErrors: Grid?

  init(points: Int, lagCount: Int, hasErrors: Bool) {
    values = Grid(rows: points, rowLength: lagCount)
    spectrum = Grid(rows: points, rowLength: lagCount)
    valueErrors = hasErrors ? Grid(rows: points, rowLength: lagCount) : nil
    spectrumErrors = hasErrors ? Grid(rows: points, rowLength: lagCount) : nil
  }

  func member(_ point: Int, parts: [Int]) -> Estimator.Member {
    Estimator.Member(
      values: values.row(point), spectrum: spectrum.row(point),
      valueErrors: valueErrors?.row(point), spectrumErrors: spectrumErrors?.row(point),
      parts: parts)
  }

  func function(_ member: FunctionSet.Member) -> CorrelationFunction {
    CorrelationFunction(
      kind: member.kind, species: member.species, values: values.array,
      valueErrors: valueErrors?.array ?? [], spectrum: spectrum.array,
      spectrumErrors: spectrumErrors?.array ?? [])
  }
}
