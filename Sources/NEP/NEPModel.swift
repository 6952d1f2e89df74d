import Matter

/// The parameters of a NEP model, as its file holds them (formulas and symbols: docs/theory.md,
/// "NEP").
public struct NEPModel: Sendable {
  /// Which of the potential kinds of the file format.
  public enum Version: Int, Sendable {
    /// One network shared by all species.
    case nep3 = 3
    /// One network for each species.
    case nep4 = 4
    /// As nep4, with one output bias for each species.
    case nep5 = 5
  }

  /// A many-body channel beyond the three-body invariants, in the order of the file.
  public enum Channel: String, Sendable, CaseIterable {
    case q222, q1111, q112, q123, q233, q134
    /// The largest l the channel needs.
    var degree: Int {
      switch self {
      case .q1111: 1
      case .q222, .q112: 2
      case .q123, .q233: 3
      case .q134: 4
      }
    }
  }

  /// Screened nuclear repulsion of one pair of species: V = (k Z Z'/r) φ(αr) s(r).
  struct ZBL: Sendable, Equatable {
    /// Inner and outer radius of the switch, in Å.
    var inner, outer: Double
    /// φ(t) = Σ amplitude·exp(−rate·t).
    var amplitudes, rates: SIMD4<Double>
    /// k Z Z', in eV Å, and α, in 1/Å.
    var charge, screening: Double
  }

  /// The weights of one network.
  struct Network: Sendable {
    /// Input weights, neuron-major: neuronCount × descriptorCount.
    var w0: [Double]
    var b0: [Double]
    var w1: [Double]
    /// The sum of all output biases that are subtracted.
    var bias: Double
  }

  /// The version of the format.
  public let version: Version
  /// Species in the order of the file.
  public let elements: [Element]
  /// Radial and angular cutoffs of pairs of species (I·Nt + J), in Å.
  let radialCutoffs, angularCutoffs: [Double]
  /// n_max + 1, basis_size + 1.
  let radialCount, angularCount, radialBasis, angularBasis: Int
  /// Largest l of the three-body invariants.
  let degree: Int
  /// Channels beyond three-body, in order.
  let channels: [Channel]
  let neuronCount: Int
  /// One for each species.
  let networks: [Network]
  /// c^R[I·Nt + J][n·K + k] and c^A, central species first.
  let radialCoefficients, angularCoefficients: [[Double]]
  /// Multipliers of the descriptor.
  let scaler: [Double]
  /// ZBL by pair of species (I·Nt + J), or nil.
  let zbl: [ZBL]?

  /// The descriptor's length D.
  var descriptorCount: Int { radialCount + angularCount * (degree + channels.count) }
  /// The number of harmonics, (L + 1)² − 1.
  var harmonicCount: Int { (degree + 1) * (degree + 1) - 1 }
  /// The largest cutoff of any pair, in Å.
  public var cutoff: Double { max(radialCutoffs.max() ?? 0, angularCutoffs.max() ?? 0) }

  /// One line for people: version, species, cutoffs and sizes.
  public var summary: String {
    let names = elements.map(\.symbol).joined(separator: " ")
    let bodies = channels.map(\.rawValue).joined(separator: " ")
    return
      "NEP\(version.rawValue)\(zbl == nil ? "" : " with ZBL"), species \(names), cutoffs \(radialCutoffs.max() ?? 0) Å radial and \(angularCutoffs.max() ?? 0) Å angular, n_max \(radialCount - 1) \(angularCount - 1), basis \(radialBasis - 1) \(angularBasis - 1), l_max \(degree)\(bodies.isEmpty ? "" : " " + bodies), \(neuronCount) neurons, \(descriptorCount) descriptors"
  }
}
