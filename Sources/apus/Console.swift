import Glibc

/// Text to stdout and stderr, written at once.
enum Console {
  static func out(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }
  static func message(_ text: String) { write(text + "\n", to: STDERR_FILENO) }
  /// Without a line end.
  static func raw(_ text: String) { write(text, to: STDERR_FILENO) }
  /// Whether stderr is a terminal.
  static var isTerminal: Bool { isatty(STDERR_FILENO) != 0 }

  private static func write(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let n = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if n < 0, errno == EINTR { continue }
      if n <= 0 { return }
      bytes = bytes.dropFirst(n)
    }
  }
}
