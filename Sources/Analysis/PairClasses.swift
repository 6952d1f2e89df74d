/// Atoms sorted by the groups they are in, so that pairs of overlapping groups are counted once.
struct PairClasses: Sendable {
  /// The groups of each class.
  let members: [Set<Int>]
  /// The number of atoms of each class.
  let sizes: [Int]
  /// The class of each atom; -1 for atoms in no pair that is asked for.
  let classOfAtom: [Int]
  /// The atoms of all classes.
  let atoms: [Int]
  /// Molecules, whose inner pairs are counted apart.
  let molecules: [BondGraph.Component]
  /// Whether molecules are known.
  let hasMolecules: Bool

  init(_ groups: [AtomGroup], atomCount: Int, pairs: [SIMD2<Int>], bonds: BondGraph?) {
    let used = Set(pairs.flatMap { [$0.x, $0.y] })
    var membership = [Set<Int>](repeating: [], count: atomCount)
    for g in used { for i in groups[g].atoms { membership[i].insert(g) } }
    var members: [Set<Int>] = []
    var sizes: [Int] = []
    var index: [Set<Int>: Int] = [:]
    var classOfAtom = [Int](repeating: -1, count: atomCount)
    for i in 0..<atomCount where !membership[i].isEmpty {
      if index[membership[i]] == nil {
        index[membership[i]] = members.count
        members.append(membership[i])
        sizes.append(0)
      }
      let c = index[membership[i]] ?? 0
      classOfAtom[i] = c
      sizes[c] += 1
    }
    self.members = members
    self.sizes = sizes
    self.classOfAtom = classOfAtom
    atoms = (0..<atomCount).filter { classOfAtom[$0] >= 0 }
    molecules = bonds?.components.filter { !$0.isPeriodic && $0.atoms.count > 1 } ?? []
    hasMolecules = bonds != nil
  }

  /// The number of unordered pairs of classes.
  var pairCount: Int { members.count * (members.count + 1) / 2 }

  /// The place of an unordered pair of classes.
  func pair(_ a: Int, _ b: Int) -> Int {
    let (low, high) = (min(a, b), max(a, b))
    return high * (high + 1) / 2 + low
  }
}
