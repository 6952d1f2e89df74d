import Glibc
import Trajectory

/// Names of the files of a run.
public struct RunDirectory: Sendable, Equatable {
  /// The directory.
  public let path: String
  /// A run directory at a path.
  public init(_ path: String) {
    self.path = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  /// A file of the run by name.
  public func file(_ name: String) -> String { path + "/" + name }
  /// A file of a stage by name.
  public func file(_ name: String, stage: String) -> String { path + "/" + stage + "/" + name }
  /// The newest checkpoint and the one before.
  public var checkpoint: String { file("checkpoint.nc") }
  /// The checkpoint before the newest.
  public var previousCheckpoint: String { file("checkpoint.previous.nc") }
  /// A file with this name stops the run.
  public var stopFile: String { file("STOP") }

  /// What stands at the path now.
  public enum Standing: Equatable { case nothing, emptyDirectory, occupied }

  /// What stands at the path now.
  public var standing: Standing {
    var info = stat()
    guard lstat(path, &info) == 0 else { return .nothing }
    guard let directory = opendir(path) else { return .occupied }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." && name != "run.lock" { return .occupied }
    }
    return .emptyDirectory
  }

  /// Whether a file exists and is not a directory.
  public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
}

extension RunDirectory {
  /// Why a run directory could not be made.
  public enum Refusal: Error, Equatable {
    /// Something of another run is there.
    case occupied
    /// Another process holds it; who.
    case held(String)
    /// A system call failed; what and why.
    case failed(String)
  }

  /// Makes the directory whole: it is filled under another name in the same folder, made durable,
  /// and then renamed, so that no unfinished run directory is ever seen.
  /// - Parameter fill: writes the first files into the directory given
  /// - Returns: the lock, held
  public func create(
    _ fill: (RunDirectory) throws(FileError) -> Void
  ) throws(Refusal) -> RunLock {
    let parent: String
    let name: String
    if let slash = path.lastIndex(of: "/") {
      parent = slash == path.startIndex ? "/" : String(path[..<slash])
      name = String(path[path.index(after: slash)...])
    } else {
      parent = "."
      name = path
    }
    // Before any folder above is made.
    var information = stat()
    if lstat(path, &information) != 0, errno != ENOENT { throw .failed("\(path): \(Self.reason)") }
    try Self.makeDirectories(parent)
    switch standing {
    case .nothing: break
    case .occupied: throw .occupied
    case .emptyDirectory:
      guard access(path, W_OK) == 0 else { throw .failed("\(path): \(Self.reason)") }
      let lock: RunLock
      do { lock = try RunLock(directory: path) } catch { throw Self.refusal(error) }
      unlink(file("run.lock"))
      _ = consume lock
    }
    let draft = RunDirectory(parent + "/." + name + ".new")
    if mkdir(draft.path, 0o777) != 0, errno != EEXIST {
      throw .failed("cannot make \(path): \(Self.reason)")
    }
    let lock: RunLock
    do { lock = try RunLock(directory: draft.path) } catch { throw Self.refusal(error) }
    do { try fill(draft) } catch {
      draft.removeDraft()
      throw .failed(error.description)
    }
    guard rename(draft.path, path) == 0 else {
      let reason = Self.reason
      let taken = errno == ENOTEMPTY || errno == EEXIST
      draft.removeDraft()
      if taken { throw .occupied }
      throw .failed("cannot make \(path): \(reason)")
    }
    Self.synchronize(directory: parent)
    return lock
  }

  /// Makes a folder in the directory unless it is there.
  public static func makeDirectories(_ path: String) throws(Refusal) {
    if path.isEmpty || access(path, F_OK) == 0 { return }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
      try makeDirectories(String(path[..<slash]))
    }
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
      throw .failed("cannot make the directory \(path): \(reason)")
    }
  }

  /// Makes names in a directory durable.
  static func synchronize(directory: String) {
    let fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard fd >= 0 else { return }
    fsync(fd)
    close(fd)
  }

  private static var reason: String { String(cString: strerror(errno)) }
  static func refusal(_ error: RunLock.Refusal) -> Refusal {
    switch error {
    case .held(let owner): .held(owner)
    case .unusable(let reason): .failed(reason)
    }
  }

  /// Removes the files that a draft can hold.
  private func removeDraft() {
    for name in ["deck.yaml", "methods.txt", "apus.log", "checkpoint.nc", "run.lock"] {
      unlink(file(name))
      unlink(file(name + ".tmp"))
    }
    rmdir(path)
  }
}

extension RunDirectory {
  /// The newest whole checkpoint.
  public struct Found: Sendable {
    /// What it holds.
    public let checkpoint: Checkpoint
    /// A sentence about a newer one that is damaged.
    public let remark: String?
  }

  /// Reads `checkpoint.nc`, or `checkpoint.previous.nc` where that is missing or damaged.
  /// - Returns: the checkpoint, or one line for each file that says what is wrong with it
  public func newestCheckpoint() -> Result<Found, CheckpointsUnusable> {
    var problems: [String] = []
    for path in [checkpoint, previousCheckpoint] {
      let name = path.split(separator: "/").last.map(String.init) ?? path
      guard Self.exists(path) else {
        problems.append("\(name) is missing")
        continue
      }
      do {
        let found = try Checkpoint(path: path)
        let remark = problems.first.map { "\($0), using \(name), step \(found.step)" }
        return .success(Found(checkpoint: found, remark: remark))
      } catch let damage as Checkpoint.Damage {
        problems.append("\(name) is \(damage.description)")
      } catch {
        problems.append("\(name): \(error)")
      }
    }
    return .failure(CheckpointsUnusable(problems: problems))
  }

  /// Writes a checkpoint so that at any moment one of the two files is whole.
  func write(_ checkpoint: Checkpoint) throws(FileError) {
    let draft = self.checkpoint + ".new"
    try FileLayer.write(checkpoint.bytes, to: draft)
    if Self.exists(self.checkpoint) {
      try FileLayer.rename(self.checkpoint, to: previousCheckpoint)
    }
    try FileLayer.rename(draft, to: self.checkpoint)
    try FileLayer.synchronizeDirectory(of: self.checkpoint)
  }
}

/// What is wrong with both checkpoints.
public struct CheckpointsUnusable: Error, Sendable {
  /// A phrase for each file.
  public let problems: [String]
}
