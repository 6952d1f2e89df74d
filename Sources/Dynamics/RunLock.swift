import Glibc

/// Keeps two processes out of one run directory: an advisory lock on `run.lock`, which dies with
/// its process, so a file left behind blocks nobody. The text in the file is for people.
public final class RunLock {
  /// Why a lock was not taken.
  public enum Refusal: Error, Equatable {
    /// Another process holds it; its pid, host and start time.
    case held(String)
    /// The file could not be opened; the reason.
    case unusable(String)
  }

  /// Whether the file system has locks.
  public let isEffective: Bool
  private let descriptor: Int32

  /// Takes the lock of a directory.
  public init(directory: String) throws(Refusal) {
    let path = directory + "/run.lock"
    let fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard fd >= 0 else { throw .unusable("\(path): \(String(cString: strerror(errno)))") }
    if flock(fd, LOCK_EX | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK {
        var text = [UInt8](repeating: 0, count: 400)
        let n = pread(fd, &text, text.count, 0)
        close(fd)
        let words = String(decoding: text.prefix(max(0, n)), as: UTF8.self)
          .split(separator: "\n").first
        throw .held(words.map(String.init) ?? "another process")
      }
      isEffective = false
    } else {
      isEffective = true
    }
    descriptor = fd
    let text = Array((Self.owner + "\n").utf8)
    if ftruncate(fd, 0) == 0 { _ = pwrite(fd, text, text.count, 0) }
  }

  deinit { close(descriptor) }

  /// `process 123 on host, started 2026-03-05 10:00:00 UTC`.
  public static var owner: String {
    var host = [CChar](repeating: 0, count: 256)
    gethostname(&host, 255)
    return "process \(getpid()) on \(host.text), started \(WallClock.now)"
  }
}

extension [CChar] {
  var text: String {
    String(decoding: prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

/// The date, for the log and the lock only.
public enum WallClock {
  /// `2026-03-05 10:00:00 UTC`.
  public static var now: String {
    var t = time(nil)
    var parts = tm()
    gmtime_r(&t, &parts)
    var text = [CChar](repeating: 0, count: 64)
    strftime(&text, 63, "%Y-%m-%d %H:%M:%S UTC", &parts)
    return text.text
  }
}
