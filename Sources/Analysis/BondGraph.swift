import Matter

/// Which atoms are bonded, and the molecules that follow.
///
/// Two atoms are allowed R_i + R_j + (f − 1)·min(R_i + R_j, 1.6 Å), R the covalent radii (Cordero
/// 2008): the factor f times the sum, except that contacts of large atoms (I···I of crystals at
/// room temperature) do not become bonds. A bond forms below three quarters of the allowance over
/// R_i + R_j and breaks above the whole, so that vibrations do neither; an atom without a bond
/// takes its nearest partner within the whole allowance.
public struct BondGraph: Sendable {
  /// A molecule, or a network that reaches its own periodic image.
  public struct Component: Sendable, Equatable {
    /// The atoms, each but the first after an atom it is bonded to.
    public var atoms: [Int]
    /// The place in `atoms` of that atom; -1 for the first.
    public var parents: [Int]
    /// Whether bonds lead to an image of the component itself.
    public var isPeriodic: Bool
  }

  /// The element of each atom.
  public let elements: [Element]
  /// The factor f.
  public let factor: Double
  /// Pairs of bonded atoms, the lower index first, in order, each once.
  public let bonds: [SIMD2<Int>]
  /// Molecules, by their lowest atom. An atom without bonds is one.
  public let components: [Component]

  /// The graph of one frame.
  /// - Parameters:
  ///   - elements: of the atoms
  ///   - cell: nil where nothing repeats
  ///   - positions: in Å, finite, wrapped or not
  ///   - factor: f, above 1
  public init(
    elements: [Element], cell: Cell?, positions: borrowing Vectors, factor: Double = 1.25
  ) {
    precondition(elements.count == positions.count && factor > 1)
    self.elements = elements
    self.factor = factor
    let rule = BondRule(elements, factor: factor)
    var search = BondSearch(rule, atomCount: elements.count)
    var candidates: [Candidate] = []
    search.forEachPair(cell, positions, share: 1) { i, j, vector in
      let swapped = i > j
      candidates.append(
        Candidate(
          first: min(i, j), second: max(i, j), vector: swapped ? -vector : vector))
    }
    candidates.sort { ($0.first, $0.second, $0.square) < ($1.first, $1.second, $1.square) }
    var isBond = candidates.map { rule.isBonded($0.first, $0.second, $0.square, share: 0.75) }
    var nearest = [Int?](repeating: nil, count: elements.count)
    var isBonded = [Bool](repeating: false, count: elements.count)
    for (k, candidate) in candidates.enumerated() {
      for atom in [candidate.first, candidate.second] {
        if isBond[k] { isBonded[atom] = true }
        if let old = nearest[atom], candidates[old].square <= candidate.square { continue }
        nearest[atom] = k
      }
    }
    for atom in elements.indices where !isBonded[atom] {
      if let k = nearest[atom] { isBond[k] = true }
    }
    let found = candidates.indices.filter { isBond[$0] }.map { candidates[$0] }
    var bonds: [SIMD2<Int>] = []
    for bond in found where bond.first != bond.second {
      let pair = SIMD2(bond.first, bond.second)
      if bonds.last != pair { bonds.append(pair) }
    }
    self.bonds = bonds
    components = Self.components(found, atomCount: elements.count)
  }

  /// A pair near enough to be bonded, with the vector from the first to the second.
  private struct Candidate {
    var first, second: Int
    var vector: SIMD3<Double>
    var square: Double { dot(vector, vector) }
  }

  private static func components(_ bonds: [Candidate], atomCount: Int) -> [Component] {
    var partners = [[(atom: Int, vector: SIMD3<Double>)]](repeating: [], count: atomCount)
    for bond in bonds {
      partners[bond.first].append((bond.second, bond.vector))
      partners[bond.second].append((bond.first, -bond.vector))
    }
    var place = [Int](repeating: -1, count: atomCount)
    var position = [SIMD3<Double>](repeating: .zero, count: atomCount)
    var result: [Component] = []
    for root in 0..<atomCount where place[root] < 0 {
      var component = Component(atoms: [root], parents: [-1], isPeriodic: false)
      place[root] = 0
      var next = 0
      while next < component.atoms.count {
        let atom = component.atoms[next]
        for (partner, vector) in partners[atom] {
          let target = position[atom] + vector
          if place[partner] < 0 {
            place[partner] = component.atoms.count
            position[partner] = target
            component.atoms.append(partner)
            component.parents.append(next)
          } else {
            let miss = position[partner] - target
            if dot(miss, miss) > 1e-4 { component.isPeriodic = true }
          }
        }
        next += 1
      }
      result.append(component)
    }
    return result
  }

  /// The atoms of each molecule with more than one atom that is no network; what a centre of mass
  /// is taken of.
  public var molecules: [[Int]] {
    components.filter { !$0.isPeriodic && $0.atoms.count > 1 }.map { $0.atoms.sorted() }
  }
}

extension BondGraph.Component {
  /// Positions with the molecule in one piece, each atom at the image nearest to its parent's: into
  /// the first places of `whole`, in the order of `atoms`.
  func makeWhole(
    _ cell: Cell?, _ toFractional: Matrix3, _ positions: borrowing Vectors,
    into whole: borrowing Vectors
  ) {
    let (x, y, z) = (positions.x, positions.y, positions.z)
    let (wx, wy, wz) = (whole.x, whole.y, whole.z)
    for (k, atom) in atoms.enumerated() {
      var r = SIMD3(x[atom], y[atom], z[atom])
      if k > 0, let cell {
        let p = parents[k]
        let step = r - SIMD3(wx[p], wy[p], wz[p])
        r -= cell.cartesian((toFractional * step).rounded(.toNearestOrEven))
      }
      wx[k] = r.x
      wy[k] = r.y
      wz[k] = r.z
    }
  }
}
