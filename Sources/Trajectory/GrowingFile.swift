import Glibc

/// A text file that grows by whole pieces: after every `flush` the file on disk ends with a whole
/// piece, also when the disk is full.
package final class GrowingFile {
  /// Where it is.
  package let path: String
  /// Bytes in the file and in the pieces not yet flushed.
  package private(set) var size: Int
  private let descriptor: Int32
  private var pending: [UInt8] = []

  /// A new, empty file in the place of any other, its name durable.
  package init(creating path: String) throws(FileError) {
    self.path = path
    descriptor = try FileLayer.open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, "create")
    size = 0
    try FileLayer.synchronizeDirectory(of: path)
  }

  /// Goes on with a file after cutting it back to a size in bytes.
  /// - Throws: `FileError` if it is missing or shorter.
  package init(continuing path: String, size: Int) throws(FileError) {
    self.path = path
    self.size = size
    descriptor = try FileLayer.open(path, O_WRONLY | O_APPEND, "open")
    let present = FileLayer.size(of: path) ?? 0
    guard present >= size else {
      throw FileError(
        path: path, message: "holds \(present) bytes, fewer than the \(size) expected here")
    }
    try FileLayer.truncate(descriptor, to: size, path: path)
  }

  deinit { FileLayer.close(descriptor, path) }

  /// Adds a whole piece, such as a line with its end.
  package func append(_ piece: String) {
    pending.append(contentsOf: piece.utf8)
    size += piece.utf8.count
  }

  /// Hands all pieces to the operating system. If that fails the file is cut back to what it was
  /// and the pieces are kept for another try.
  package func flush() throws(FileError) {
    guard !pending.isEmpty else { return }
    do {
      try FileLayer.write(pending, to: descriptor, path: path)
    } catch {
      try? FileLayer.truncate(descriptor, to: size - pending.count, path: path)
      throw error
    }
    pending.removeAll(keepingCapacity: true)
  }

  /// Flushes and makes the content durable.
  package func synchronize() throws(FileError) {
    try flush()
    try FileLayer.synchronize(descriptor, path)
  }

  /// Cuts the file to a size in bytes no larger than `size`.
  package func truncate(to size: Int) throws(FileError) {
    try flush()
    precondition(size <= self.size)
    try FileLayer.truncate(descriptor, to: size, path: path)
    self.size = size
  }
}
