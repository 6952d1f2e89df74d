import Matter

/// What a scattering experiment sees of pair distributions: partials weighted by scattering powers.
public struct WeightedDistribution: Sendable {
  /// The radiation that is scattered.
  public enum Radiation: String, Sendable {
    /// By coherent scattering lengths of natural isotopes (Sears 1992, real parts).
    case neutron
    /// By atomic numbers, the form factors at q = 0.
    case xray
  }

  /// g(r) = Σ c_a c_b w_a w_b g_ab(r) / (Σ c_a w_a)², 1 at large distances.
  public var g: [Double]
  /// Its standard errors, from the blocks of the window.
  public var gError: [Double]
  /// The reduced distribution G(r) = 4πrρ[g(r) − 1], in Å⁻².
  public var reduced: [Double]
  /// Its standard errors.
  public var reducedError: [Double]

  /// The weighted distribution of one window.
  /// - Parameters:
  ///   - result: distributions of all pairs of the elements
  ///   - window: which window
  ///   - elements: of all atoms
  /// - Throws: `ObservableError.notEnoughData` if a pair or a scattering length is missing, or the
  ///   lengths add up to nothing.
  public init(
    of result: RadialDistribution.Result, window: Int, elements: [Element], radiation: Radiation
  ) throws(ObservableError) {
    var counts: [Element: Int] = [:]
    for element in elements { counts[element, default: 0] += 1 }
    let kinds = counts.keys.sorted { $0.symbol < $1.symbol }
    var powers: [Element: Double] = [:]
    for kind in kinds {
      let length =
        radiation == .xray ? Double(kind.atomicNumber) : Self.neutronLength(kind) ?? .nan
      guard length.isFinite else {
        throw .notEnoughData("no coherent neutron scattering length is tabulated for \(kind)")
      }
      powers[kind] = Double(counts[kind] ?? 0) / Double(elements.count) * length
    }
    let sum = kinds.reduce(0) { $0 + (powers[$1] ?? 0) }
    guard abs(sum) > 1e-9 else {
      throw .notEnoughData("the scattering lengths of this composition add up to zero")
    }
    let bins = result.radii.count
    let curves = result.windows[window].curves
    let blockCount = curves.first?.blocks.count ?? 0
    var total = [Double](repeating: 0, count: bins)
    var blocks = [[Double]](repeating: total, count: blockCount)
    for (i, a) in kinds.enumerated() {
      for b in kinds[i...] {
        guard
          let p = result.pairs.firstIndex(of: "\(a)-\(b)")
            ?? result.pairs.firstIndex(of: "\(b)-\(a)"), result.groupSizes[a.symbol] == counts[a],
          result.groupSizes[b.symbol] == counts[b]
        else { throw .notEnoughData("the weighted distribution needs the pair \(a)-\(b)") }
        let weight = (a == b ? 1 : 2) * (powers[a] ?? 0) * (powers[b] ?? 0) / (sum * sum)
        for k in 0..<bins {
          // One atom of an element has no like pair to weigh.
          let known = curves[p].g[k].isNaN ? 0 : curves[p].g[k]
          total[k] += weight * known
          for c in 0..<blockCount {
            let value = curves[p].blocks[c][k]
            blocks[c][k] += weight * (value.isNaN ? 0 : value)
          }
        }
      }
    }
    let density = result.densities[window]
    let scales = result.radii.map { 4 * Double.pi * $0 * density }
    g = total
    gError = (0..<bins).map { k in Spread.standardError(blocks.map { $0[k] }) }
    reduced = zip(total, scales).map { ($0 - 1) * $1 }
    reducedError = zip(gError, scales).map { $0 * $1 }
  }

  /// The coherent scattering length of an element with natural isotopes, in fm; nil where there is
  /// none in the table.
  public static func neutronLength(_ element: Element) -> Double? {
    let n = element.atomicNumber
    guard n <= lengths.count, lengths[n - 1].isFinite else { return nil }
    return lengths[n - 1]
  }

  /// V. F. Sears, Neutron News 3(3), 26 (1992).
  private static let lengths: [Double] = [
    -3.739, 3.26, -1.9, 7.79, 5.3, 6.646, 9.36, 5.803, 5.654, 4.566, 3.63, 5.375, 3.449, 4.1491,
    5.13, 2.847, 9.577, 1.909, 3.67, 4.7, 12.29, -3.438, -0.3824, 3.635, -3.73, 9.45, 2.49, 10.3,
    7.718, 5.68, 7.288, 8.185, 6.58, 7.97, 6.795, 7.81, 7.09, 7.02, 7.75, 7.16, 7.054, 6.715, 6.8,
    7.03, 5.88, 5.91, 5.922, 4.87, 4.065, 6.225, 5.57, 5.8, 5.28, 4.92, 5.42, 5.07, 8.24, 4.84,
    4.58, 7.69, 12.6, 0.8, 7.22, 6.5, 7.38, 16.9, 8.01, 7.79, 7.07, 12.43, 7.21, 7.77, 6.91, 4.86,
    9.2, 10.72, 10.6, 9.6, 7.63, 12.692, 8.776, 9.405, 8.532, .nan, .nan, .nan, .nan, 10.0, .nan,
    10.31, 9.1, 8.417, 10.55, .nan, 8.3,
  ]
}
