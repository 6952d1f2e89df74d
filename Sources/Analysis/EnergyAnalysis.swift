import Glibc
import Trajectory

/// The potential energy of a run or of replicas in time, and its distribution against the Gaussian of
/// the same mean and width.
public struct EnergyAnalysis: Sendable, Equatable {
  /// Times in ps, to the end of the shortest replica.
  public var times: [Double]
  /// Potential energy in eV, by replica.
  public var potential: [[Double]]
  /// The statistics of each replica, over its whole length.
  public var statistics: [SeriesStatistics]
  /// Middles of the bins, in eV from the mean of the equilibrated part.
  public var bins: [Double]
  /// Density of the equilibrated parts in each bin and of the Gaussian, in 1/eV.
  public var density, gaussian: [Double]
  /// Skewness and excess kurtosis of the equilibrated parts; zero for a Gaussian.
  public var skewness, kurtosis: Estimate

  /// The analysis of a series, or of replicas; nil if one holds no potential energy.
  public init?(_ series: ThermoSeries..., window: Int) {
    self.init(replicas: series, window: window)
  }

  init?(replicas: [ThermoSeries], window: Int) {
    let whole = replicas.compactMap(\.potential).filter { !$0.isEmpty }
    guard let count = whole.map(\.count).min(), whole.count == replicas.count else { return nil }
    times = Array(replicas[0].times.prefix(count))
    potential = whole.map { Array($0.prefix(count)) }
    statistics = whole.map { SeriesStatistics($0, window: window) }
    let kept = zip(whole, statistics).map { Array($0[min($1.equilibration.first, $0.count)...]) }
    let sigma = (statistics.map { $0.standardDeviation * $0.standardDeviation }.mean).squareRoot()
    guard sigma > 0, sigma.isFinite, kept.joined().count >= 20 else {
      (bins, density, gaussian) = ([], [], [])
      (skewness, kurtosis) = (Estimate(.nan), Estimate(.nan))
      return
    }
    let z = kept.map { values in
      let mean = values.mean
      return values.map { ($0 - mean) / sigma }
    }
    // Freedman and Diaconis' width for a Gaussian, 2·1.349 σ n^(−1/3), from −4.5 to 4.5 σ; rows are
    // worth fewer independent samples than they are.
    let independent = max(8, statistics.reduce(0) { $0 + $1.equilibration.effectiveSamples })
    let binCount = min(200, max(11, Int(9 / (2.698 * pow(independent, -1.0 / 3))) | 1))
    let width = 9.0 / Double(binCount)
    var counts = [Int](repeating: 0, count: binCount)
    for value in z.joined() {
      let bin = Int(((value + 4.5) / width).rounded(.down))
      if counts.indices.contains(bin) { counts[bin] += 1 }
    }
    let middles = counts.indices.map { -4.5 + (Double($0) + 0.5) * width }
    bins = middles.map { $0 * sigma }
    density = counts.map { Double($0) / (Double(kept.joined().count) * width * sigma) }
    gaussian = middles.map { exp(-0.5 * $0 * $0) / (sigma * (2 * Double.pi).squareRoot()) }
    skewness = .mean(ofReplicas: z.map { BlockAverage.mean($0.map { $0 * $0 * $0 }) })
    kurtosis = .mean(ofReplicas: z.map { BlockAverage.mean($0.map { $0 * $0 * $0 * $0 - 3 }) })
  }
}
