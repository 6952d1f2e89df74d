import Dispatch
import Matter
import Synchronization

/// Reads frames ahead on a thread of its own into a few buffers used in turn, so that reading
/// overlaps with computing. Frames come in the order of the source, then its error if it has one.
public final class FramePrefetcher: FrameSource {
  /// What holds for every frame.
  public let facts: TrajectoryFacts
  /// What is wrong with the file, known after its last frame, or nil.
  public private(set) var damage: String?
  private let queue: Queue
  private var taken = 0
  private var end: Queue.Outcome?

  /// Begins to read ahead. The source belongs to the prefetcher from here on.
  public init(_ source: sending any FrameSource, depth: Int = 3) {
    facts = source.facts
    let queue = Queue(facts, depth: depth)
    self.queue = queue
    // Only the thread uses the source from here on.
    nonisolated(unsafe) let source = source
    DispatchQueue(label: "apus.frames").async { queue.fill(from: source) }
  }

  deinit { queue.stop() }

  /// The next frame; its buffers are exchanged for those given.
  public func next(into frame: inout TrajectoryFrame) throws(InputError) -> Bool {
    if end == nil {
      let outcome = queue.take(taken, &frame)
      taken += 1
      if case .frame = outcome { return true }
      end = outcome
      if case .end(let damage) = outcome { self.damage = damage }
    }
    if case .failure(let error)? = end { throw error }
    return false
  }

  /// A ring of frames. `free` counts the slots that may be filled, `full` those that may be taken;
  /// each hands slots over in turn, so that no two threads hold one.
  private final class Queue: @unchecked Sendable {
    enum Outcome {
      case frame
      case end(damage: String?)
      case failure(InputError)
    }
    private final class Slot {
      var frame: TrajectoryFrame
      var outcome = Outcome.end(damage: nil)
      init(_ facts: TrajectoryFacts) { frame = TrajectoryFrame(for: facts) }
    }
    private let slots: [Slot]
    // Made with 0, because a semaphore may not end below its first value.
    private let free = DispatchSemaphore(value: 0)
    private let full = DispatchSemaphore(value: 0)
    private let finished = DispatchSemaphore(value: 0)
    private let isStopped = Atomic(false)

    init(_ facts: TrajectoryFacts, depth: Int) {
      precondition(depth > 0)
      slots = (0..<depth).map { _ in Slot(facts) }
      for _ in slots { free.signal() }
    }

    func fill(from source: any FrameSource) {
      defer { finished.signal() }
      for number in 0... {
        free.wait()
        if isStopped.load(ordering: .acquiring) { return }
        let slot = slots[number % slots.count]
        do throws(InputError) {
          slot.outcome = try source.next(into: &slot.frame) ? .frame : .end(damage: source.damage)
        } catch {
          slot.outcome = .failure(error)
        }
        let isLast = if case .frame = slot.outcome { false } else { true }
        full.signal()
        if isLast { return }
      }
    }

    func take(_ number: Int, _ frame: inout TrajectoryFrame) -> Outcome {
      full.wait()
      let slot = slots[number % slots.count]
      // Once the slot is free its outcome belongs to a later frame.
      let outcome = slot.outcome
      if case .frame = outcome {
        swap(&frame, &slot.frame)
        free.signal()
      }
      return outcome
    }

    func stop() {
      isStopped.store(true, ordering: .releasing)
      free.signal()
      finished.wait()
    }
  }
}
