import Glibc
import Matter

/// Checks a path that a user gave before anything is read from it.
package enum InputFile {
  /// Checks that a path is a readable regular file that is not empty.
  /// - Parameters:
  ///   - what: what is expected there, such as "a structure file"
  ///   - limit: the largest size in bytes that makes sense, or nil for none
  /// - Returns: the size in bytes.
  @discardableResult
  package static func check(_ path: String, expecting what: String, limit: Int? = nil)
    throws(InputError) -> Int
  {
    func fail(_ message: String, _ remedy: String = "") -> InputError {
      InputError(message, remedy: remedy, file: path)
    }
    guard !path.isEmpty else { throw InputError("the path of \(what) is empty") }
    var information = stat()
    guard stat(path, &information) == 0 else {
      let code = errno
      if code == ENOENT, FileLayer.exists(path) {
        throw fail("expected \(what), found a link to a file that does not exist")
      }
      if code == ENOENT { throw fail("expected \(what), found no file of this name") }
      throw fail("cannot be read: \(FileError.text(of: code))")
    }
    switch information.st_mode & S_IFMT {
    case S_IFREG: break
    case S_IFDIR: throw fail("expected \(what), found a directory")
    case S_IFIFO: throw fail("expected \(what), found a pipe", "Save its content to a file first")
    case S_IFSOCK: throw fail("expected \(what), found a socket")
    default: throw fail("expected \(what), found a device")
    }
    guard access(path, R_OK) == 0 else {
      throw fail("cannot be read: \(FileError.text(of: errno))")
    }
    let size = Int(information.st_size)
    guard size > 0 else { throw fail("expected \(what), found an empty file (0 bytes)") }
    if let limit, size > limit {
      throw fail(
        "expected \(what) of at most \(ByteCount.text(limit)), found \(ByteCount.text(size))")
    }
    return size
  }

  /// The whole content of a checked file, or its first bytes.
  package static func read(
    _ path: String, expecting what: String, limit: Int, atMost count: Int = .max
  ) throws(InputError) -> [UInt8] {
    let size = try check(path, expecting: what, limit: limit)
    let descriptor = try open(path)
    defer { _ = close(descriptor) }
    return try read(descriptor, at: 0, count: min(size, count), path: path)
  }

  /// The SHA-256 of a checked file, in pieces.
  package static func hash(_ path: String, expecting what: String, limit: Int)
    throws(InputError) -> String
  {
    let size = try check(path, expecting: what, limit: limit)
    let descriptor = try open(path)
    defer { _ = close(descriptor) }
    var digest = SHA256()
    let piece = 1 << 20
    for offset in stride(from: 0, to: size, by: piece) {
      digest.update(try read(descriptor, at: offset, count: min(piece, size - offset), path: path))
    }
    return digest.hex
  }

  private static func open(_ path: String) throws(InputError) -> Int32 {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw InputError("cannot be read: \(FileError.text(of: errno))", file: path)
    }
    return descriptor
  }

  /// Fills a buffer from an offset on.
  static func read(
    _ descriptor: Int32, at offset: Int, into buffer: UnsafeMutableRawBufferPointer, path: String
  ) throws(InputError) {
    var done = 0
    while done < buffer.count, let base = buffer.baseAddress {
      let got = pread(descriptor, base + done, buffer.count - done, offset + done)
      if got < 0, errno == EINTR { continue }
      guard got > 0 else {
        throw InputError(
          got == 0
            ? "the file ends at byte \(offset + done), before what its header says"
            : "cannot be read: \(FileError.text(of: errno))", file: path)
      }
      done += got
    }
  }

  /// Bytes at an offset, fewer at the end of the file.
  static func read(_ descriptor: Int32, at offset: Int, count: Int, path: String)
    throws(InputError) -> [UInt8]
  {
    var done = 0
    var failure: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while done < count, let base = buffer.baseAddress {
        let got = pread(descriptor, base + done, count - done, offset + done)
        if got < 0 {
          if errno == EINTR { continue }
          failure = errno
          break
        }
        if got == 0 { break }
        done += got
      }
      filled = done
    }
    guard failure == 0 else {
      throw InputError("cannot be read: \(FileError.text(of: failure))", file: path)
    }
    return bytes
  }
}
