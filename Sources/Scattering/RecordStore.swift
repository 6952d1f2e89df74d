import Glibc
import Matter
import Trajectory

/// Asks for large pages where memory is new: a large result costs as much in page faults as in
/// arithmetic otherwise.
func adviseHugePages(_ start: UnsafeMutableRawPointer, bytes: Int) {
  let page = 1 << 21
  let first = (Int(bitPattern: start) + page - 1) / page * page
  let end = (Int(bitPattern: start) + bytes) / page * page
  if end > first { madvise(UnsafeMutableRawPointer(bitPattern: first), end - first, MADV_HUGEPAGE) }
}

/// Records of equally many doubles, appended one after the other and read in parts: in memory, or
/// in a file that holds nothing else, so that its length tells how many there are.
///
/// One caller appends; any number read at once what was appended before.
/// `@unchecked Sendable`: appending and reading do not overlap in time.
final class RecordStore: @unchecked Sendable {
  /// The number of doubles of a record.
  let valuesPerRecord: Int
  /// The number of records.
  private(set) var count = 0
  private let recordsPerSlab: Int
  private var slabs: [UnsafeMutablePointer<Double>] = []
  private let path: String?
  private var descriptor: Int32 = -1

  /// An empty store; with a path its records go to a file there.
  /// - Parameter kept: the number of records of an existing file that stay; what follows is cut off
  init(valuesPerRecord: Int, path: String? = nil, keeping kept: Int = 0) throws(FileError) {
    precondition(valuesPerRecord > 0)
    self.valuesPerRecord = valuesPerRecord
    self.path = path
    recordsPerSlab = max(1, (1 << 22) / (8 * valuesPerRecord))
    if let path {
      descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
      if descriptor < 0 { throw FileError(path: path, doing: "create", code: errno) }
      let bytes = off_t(kept) * off_t(valuesPerRecord) * 8
      let length = lseek(descriptor, 0, SEEK_END)
      if length < bytes {
        close(descriptor)
        descriptor = -1
        throw FileError(
          path: path, message: "holds \(length) bytes where \(kept) frames need \(bytes)")
      }
      if ftruncate(descriptor, bytes) != 0 {
        throw FileError(path: path, doing: "truncate", code: errno)
      }
      count = kept
    } else {
      precondition(kept == 0, "only files outlive a process")
    }
  }

  deinit {
    for slab in slabs { UnsafeMutableRawPointer(slab).deallocate() }
    if descriptor >= 0 { close(descriptor) }
  }

  /// Appends a record of `valuesPerRecord` values.
  func append(_ values: UnsafePointer<Double>) throws(FileError) {
    if let path {
      try transfer(path, "write") { done, bytes in
        pwrite(
          descriptor, UnsafeRawPointer(values) + done, bytes - done,
          off_t(count * valuesPerRecord * 8 + done))
      } bytes: {
        valuesPerRecord * 8
      }
    } else {
      place().update(from: values, count: valuesPerRecord)
    }
    count += 1
  }

  /// Appends a record that `body` writes: at its place in memory, or by way of `scratch` to the file.
  func append(
    by scratch: UnsafeMutablePointer<Double>, _ body: (UnsafeMutablePointer<Double>) -> Void
  ) throws(FileError) {
    if path != nil {
      body(scratch)
      try append(scratch)
    } else {
      body(place())
      count += 1
    }
  }

  /// Forgets all records of a store in memory, and keeps the memory.
  func removeAll() {
    precondition(path == nil, "files outlive their store")
    count = 0
  }

  /// Where the next record goes in memory.
  private func place() -> UnsafeMutablePointer<Double> {
    if count == slabs.count * recordsPerSlab {
      let bytes = 8 * recordsPerSlab * valuesPerRecord
      let slab = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 1 << 21)
      adviseHugePages(slab, bytes: bytes)
      slabs.append(slab.bindMemory(to: Double.self, capacity: recordsPerSlab * valuesPerRecord))
    }
    return slabs[count / recordsPerSlab] + count % recordsPerSlab * valuesPerRecord
  }

  /// The values of a record from an offset on, where they are in memory.
  func values(record: Int, from offset: Int) -> UnsafePointer<Double>? {
    guard path == nil else { return nil }
    precondition(record < count && offset <= valuesPerRecord)
    return UnsafePointer(
      slabs[record / recordsPerSlab] + record % recordsPerSlab * valuesPerRecord + offset)
  }

  /// Reads `length` values of a record from an offset on.
  func read(
    record: Int, from offset: Int, length: Int, into target: UnsafeMutablePointer<Double>
  ) throws(FileError) {
    precondition(record < count && offset + length <= valuesPerRecord)
    if let path {
      try transfer(path, "read") { done, bytes in
        pread(
          descriptor, UnsafeMutableRawPointer(target) + done, bytes - done,
          off_t((record * valuesPerRecord + offset) * 8 + done))
      } bytes: {
        length * 8
      }
    } else {
      target.update(
        from: slabs[record / recordsPerSlab] + record % recordsPerSlab * valuesPerRecord + offset,
        count: length)
    }
  }

  /// Returns when everything appended is on the disk.
  func sync() throws(FileError) {
    if let path, fsync(descriptor) != 0 {
      throw FileError(path: path, doing: "sync", code: errno)
    }
  }

  private func transfer(
    _ path: String, _ action: String, _ step: (Int, Int) -> Int, bytes: () -> Int
  ) throws(FileError) {
    let total = bytes()
    var done = 0
    while done < total {
      let moved = step(done, total)
      if moved < 0 && errno == EINTR { continue }
      if moved < 0 {
        throw FileError(path: path, doing: action, code: errno, bytesNeeded: total - done)
      }
      if moved == 0 {
        throw FileError(path: path, message: "cannot \(action): the file is shorter than it was")
      }
      done += moved
    }
  }
}
