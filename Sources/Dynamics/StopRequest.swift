import Glibc
import Synchronization

/// Requests to stop by signal. The first is honoured at the end of the step; a second SIGINT ends
/// the process at once, which the last checkpoint makes safe.
public enum StopRequest {
  private static let signal = Atomic<Int32>(0)

  /// The name of the signal received, or nil.
  public static var received: String? {
    switch signal.load(ordering: .relaxed) {
    case 0: nil
    case SIGINT: "SIGINT"
    default: "SIGTERM"
    }
  }

  /// Handles SIGINT and SIGTERM from now on, and makes a full disk or a size limit an error of the
  /// write instead of a death.
  public static func handleSignals() {
    // A handler may not be the first to touch a lazily made global.
    signal.store(0, ordering: .relaxed)
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { number in
      let before = StopRequest.signal.exchange(number, ordering: .relaxed)
      if before != 0, number == SIGINT { _exit(75) }
    }
    action.sa_flags = SA_RESTART
    sigaction(SIGINT, &action, nil)
    sigaction(SIGTERM, &action, nil)
    // A parent may have left them blocked.
    var both = sigset_t()
    sigemptyset(&both)
    sigaddset(&both, SIGINT)
    sigaddset(&both, SIGTERM)
    pthread_sigmask(SIG_UNBLOCK, &both, nil)
    Glibc.signal(SIGXFSZ, SIG_IGN)
    Glibc.signal(SIGPIPE, SIG_IGN)
  }
}
