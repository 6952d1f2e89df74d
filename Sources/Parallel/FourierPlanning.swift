import Synchronization

/// FFTW lets one thread of a process plan at a time, whichever module it serves; execution needs
/// no lock.
package enum FourierPlanning {
  private static let lock = Mutex<Void>(())

  /// Calls `body` while no other thread plans.
  package static func alone<R>(_ body: () -> sending R) -> sending R {
    lock.withLock { _ in body() }
  }
}
