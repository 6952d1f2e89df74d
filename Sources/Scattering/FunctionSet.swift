/// The functions of a plan: which channels each multiplies, and the totals that add them.
struct FunctionSet: Sendable {
  /// One function of the result.
  struct Member: Sendable {
    let kind: CorrelationFunction.Kind
    let species: [String]
  }
  /// Functions of densities and currents, with the terms of the series correlator.
  var collective: [Member] = []
  var terms: [[SeriesCorrelator.Term]] = []
  /// Incoherent functions, one for each species.
  var single: [Member] = []
  /// The static partials as channel pairs, those of the coherent functions.
  var staticPairs: [(first: Int, second: Int)] = []
  /// The species of the static functions: the pairs, then the total.
  var staticNames: [[String]] {
    staticPairs.isEmpty ? [] : collective.prefix(staticPairs.count).map(\.species) + [[]]
  }
  /// All functions of the result: each the sum of some of `collective` and then of `single`.
  var members: [(member: Member, parts: [Int])] = []

  init(kinds: CorrelationKinds, species: [String]) {
    let stride = kinds.contains(.currents) ? 5 : 1
    var pairs: [(Int, Int)] = []
    for a in species.indices { for b in a..<species.count { pairs.append((a, b)) } }
    func add(_ kind: CorrelationFunction.Kind, _ channels: Range<Int>, _ factor: Double) {
      let first = collective.count
      for (a, b) in pairs {
        collective.append(Member(kind: kind, species: [species[a], species[b]]))
        terms.append(
          channels.map { c in
            SeriesCorrelator.Term(first: a * stride + c, second: b * stride + c, factor: factor)
          })
      }
      let range = first..<collective.count
      members += range.map { (collective[$0], [$0]) }
      members.append((Member(kind: kind, species: []), Array(range)))
    }
    if kinds.contains(.coherent) {
      add(.coherent, 0..<1, 1)
      staticPairs = pairs.map { ($0.0 * stride, $0.1 * stride) }
    }
    if kinds.contains(.currents) {
      add(.longitudinal, 1..<2, 1)
      add(.transverse, 2..<5, 0.5)
    }
    if kinds.contains(.incoherent) {
      let first = collective.count
      single = species.map { Member(kind: .incoherent, species: [$0]) }
      members += single.indices.map { (single[$0], [first + $0]) }
      members.append(
        (Member(kind: .incoherent, species: []), single.indices.map { first + $0 }))
    }
  }
}
