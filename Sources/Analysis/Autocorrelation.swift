import Matter

/// Autocovariances of real series by fast Fourier transforms, zero-padded so that they equal the
/// direct sums.
public enum Autocorrelation {
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
    let transform = RealTransform(length: RealTransform.fastLength(n + lagCount))
    let values = AlignedBuffer<Double>(count: transform.length)
    let spectrum = AlignedBuffer<Double>(count: transform.spectrumCount)
    let (x, f) = (values.pointer, spectrum.pointer)
    for t in 0..<n { x[t] = series[t] - mean }
    for t in n..<transform.length { x[t] = 0 }
    transform.forward(x, to: f)
    for k in stride(from: 0, to: transform.spectrumCount, by: 2) {
      f[k] = f[k] * f[k] + f[k + 1] * f[k + 1]
      f[k + 1] = 0
    }
    transform.inverse(f, to: x)
    return (0..<lagCount).map { x[$0] / (Double(transform.length) * Double(n - $0)) }
  }
}
