import Synchronization

/// The system calls of the file layer, and calls of libnetcdf.
package enum FileCall: String, Sendable {
  case open, write, synchronize, truncate, rename, remove, makeDirectory, close, netCDF
}

/// Faults that a test puts into the file layer, and the record of what the layer did.
///
/// It acts on the calls of the task that runs in `FileFaults.during`, so tests in parallel do not
/// disturb each other.
package final class FileFaults: Sendable {
  /// What happens to a call instead of its success.
  package enum Fault: Sendable {
    /// It fails with an error number, of libnetcdf for its calls.
    case code(Int32)
    /// A write stops after this many bytes.
    case short(Int)
  }

  @TaskLocal static var current: FileFaults?

  private let decide: @Sendable (Int, FileCall, String) -> Fault?
  private let state = Mutex<[(FileCall, String)]>([])

  /// Faults by the number of a call, from 0, its kind and its path.
  package init(_ decide: @escaping @Sendable (Int, FileCall, String) -> Fault?) {
    self.decide = decide
  }

  /// A failure of one call; with `lasting` of every call from it on.
  package convenience init(call: Int, code: Int32, lasting: Bool = false) {
    self.init { number, _, _ in
      number == call || (lasting && number > call) ? .code(code) : nil
    }
  }

  /// The calls so far with their paths.
  package var calls: [(call: FileCall, path: String)] {
    state.withLock { $0.map { (call: $0.0, path: $0.1) } }
  }

  /// Runs a body with these faults.
  package func during<Result>(_ body: () throws -> Result) rethrows -> Result {
    try Self.$current.withValue(self) { try body() }
  }

  static func fault(_ call: FileCall, _ path: String) -> Fault? {
    guard let faults = current else { return nil }
    let number = faults.state.withLock { calls in
      calls.append((call, path))
      return calls.count - 1
    }
    return faults.decide(number, call, path)
  }
}
