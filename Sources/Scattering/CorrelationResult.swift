import Matter

/// One correlation function at every q-point, with its spectrum.
public struct CorrelationFunction: Sendable, Equatable {
  /// What is correlated.
  public enum Kind: String, Sendable {
    /// Densities, dimensionless; spectra in fs.
    case coherent
    /// Densities of single atoms, dimensionless; spectra in fs.
    case incoherent
    /// Longitudinal currents, in Å²/fs²; spectra in Å²/fs.
    case longitudinal
    /// Transverse currents, the mean of the two directions, in Å²/fs²; spectra in Å²/fs.
    case transverse
  }
  /// What is correlated.
  public let kind: Kind
  /// Nothing for the total, one species for an incoherent function, two (equal or in alphabetical
  /// order) for a partial. A partial of two different species holds both orders.
  public let species: [String]
  /// F(q,t), point by point, lag by lag, divided by the number of atoms of the file.
  public var values: [Double]
  /// Standard errors of `values` from the spread of the blocks or replicas; NaN where fewer than
  /// two reach a lag, empty without blocks.
  public var valueErrors: [Double]
  /// S(q,ω) = Δt Σ_l w(|l|) F(q,|l|) cos ωlΔt over lags −W…W, point by point, ω by ω.
  public var spectrum: [Double]
  /// Standard errors of `spectrum`, or empty.
  public var spectrumErrors: [Double]

  /// dynasor's name of the time function, such as `Fqt_coh_C_H`.
  public var timeName: String {
    let stem =
      switch kind {
      case .coherent: "Fqt_coh"
      case .incoherent: "Fqt_incoh"
      case .longitudinal: "Clqt"
      case .transverse: "Ctqt"
      }
    return ([stem] + species).joined(separator: "_")
  }
  /// dynasor's name of the spectrum, such as `Sqw_coh_C_H`.
  public var spectrumName: String {
    let stem =
      switch kind {
      case .coherent: "Sqw_coh"
      case .incoherent: "Sqw_incoh"
      case .longitudinal: "Clqw"
      case .transverse: "Ctqw"
      }
    return ([stem] + species).joined(separator: "_")
  }
}

/// A static structure factor at every q-point.
public struct StaticFunction: Sendable, Equatable {
  /// Nothing for the total, two species for a partial.
  public let species: [String]
  /// S(q), averaged over all frames, divided by the number of atoms of the file.
  public var values: [Double]
  /// Standard errors, or empty.
  public var errors: [Double]
  /// dynasor's name, such as `Sq_C_H`.
  public var name: String { (["Sq"] + species).joined(separator: "_") }
}

/// Correlation functions of one trajectory, or of several.
public struct CorrelationResult: Sendable, Equatable {
  /// The points asked for; for shells the centers along x.
  public var points: WaveVectors
  /// q in the mean cell, in rad/Å, a row for each point.
  public var q: [SIMD3<Double>]
  /// |q| in the mean cell, in rad/Å.
  public var norms: [Double]
  /// The standard deviation of |q| over the frames, in rad/Å: 0 in a constant cell.
  public var normSpread: [Double]
  /// The mean of the cell vectors.
  public var meanCell: Cell
  /// The time between frames, in fs.
  public var timestep: Double
  /// Lag times, in fs.
  public var times: [Double]
  /// Angular frequencies 2πk/((2W+1)Δt), in rad/fs.
  public var frequencies: [Double]
  /// The number of pairs of frames behind each lag.
  public var pairCounts: [Double]
  /// The number of frames.
  public var frameCount: Int
  /// The number of atoms of the file, which normalizes all functions.
  public var atomCount: Int
  /// The number of atoms of each species.
  public var speciesCounts: [String: Int]
  /// The window in time that the spectra have.
  public var taper: Taper
  /// The functions: partials, then the total, of each kind.
  public var functions: [CorrelationFunction]
  /// Static structure factors.
  public var statics: [StaticFunction]

  /// A function by kind and species; without species the total.
  public func function(_ kind: CorrelationFunction.Kind, _ species: [String] = [])
    -> CorrelationFunction?
  {
    functions.first { $0.kind == kind && $0.species == species }
  }

  /// A static structure factor by species; without species the total.
  public func statics(_ species: [String] = []) -> StaticFunction? {
    statics.first { $0.species == species }
  }
}
