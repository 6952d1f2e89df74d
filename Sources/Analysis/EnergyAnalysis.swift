import Glibc
import Trajectory

/// The potential energy in time, and its distribution against the Gaussian of the same mean and
/// width.
public struct EnergyAnalysis: Sendable, Equatable {
  /// Times in ps.
  public var times: [Double]
  /// Potential energy in eV.
  public var potential: [Double]
  /// Its statistics.
  public var statistics: SeriesStatistics
  /// Middles of the bins, in eV from the mean of the equilibrated part.
  public var bins: [Double]
  /// Density of the equilibrated part in each bin and of the Gaussian, in 1/eV.
  public var density, gaussian: [Double]
  /// Skewness and excess kurtosis of the equilibrated part; zero for a Gaussian.
  public var skewness, kurtosis: Estimate

  /// The analysis of a series; nil if it holds no potential energy.
  public init?(_ series: ThermoSeries, window: Int) {
    guard let potential = series.potential, !potential.isEmpty else { return nil }
    times = series.times
    self.potential = potential
    statistics = SeriesStatistics(potential, window: window)
    let kept = Array(potential[min(statistics.equilibration.first, potential.count)...])
    let mean = kept.mean
    let sigma = statistics.standardDeviation
    guard sigma > 0, sigma.isFinite else {
      (bins, density, gaussian) = ([], [], [])
      (skewness, kurtosis) = (Estimate(.nan), Estimate(.nan))
      return
    }
    let z = kept.map { ($0 - mean) / sigma }
    // Freedman and Diaconis' width for a Gaussian, 2·1.349 σ n^(−1/3), from −4.5 to 4.5 σ; rows are
    // worth fewer independent samples than they are.
    let independent = max(8, statistics.equilibration.effectiveSamples)
    let count = min(200, max(11, Int(9 / (2.698 * pow(independent, -1.0 / 3))) | 1))
    let width = 9.0 / Double(count)
    var counts = [Int](repeating: 0, count: count)
    for value in z {
      let bin = Int(((value + 4.5) / width).rounded(.down))
      if counts.indices.contains(bin) { counts[bin] += 1 }
    }
    let middles = counts.indices.map { -4.5 + (Double($0) + 0.5) * width }
    bins = middles.map { $0 * sigma }
    density = counts.map { Double($0) / (Double(kept.count) * width * sigma) }
    gaussian = middles.map { exp(-0.5 * $0 * $0) / (sigma * (2 * Double.pi).squareRoot()) }
    skewness = BlockAverage.mean(z.map { $0 * $0 * $0 })
    kurtosis = BlockAverage.mean(z.map { $0 * $0 * $0 * $0 - 3 })
  }
}
