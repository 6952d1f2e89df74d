import Matter
import Trajectory

/// Shear and bulk viscosity as running integrals of stress autocorrelations [Green–Kubo].
///
/// η = V/(10 k_B T) ∫⟨Σ_ab P_ab(0) P_ab(t)⟩ dt over the nine components of the symmetric traceless
/// stress [Daivis, Evans, J. Chem. Phys. 100, 541 (1994)]; η_v = V/(k_B T) ∫⟨δp(0) δp(t)⟩ dt. Errors are
/// those of the mean over blocks of the run.
public struct GreenKuboViscosity: Sendable, Equatable {
  /// Times of the integrals' upper ends, in ps.
  public var lags: [Double]
  /// Running integrals in mPa·s with their standard errors.
  public var shear, shearError, bulk, bulkError: [Double]
  /// The integral up to where the correlation first falls to zero, in mPa·s.
  public var shearValue, bulkValue: Estimate
  /// That lag, in ps.
  public var shearCut, bulkCut: Double
  /// What a reader should know.
  public var caveats: [String]

  /// The viscosities of a series; nil without stresses, volume or temperature, and for fewer than
  /// 20 rows in a block.
  /// - Parameter blocks: parts of the run whose spread gives the errors
  public init?(_ series: ThermoSeries, temperature: Double?, blocks: Int) {
    guard let stress = series.stress, series.stressIsFull, let volume = series.volume,
      let temperature = temperature ?? series.temperature?.mean, temperature > 0,
      series.spacing > 0, blocks > 0, series.count / blocks >= 20,
      stress.allSatisfy({ $0.allSatisfy(\.isFinite) })
    else { return nil }
    let length = series.count / blocks
    let count = max(2, length / 2)
    let dt = series.spacing
    // GPa² Å³ ps/eV to GPa·ps = mPa·s.
    let factor = volume.mean / (Units.boltzmann * temperature) / Units.gigapascal
    // Five independent series whose squares add up to Σ P_ab P_ab.
    let (xx, yy, zz) = (stress[0], stress[1], stress[2])
    let rows = xx.indices
    let root2 = 2.0.squareRoot()
    let shearParts =
      stress[3...].map { $0.map { $0 * root2 } } + [
        rows.map { (xx[$0] - yy[$0]) / root2 },
        rows.map { (xx[$0] + yy[$0] - 2 * zz[$0]) / 6.0.squareRoot() },
      ]
    let pressure = [rows.map { -(xx[$0] + yy[$0] + zz[$0]) / 3 }]
    func correlations(_ parts: [[Double]], _ weight: Double) -> [[Double]] {
      (0..<blocks).map { block in
        var sum = [Double](repeating: 0, count: count)
        for part in parts {
          // About the mean of the whole run: a block's own would take part of the integral away.
          let mean = part.mean
          let piece = part[block * length..<(block + 1) * length].map { $0 - mean }
          let c = Autocorrelation.covariance(piece, lagCount: count, aboutMean: false)
          for k in 0..<count { sum[k] += c[k] * weight }
        }
        return sum
      }
    }
    func integral(_ c: [Double]) -> [Double] {
      var result = [0.0]
      for k in 1..<count { result.append(result[k - 1] + dt * (c[k] + c[k - 1]) / 2) }
      return result
    }
    func viscosity(_ parts: [[Double]], _ weight: Double)
      -> (mean: [Double], error: [Double], value: Estimate, cut: Double)
    {
      let pieces = correlations(parts, weight * factor)
      let integrals = pieces.map(integral)
      func mean(_ curves: [[Double]], _ k: Int) -> Double { curves.map { $0[k] }.mean }
      let average = (0..<count).map { mean(integrals, $0) }
      let error = (0..<count).map { k in
        SeriesStatistics.standardDeviation(integrals.map { $0[k] }) / Double(blocks).squareRoot()
      }
      let cut = (0..<count).first { mean(pieces, $0) <= 0 } ?? count - 1
      let value = Estimate(
        average[cut], standardError: error[cut], degreesOfFreedom: blocks - 1,
        effectiveSamples: Double(blocks))
      return (average, error, value, Double(cut) * dt)
    }
    lags = (0..<count).map { Double($0) * dt }
    let s = viscosity(shearParts, 0.1)
    let b = viscosity(pressure, 1)
    (shear, shearError, shearValue, shearCut) = (s.mean, s.error, s.value, s.cut)
    (bulk, bulkError, bulkValue, bulkCut) = (b.mean, b.error, b.value, b.cut)
    caveats = []
    if max(shearCut, bulkCut) >= lags[count - 1] {
      caveats.append("the stress correlation does not fall to zero within half a block")
    }
    if shearCut < 5 * dt {
      caveats.append("rows are too far apart for the stress correlation: write thermo more often")
    }
  }
}

extension GreenKuboViscosity {
  /// The mean of replicas over the lags that all have, with their spread as error; one as it is.
  init?(meanOf replicas: [GreenKuboViscosity]) {
    guard let shortest = replicas.min(by: { $0.lags.count < $1.lags.count }) else { return nil }
    self = shortest
    guard replicas.count > 1 else { return }
    func mean(_ curve: (GreenKuboViscosity) -> [Double]) -> [Estimate] {
      lags.indices.map { k in .mean(ofReplicas: replicas.map { Estimate(curve($0)[k]) }) }
    }
    let (s, b) = (mean(\.shear), mean(\.bulk))
    (shear, shearError) = (s.map(\.value), s.map(\.standardError))
    (bulk, bulkError) = (b.map(\.value), b.map(\.standardError))
    shearValue = .mean(ofReplicas: replicas.map(\.shearValue))
    bulkValue = .mean(ofReplicas: replicas.map(\.bulkValue))
    shearCut = replicas.map(\.shearCut).mean
    bulkCut = replicas.map(\.bulkCut).mean
    caveats = Set(replicas.flatMap(\.caveats)).sorted()
  }
}
