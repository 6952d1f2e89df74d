/// How many samples of a correlated series are worth one independent sample:
/// g = 1 + 2 Σ_k (1 − k/n) ρ_k [Chodera et al., J. Chem. Theory Comput. 3, 26 (2007)].
public enum StatisticalInefficiency {
  /// g of a series, at least 1. The sum ends before the first correlation beyond lag 3 that is not
  /// positive, where noise begins. A series without variance has g = 1.
  public static func of(_ series: [Double]) -> Double {
    let n = series.count
    guard n > 2 else { return 1 }
    var available = min(n, 256)
    while true {
      let covariance = Autocorrelation.covariance(series, lagCount: available)
      guard covariance[0] > 0 else { return 1 }
      var g = 1.0
      for lag in 1..<available {
        let rho = covariance[lag] / covariance[0]
        if rho <= 0, lag > 3 { return max(1, g) }
        g += 2 * rho * (1 - Double(lag) / Double(n))
      }
      if available == n { return max(1, g) }
      available = min(n, 16 * available)
    }
  }
}
