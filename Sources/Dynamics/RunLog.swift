import Glibc

/// `apus.log`: what happened, with dates; the only file of a run that differs between equal runs.
/// A log that cannot be written never stops the physics.
public final class RunLog {
  private let path: String
  private let warn: (String) -> Void
  private var descriptor: Int32
  private var hasWarned = false

  /// Opens a log to append to.
  /// - Parameter warn: told once if the log cannot be written
  public init(path: String, warn: @escaping (String) -> Void) {
    self.path = path
    self.warn = warn
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  /// Appends a line for each line of text, with the date.
  public func write(_ text: String) {
    let now = WallClock.now
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
      .map { "\(now)  \($0)\n" }.joined()
    let bytes = Array(lines.utf8)
    let written = descriptor < 0 ? -1 : Glibc.write(descriptor, bytes, bytes.count)
    if written != bytes.count, !hasWarned {
      hasWarned = true
      warn("cannot write \(path): \(String(cString: strerror(errno))); the run goes on without it")
    }
  }
}
