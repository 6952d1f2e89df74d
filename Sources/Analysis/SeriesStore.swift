import Foundation
import Matter

/// Vectors of many particles, written frame by frame and read back particle by particle.
///
/// Values are single precision, which is why displacements from the first position are stored and
/// not positions. At most `memoryLimit` bytes are held; what is more goes to a file in the
/// temporary folder that is unlinked as soon as it is open. Beside that, two chunks of at most
/// 32 MiB are held.
///
/// `@unchecked Sendable`: many threads may read at once, as long as none appends.
final class SeriesStore: @unchecked Sendable {
  /// The number of particles.
  let particleCount: Int
  /// The number of frames written.
  private(set) var frameCount = 0
  private let chunkFrames: Int
  private let memoryLimit: Int
  /// The frames of the chunk that is being filled, one after the other.
  private let pending: AlignedBuffer<Float>
  /// Full chunks, series after series.
  private var chunks: [UnsafeMutablePointer<Float>] = []
  private var spooledChunks = 0
  private var file: Int32 = -1

  private var seriesCount: Int { 3 * particleCount }
  private var chunkValues: Int { seriesCount * chunkFrames }

  /// An empty store.
  init(particleCount: Int, memoryLimit: Int) {
    self.particleCount = particleCount
    self.memoryLimit = memoryLimit
    chunkFrames = max(1, min(512, (32 << 20) / (4 * max(1, 3 * particleCount))))
    pending = AlignedBuffer(count: 3 * particleCount * chunkFrames)
  }

  deinit {
    for chunk in chunks { chunk.deallocate() }
    if file >= 0 { close(file) }
  }

  /// Adds a frame; `fill` writes x, y, z of every particle in order.
  func append(_ fill: (UnsafeMutablePointer<Float>) -> Void) throws(ObservableError) {
    fill(pending.pointer + frameCount % chunkFrames * seriesCount)
    frameCount += 1
    if frameCount % chunkFrames == 0 { try putAway() }
  }

  private func putAway() throws(ObservableError) {
    let chunk = UnsafeMutablePointer<Float>.allocate(capacity: max(1, chunkValues))
    // Tiles of 16 frames keep both sides in the cache.
    let n = seriesCount
    for first in stride(from: 0, to: chunkFrames, by: 16) {
      let last = min(chunkFrames, first + 16)
      for s in 0..<n {
        for t in first..<last { chunk[s * chunkFrames + t] = pending.pointer[t * n + s] }
      }
    }
    let bytes = chunkValues * 4
    if file < 0, (chunks.count + 1) * bytes <= memoryLimit {
      chunks.append(chunk)
      return
    }
    defer { chunk.deallocate() }
    if file < 0 { file = try Self.unlinkedFile() }
    var written = 0
    while written < bytes {
      let status = pwrite(
        file, UnsafeRawPointer(chunk) + written, bytes - written,
        off_t(spooledChunks * bytes + written))
      guard status > 0 else {
        if status < 0, errno == EINTR { continue }
        throw .temporaryFile("\(String(cString: strerror(errno))) after \(spooledChunks) chunks")
      }
      written += status
    }
    spooledChunks += 1
  }

  private static func unlinkedFile() throws(ObservableError) -> Int32 {
    let folder = FileManager.default.temporaryDirectory.path
    var name = Array((folder + "/apus-series-XXXXXX").utf8CString)
    let descriptor = mkstemp(&name)
    guard descriptor >= 0 else {
      throw .temporaryFile("\(folder): \(String(cString: strerror(errno)))")
    }
    unlink(&name)
    return descriptor
  }

  /// The series of a particle: component k of frame t goes to `out[k * stride + t]`.
  func read(_ particle: Int, into out: UnsafeMutablePointer<Double>, stride: Int)
    throws(ObservableError)
  {
    precondition(particle >= 0 && particle < particleCount && stride >= frameCount)
    let piece = 3 * chunkFrames
    var first = 0
    func copy(_ source: UnsafePointer<Float>) {
      for k in 0..<3 {
        let row = out + k * stride + first
        for t in 0..<chunkFrames { row[t] = Double(source[k * chunkFrames + t]) }
      }
      first += chunkFrames
    }
    for chunk in chunks { copy(chunk + particle * piece) }
    if spooledChunks > 0 {
      let buffer = UnsafeMutablePointer<Float>.allocate(capacity: piece)
      defer { buffer.deallocate() }
      for c in 0..<spooledChunks {
        let offset = (c * chunkValues + particle * piece) * 4
        var got = 0
        while got < piece * 4 {
          let status = pread(
            file, UnsafeMutableRawPointer(buffer) + got, piece * 4 - got, off_t(offset + got))
          guard status > 0 else {
            if status < 0, errno == EINTR { continue }
            throw .temporaryFile("cannot be read back: \(String(cString: strerror(errno)))")
          }
          got += status
        }
        copy(buffer)
      }
    }
    for t in 0..<frameCount % chunkFrames {
      let frame = pending.pointer + t * seriesCount + 3 * particle
      for k in 0..<3 { out[k * stride + first + t] = Double(frame[k]) }
    }
  }
}
