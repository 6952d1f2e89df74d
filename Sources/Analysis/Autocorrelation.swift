import CFFTW
import Synchronization

/// Autocovariances of real series by fast Fourier transforms, zero-padded so that they equal the
/// direct sums.
public enum Autocorrelation {
  /// The planner of FFTW is not thread-safe.
  private static let planner = Mutex(())

  /// Σ_t d_t d_{t+k} / (n − k) for k in 0..<lagCount, with d the series less its mean.
  /// - Parameters:
  ///   - lagCount: at most the number of values
  ///   - aboutMean: whether to take the mean off
  public static func covariance(_ series: [Double], lagCount: Int, aboutMean: Bool = true)
    -> [Double]
  {
    let n = series.count
    precondition(lagCount <= n)
    guard n > 0, lagCount > 0 else { return [] }
    let mean = aboutMean ? series.mean : 0
    // Short sums cost less than the transform.
    if n <= 64 {
      return (0..<lagCount).map { lag in
        var sum = 0.0
        for t in 0..<n - lag { sum += (series[t] - mean) * (series[t + lag] - mean) }
        return sum / Double(n - lag)
      }
    }
    let size = transformSize(atLeast: n + lagCount)
    let half = size / 2 + 1
    guard let real = fftw_alloc_real(size), let spectrum = fftw_alloc_complex(half) else {
      preconditionFailure("no memory for a transform of \(size) values")
    }
    defer {
      fftw_free(real)
      fftw_free(spectrum)
    }
    nonisolated(unsafe) let (x, f) = (real, spectrum)
    let (forward, backward) = planner.withLock { _ in
      (
        Plan(fftw_plan_dft_r2c_1d(Int32(size), x, f, FFTW_ESTIMATE)),
        Plan(fftw_plan_dft_c2r_1d(Int32(size), f, x, FFTW_ESTIMATE))
      )
    }
    for t in 0..<n { real[t] = series[t] - mean }
    for t in n..<size { real[t] = 0 }
    fftw_execute(forward.pointer)
    for k in 0..<half {
      let (a, b) = (spectrum[k].0, spectrum[k].1)
      spectrum[k] = (a * a + b * b, 0)
    }
    fftw_execute(backward.pointer)
    let result = (0..<lagCount).map { real[$0] / (Double(size) * Double(n - $0)) }
    planner.withLock { _ in
      fftw_destroy_plan(forward.pointer)
      fftw_destroy_plan(backward.pointer)
    }
    return result
  }

  /// A plan, which leaves the lock that made it.
  private struct Plan: @unchecked Sendable {
    let pointer: fftw_plan?
    init(_ pointer: fftw_plan?) { self.pointer = pointer }
  }

  /// The smallest 2^a 3^b 5^c that is even and at least `n`.
  static func transformSize(atLeast n: Int) -> Int {
    var best = Int.max
    var fives = 1
    while fives < 2 * n {
      var threes = fives
      while threes < 2 * n {
        var size = 2 * threes
        while size < n { size *= 2 }
        best = min(best, size)
        threes *= 3
      }
      fives *= 5
    }
    return best
  }
}
