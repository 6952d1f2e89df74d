import Matter
import Scattering

/// What a scattering experiment sees of pair distributions: partials weighted by scattering powers.
public struct WeightedDistribution: Sendable {
  /// The radiation that is scattered.
  public enum Radiation: String, Sendable, CaseIterable {
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
        radiation == .xray ? Double(kind.atomicNumber) : NeutronTable.natural(kind)?.real ?? .nan
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
}
