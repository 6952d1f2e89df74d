import CHost
import Glibc
import Synchronization

/// Threads that wait for work between the parallel regions of a step. The serial part between two
/// regions takes tens of microseconds, so a thread spins for about a tenth of a millisecond before
/// it sleeps: waking a sleeper costs more than that part.
final class Crew: Sendable {
  private let shared: CrewState

  /// A crew of `size` workers, of which the caller of `run` is one.
  init(size: Int) {
    shared = CrewState(size: size)
    for worker in 1..<size { CrewState.start(shared, worker) }
  }

  deinit { shared.dismiss() }

  /// Calls `body(chunk, worker)` once for every chunk.
  func run(_ chunks: Int, _ body: (Int, Int) -> Void) { shared.run(chunks, body) }
}

/// What the threads of a crew hold; it lives until the last of them has left.
///
/// `@unchecked Sendable`: `body` and `ends` are written by the caller while every thread waits, and
/// published and withdrawn through `generation` and `pending`; the rest is constant or atomic.
private final class CrewState: @unchecked Sendable {
  private let size: Int
  private let generation = Atomic<Int>(0)
  private let pending = Atomic<Int>(0)
  private let sleepers = Atomic<Int>(0)
  private let isDismissed = Atomic<Bool>(false)
  private var body: ((Int, Int) -> Void)?
  private var ends: [Int]
  /// The next chunk of each worker's own range.
  private let next: UnsafeMutablePointer<Counter>
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  /// A counter alone on its cache line.
  private struct Counter: ~Copyable {
    let value = Atomic<Int>(0)
    let padding: (Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0)
  }

  private static let spins = 3000

  init(size: Int) {
    self.size = size
    ends = Array(repeating: 0, count: size)
    next = .allocate(capacity: size)
    for w in 0..<size { (next + w).initialize(to: Counter()) }
    pthread_mutex_init(lock, nil)
    pthread_cond_init(wake, nil)
  }

  deinit {
    pthread_mutex_destroy(lock)
    pthread_cond_destroy(wake)
    lock.deallocate()
    wake.deallocate()
    next.deinitialize(count: size)
    next.deallocate()
  }

  private final class Recruit {
    let state: CrewState
    let worker: Int
    init(_ state: CrewState, _ worker: Int) {
      self.state = state
      self.worker = worker
    }
  }

  static func start(_ state: CrewState, _ worker: Int) {
    let context = Unmanaged.passRetained(Recruit(state, worker)).toOpaque()
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { raw in
        if let raw {
          let recruit = Unmanaged<Recruit>.fromOpaque(raw).takeRetainedValue()
          recruit.state.serve(recruit.worker)
        }
        return nil
      }, context)
    precondition(status == 0, "the system refuses another thread; give fewer with --threads")
    pthread_detach(thread)
  }

  private func announce() {
    generation.wrappingAdd(1, ordering: .sequentiallyConsistent)
    if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
      pthread_mutex_lock(lock)
      pthread_cond_broadcast(wake)
      pthread_mutex_unlock(lock)
    }
  }

  func dismiss() {
    isDismissed.store(true, ordering: .sequentiallyConsistent)
    announce()
  }

  func run(_ chunks: Int, _ body: (Int, Int) -> Void) {
    withoutActuallyEscaping(body) { body in
      self.body = body
      for w in 0..<size {
        next[w].value.store(chunks * w / size, ordering: .relaxed)
        ends[w] = chunks * (w + 1) / size
      }
      pending.store(size - 1, ordering: .relaxed)
      announce()
      work(0, body)
      var waited = 0
      while pending.load(ordering: .acquiring) > 0 {
        waited += 1
        if waited > Self.spins { sched_yield() } else { host_pause() }
      }
      self.body = nil
    }
  }

  /// Own chunks first, then those that others have left.
  private func work(_ worker: Int, _ body: (Int, Int) -> Void) {
    for k in 0..<size {
      let owner = (worker + k) % size
      while true {
        let chunk = next[owner].value.wrappingAdd(1, ordering: .relaxed).oldValue
        if chunk >= ends[owner] { break }
        body(chunk, worker)
      }
    }
  }

  private func serve(_ worker: Int) {
    var seen = 0
    while true {
      var waited = 0
      while generation.load(ordering: .acquiring) == seen {
        waited += 1
        if waited < Self.spins {
          host_pause()
          continue
        }
        sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
        pthread_mutex_lock(lock)
        while generation.load(ordering: .sequentiallyConsistent) == seen {
          pthread_cond_wait(wake, lock)
        }
        pthread_mutex_unlock(lock)
        sleepers.wrappingSubtract(1, ordering: .sequentiallyConsistent)
      }
      seen += 1
      if isDismissed.load(ordering: .acquiring) { return }
      if let body { work(worker, body) }
      pending.wrappingSubtract(1, ordering: .acquiringAndReleasing)
    }
  }
}
