import Foundation
import Matter

/// The one-sided spectrum of an even correlation function known at lags 0...W, per meV:
/// its trapezoidal integral is the value at lag 0, to rounding.
struct CosineSpectrum {
  /// ħ, in meV·ps.
  static let hbar = 0.6582119569509
  /// cm⁻¹ in one meV.
  static let wavenumbersPerMeV = 8.065543937349

  /// Energies ħω_k = πħk/((W+1)Δt), k = 0...W+1, in meV.
  let energies: [Double]
  private let lagCount: Int
  private let spacing: Double
  private let weights: [Double]
  private let transform: RealTransform

  /// Spectra of `lagCount` = W + 1 lags, `spacing` ps apart.
  init(lagCount: Int, spacing: Double, window: VelocityAutocorrelation.Window) {
    self.lagCount = lagCount
    self.spacing = spacing
    let w = Double(lagCount)
    energies = (0...lagCount).map { Double.pi * Self.hbar * Double($0) / (w * spacing) }
    weights = (0..<lagCount).map { l in
      switch window {
      case .none: 1
      case .hann: (1 + cos(Double.pi * Double(l) / w)) / 2
      }
    }
    transform = RealTransform(length: 2 * lagCount)
  }

  /// The spectrum of a correlation function.
  func of(_ correlation: [Double]) -> [Double] {
    let series = AlignedBuffer<Double>(count: 2 * lagCount)
    let spectrum = AlignedBuffer<Double>(count: transform.spectrumCount)
    for l in 0..<lagCount {
      let value = correlation[l] * weights[l]
      series[l] = value
      if l > 0 { series[2 * lagCount - l] = value }
    }
    transform.forward(series.pointer, to: spectrum.pointer)
    let scale = spacing / (Double.pi * Self.hbar)
    return (0...lagCount).map { spectrum[2 * $0] * scale }
  }

  /// The trapezoidal integral of equidistant values.
  static func integral(_ values: [Double], over grid: [Double]) -> Double {
    guard grid.count > 1, let first = values.first, let last = values.last else { return 0 }
    return (values.reduce(0, +) - (first + last) / 2) * (grid[1] - grid[0])
  }
}
