import Glibc

/// Seconds that never jump: for progress, checkpoints and wall-time limits.
public enum MonotonicClock {
  /// Seconds since some fixed moment.
  public static var seconds: Double {
    var t = timespec()
    clock_gettime(CLOCK_MONOTONIC, &t)
    return Double(t.tv_sec) + Double(t.tv_nsec) * 1e-9
  }
}
