/// Partial functions of pairs of species on points q, as dynasor defines them: 1/N with N all
/// atoms, unlike pairs with both orders. Each function is an array (q, column), columns being
/// energies or times or a single one for static functions.
public struct PartialFunctions: Sendable {
  /// An unordered pair of indices of species, a ≤ b.
  public struct Pair: Sendable, Hashable {
    /// The indices.
    public let a, b: Int
    /// The pair of two indices in any order.
    public init(_ a: Int, _ b: Int) { (self.a, self.b) = (min(a, b), max(a, b)) }
  }

  /// |q| of the points, in rad/Å.
  public var norms: [Double]
  /// The number of columns.
  public var columns: Int
  /// Coherent functions by pair.
  public var coherent: [Pair: [Double]]
  /// Incoherent functions by index of species.
  public var incoherent: [Int: [Double]]
  /// What was done, in order.
  public var history: [String]

  /// Functions on points.
  public init(
    norms: [Double], columns: Int, coherent: [Pair: [Double]], incoherent: [Int: [Double]] = [:],
    history: [String] = []
  ) {
    precondition(
      coherent.values.allSatisfy { $0.count == norms.count * columns }
        && incoherent.values.allSatisfy { $0.count == norms.count * columns })
    self.norms = norms
    self.columns = columns
    self.coherent = coherent
    self.incoherent = incoherent
    self.history = history
  }

  /// The coherent intensity Σ_{A≤B} Re(f_A* f_B) S_AB, (q, column). Pairs and columns are added in
  /// one fixed order.
  public func weightedCoherent(_ weights: ScatteringWeights) -> [Double] {
    var total = [Double](repeating: 0, count: norms.count * columns)
    for pair in coherent.keys.sorted(by: { ($0.a, $0.b) < ($1.a, $1.b) }) {
      guard let values = coherent[pair] else { continue }
      for (i, q) in norms.enumerated() {
        let weight = weights.pair(pair.a, pair.b, q: q)
        for c in i * columns..<(i + 1) * columns { total[c] += weight * values[c] }
      }
    }
    return total
  }

  /// The incoherent intensity Σ_A |b_A^inc|² S_A, (q, column).
  public func weightedIncoherent(_ weights: ScatteringWeights) -> [Double] {
    var total = [Double](repeating: 0, count: norms.count * columns)
    for index in incoherent.keys.sorted() {
      guard let values = incoherent[index] else { continue }
      let weight = weights.species[index].incoherent
      for c in values.indices { total[c] += weight * values[c] }
    }
    return total
  }

  /// The whole intensity, coherent and incoherent, of spectra on frequencies ω ≥ 0 (rad/fs, a
  /// column each), as a density in energy.
  public func map(_ weights: ScatteringWeights, omega: [Double]) -> ScatteringMap {
    precondition(omega.count == columns)
    return ScatteringMap(
      norms: norms, omega: omega,
      values: zip(weightedCoherent(weights), weightedIncoherent(weights)).map { $0 + $1 },
      unit: weights.unit, history: history + [weights.description])
  }

  /// Each function averaged over shells of |q|.
  public func averaged(_ shells: ShellAverage) -> PartialFunctions {
    PartialFunctions(
      norms: shells.shells, columns: columns,
      coherent: coherent.mapValues { shells.average($0, columns: columns) },
      incoherent: incoherent.mapValues { shells.average($0, columns: columns) },
      history: history + ["mean over shells, " + shells.description])
  }

  /// Each function divided by the Debye–Waller factor exp(−q²(U_A + U_B)/6) of its species, with
  /// U = ⟨|r − ⟨r⟩|²⟩ in Å² of each species in the run (half the plateau of the lag MSD).
  public func dividedByDebyeWaller(_ squares: [Double]) -> PartialFunctions {
    func divided(_ values: [Double], _ u: Double) -> [Double] {
      var result = values
      for (i, q) in norms.enumerated() {
        let factor = DebyeWaller.factor(q: q, meanSquare: u)
        for c in i * columns..<(i + 1) * columns { result[c] /= factor }
      }
      return result
    }
    var result = self
    for (pair, values) in coherent {
      result.coherent[pair] = divided(values, 0.5 * (squares[pair.a] + squares[pair.b]))
    }
    for (index, values) in incoherent { result.incoherent[index] = divided(values, squares[index]) }
    result.history.append(
      "divided by the Debye-Waller factors, U = "
        + squares.map { Decimals.text($0) }.joined(separator: ", ") + " Å²")
    return result
  }
}
