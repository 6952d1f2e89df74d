import CHost

/// The threads of one run. Work is cut into chunks by the amount of work, never by the number of
/// threads, and every chunk writes only its own outputs: results do not depend on `count`.
///
/// One caller at a time.
public final class ThreadTeam: Sendable {
  /// The number of threads.
  public let count: Int
  private let crew: Crew?

  /// A team of `count` threads, at least 1; nil: as many as the process may use.
  public init(count: Int? = nil) {
    self.count = max(1, count ?? Self.usableProcessors)
    crew = self.count > 1 ? Crew(size: self.count) : nil
  }

  /// The number of processors in the affinity mask of the process.
  public static var usableProcessors: Int { Int(host_usable_processors()) }

  /// Calls `body` once for each chunk of `chunkSize` indices of 0..<total (the last may be
  /// shorter), on any thread and in any order, and returns when all are done.
  /// `worker` in 0..<count names scratch that no other running chunk uses. Workers begin with
  /// neighbouring chunks and the same ones every time, for the sake of their caches, and help each
  /// other at the end.
  ///
  /// `body` must write only to what its chunk or its worker owns; nothing checks that.
  public func run(
    _ total: Int, chunkSize: Int, _ body: (_ chunk: Range<Int>, _ worker: Int) -> Void
  ) {
    precondition(chunkSize > 0)
    let chunks = (total + chunkSize - 1) / chunkSize
    guard let crew, chunks > 1 else {
      for c in 0..<chunks { body(c * chunkSize..<min(total, (c + 1) * chunkSize), 0) }
      return
    }
    crew.run(chunks) { c, worker in
      body(c * chunkSize..<min(total, (c + 1) * chunkSize), worker)
    }
  }
}
