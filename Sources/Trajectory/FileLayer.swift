import Glibc

/// Every write of the program that does not go through libnetcdf: interrupted and short writes are
/// continued, every failure is an error with its path, and tests can make any call fail.
package enum FileLayer {
  // MARK: whole files

  /// Writes a file so that at any moment its path holds the old content or the new one, also
  /// after a power loss.
  package static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
    if try isSpecial(path) {
      let descriptor = try open(path, O_WRONLY, "write")
      defer { close(descriptor, path) }
      return try write(bytes, to: descriptor, path: path)
    }
    try replace(path) { temporary throws(FileError) in
      let descriptor = try open(temporary, O_WRONLY | O_CREAT | O_TRUNC, "write")
      defer { close(descriptor, temporary) }
      try write(bytes, to: descriptor, path: temporary)
    }
  }

  /// Writes a text so that at any moment its path holds the old content or the new one.
  package static func write(_ text: String, to path: String) throws(FileError) {
    try write(Array(text.utf8), to: path)
  }

  /// Lets `body` write a temporary file in the same directory, then makes it durable and puts it
  /// in the place of `path`: fsync, rename, fsync of the directory.
  package static func replace(
    _ path: String, _ body: (_ temporary: String) throws(FileError) -> Void
  ) throws(FileError) {
    let temporary = path + ".tmp"
    do {
      try body(temporary)
      try synchronize(temporary)
      try rename(temporary, to: path)
    } catch {
      unlink(temporary)
      throw error
    }
    try synchronizeDirectory(of: path)
  }

  // MARK: single operations

  /// Renames a file, replacing one of the new name.
  package static func rename(_ path: String, to new: String) throws(FileError) {
    try call(.rename, new, "rename \(path) to it") { Glibc.rename(path, new) }
  }

  /// Removes a file; none there is no error.
  package static func remove(_ path: String) throws(FileError) {
    if FileLayer.exists(path) {
      try call(.remove, path, "remove") { unlink(path) }
    }
  }

  /// Makes a directory and those above it, durably; those already there are no error.
  package static func makeDirectory(_ path: String) throws(FileError) {
    var information = stat()
    if path.isEmpty || stat(path, &information) == 0 { return }
    let parent = directory(of: path)
    if parent != path { try makeDirectory(parent) }
    do {
      try call(.makeDirectory, path, "create the directory") { mkdir(path, 0o777) }
      try synchronizeDirectory(of: path)
    } catch let error where error.code == EEXIST {
    }
  }

  /// Makes the content of a file durable (fsync).
  package static func synchronize(_ path: String) throws(FileError) {
    let descriptor = try open(path, O_RDONLY, "open for fsync")
    defer { close(descriptor, path) }
    try synchronize(descriptor, path)
  }

  /// Makes the directory entry of a path durable.
  package static func synchronizeDirectory(of path: String) throws(FileError) {
    let parent = directory(of: path)
    let descriptor = try open(parent, O_RDONLY | O_DIRECTORY, "open for fsync")
    defer { close(descriptor, parent) }
    do {
      try synchronize(descriptor, parent)
    } catch let error where error.code == EINVAL {
      // Some network file systems have no fsync for directories.
    }
  }

  /// Cuts or extends a file to a size in bytes.
  package static func truncate(_ path: String, to size: Int) throws(FileError) {
    try call(.truncate, path, "cut to \(size) bytes") { Glibc.truncate(path, size) }
  }

  /// Overwrites bytes inside a file.
  package static func overwrite(_ path: String, at offset: Int, _ bytes: [UInt8]) throws(FileError)
  {
    let descriptor = try open(path, O_WRONLY, "write")
    defer { close(descriptor, path) }
    guard lseek(descriptor, offset, SEEK_SET) == offset else {
      throw FileError(path: path, doing: "seek", code: errno)
    }
    try write(bytes, to: descriptor, path: path)
  }

  // MARK: questions

  /// Whether something has this path, a dangling link included.
  package static func exists(_ path: String) -> Bool {
    var information = stat()
    return lstat(path, &information) == 0
  }

  /// The size of a file in bytes, or nil if there is none.
  package static func size(of path: String) -> Int? {
    var information = stat()
    return stat(path, &information) == 0 ? Int(information.st_size) : nil
  }

  /// Bytes that this user may still write on the file system of a path, which need not exist yet;
  /// nil if unknown.
  package static func freeSpace(at path: String) -> Int? {
    var place = path.isEmpty ? "." : path
    while true {
      var information = statvfs()
      if statvfs(place, &information) == 0 {
        let (bytes, overflow) = Int(clamping: information.f_bavail).multipliedReportingOverflow(
          by: Int(clamping: information.f_frsize))
        return overflow ? Int.max : bytes
      }
      let parent = directory(of: place)
      if parent == place { return nil }
      place = parent
    }
  }

  /// The directory part of a path, `.` if it has none.
  package static func directory(of path: String) -> String {
    var bytes = Array(path.utf8)
    while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == 0 ? "/" : String(decoding: bytes[..<slash], as: UTF8.self)
  }

  /// The last part of a path.
  package static func name(of path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  // MARK: descriptors

  static func open(_ path: String, _ flags: Int32, _ action: String) throws(FileError) -> Int32 {
    while true {
      let descriptor: Int32
      if case .code(let code)? = FileFaults.fault(.open, path) {
        errno = code
        descriptor = -1
      } else {
        descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o666)
      }
      if descriptor >= 0 { return descriptor }
      if errno != EINTR { throw FileError(path: path, doing: action, code: errno) }
    }
  }

  /// Closing reports nothing: what must not be lost was synchronized before.
  static func close(_ descriptor: Int32, _ path: String) {
    _ = FileFaults.fault(.close, path)
    _ = Glibc.close(descriptor)
  }

  static func write(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(FileError) {
    var done = 0
    while done < bytes.count {
      let count: Int
      switch FileFaults.fault(.write, path) {
      case .code(let code)?:
        errno = code
        count = -1
      case .short(let most)?:
        let length = min(most, bytes.count - done)
        count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + done, length) }
      case nil:
        count = bytes.withUnsafeBytes {
          Glibc.write(descriptor, $0.baseAddress! + done, bytes.count - done)
        }
      }
      if count < 0 {
        if errno == EINTR { continue }
        throw FileError(path: path, doing: "write", code: errno, bytesNeeded: bytes.count)
      }
      done += count
    }
  }

  static func synchronize(_ descriptor: Int32, _ path: String) throws(FileError) {
    try call(.synchronize, path, "make durable (fsync)") { fsync(descriptor) }
  }

  static func truncate(_ descriptor: Int32, to size: Int, path: String) throws(FileError) {
    try call(.truncate, path, "cut to \(size) bytes") { ftruncate(descriptor, size) }
  }

  private static func call(
    _ kind: FileCall, _ path: String, _ action: String, _ body: () -> Int32
  ) throws(FileError) {
    while true {
      let result: Int32
      if case .code(let code)? = FileFaults.fault(kind, path) {
        errno = code
        result = -1
      } else {
        result = body()
      }
      if result == 0 { return }
      if errno != EINTR { throw FileError(path: path, doing: action, code: errno) }
    }
  }

  /// Whether a path is a device or pipe, which is written to and not replaced.
  private static func isSpecial(_ path: String) throws(FileError) -> Bool {
    var information = stat()
    guard stat(path, &information) == 0 else { return false }
    switch information.st_mode & S_IFMT {
    case S_IFREG: return false
    case S_IFDIR: throw FileError(path: path, doing: "write", code: EISDIR)
    default: return true
    }
  }
}
