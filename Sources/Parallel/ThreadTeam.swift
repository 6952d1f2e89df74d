import CHost
import Dispatch
import Synchronization

/// The threads of one run. Work is cut into chunks by the amount of work, never by the number of
/// threads, and every chunk writes only its own outputs: results do not depend on `count`.
public final class ThreadTeam: Sendable {
  /// The number of threads.
  public let count: Int

  /// A team of `count` threads, at least 1; nil: as many as the process may use.
  public init(count: Int? = nil) { self.count = max(1, count ?? Self.usableProcessors) }

  /// The number of processors in the affinity mask of the process.
  public static var usableProcessors: Int { Int(host_usable_processors()) }

  /// Calls `body` once for each chunk of `chunkSize` indices of 0..<total (the last may be
  /// shorter), on any thread and in any order, and returns when all are done.
  /// `worker` in 0..<count names scratch that no other running chunk uses.
  ///
  /// `body` must write only to what its chunk or its worker owns; nothing checks that.
  public func run(
    _ total: Int, chunkSize: Int, _ body: (_ chunk: Range<Int>, _ worker: Int) -> Void
  ) {
    precondition(chunkSize > 0)
    let chunks = (total + chunkSize - 1) / chunkSize
    let workers = min(count, chunks)
    if workers <= 1 {
      for c in 0..<chunks { body(c * chunkSize..<min(total, (c + 1) * chunkSize), 0) }
      return
    }
    let next = Atomic<Int>(0)
    withoutActuallyEscaping(body) { body in
      // Chunks are handed out once each, so no two calls share an index or a worker.
      nonisolated(unsafe) let body = body
      DispatchQueue.concurrentPerform(iterations: workers) { worker in
        while true {
          let c = next.wrappingAdd(1, ordering: .relaxed).oldValue
          if c >= chunks { return }
          body(c * chunkSize..<min(total, (c + 1) * chunkSize), worker)
        }
      }
    }
  }
}
