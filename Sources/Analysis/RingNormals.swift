import Foundation
import Matter

/// Normals of the five- and six-membered rings of molecules, and the herringbone angle: the angle
/// between the mean axes of the two families into which the normals of the first frame fall.
///
/// A molecule has one normal, the direction in which its ring atoms spread least. A mean axis is the
/// principal axis of Σ n nᵀ over a family, so that signs of normals do not matter; its own sign is
/// kept from frame to frame, so that the angle passes 90° smoothly.
struct RingNormals: ~Copyable {
  /// Molecules with rings, and which places of each are ring atoms.
  private let molecules: [(component: BondGraph.Component, ring: [Int])]
  private var whole: Vectors
  private var family: [Bool] = []
  /// The mean axes of the families in the last frame.
  private(set) var axes: (SIMD3<Double>, SIMD3<Double>) = (.zero, .zero)
  /// Why there is no angle, once known.
  private(set) var reason: String?

  /// Least angle between families, in degrees, and least mean square cosine within one.
  static let leastAngle = 5.0
  static let leastOrder = 0.75

  init(_ graph: BondGraph, isWanted: Bool) {
    let rings = RingSearch(graph)
    var found: [(component: BondGraph.Component, ring: [Int])] = []
    for component in graph.components where !component.isPeriodic {
      let places = component.atoms.indices.filter { rings.isInRing[component.atoms[$0]] }
      if !places.isEmpty { found.append((component, places)) }
    }
    molecules = found
    whole = Vectors(count: found.map(\.component.atoms.count).max() ?? 0)
    if !isWanted {
      reason = "not asked for"
    } else if found.count < 2 {
      reason =
        "\(found.count == 1 ? "one molecule has" : "no molecules have") a ring of 5 or 6 atoms"
    }
  }

  /// The normals of a frame, one for each molecule with rings.
  private func normals(_ cell: Cell?, _ positions: borrowing Vectors) -> [SIMD3<Double>] {
    let fractional = cell?.fractionalMatrix ?? .identity
    var result: [SIMD3<Double>] = []
    result.reserveCapacity(molecules.count)
    for (component, ring) in molecules {
      component.makeWhole(cell, fractional, positions, into: whole)
      var mean = SIMD3<Double>.zero
      for k in ring { mean += SIMD3(whole.x[k], whole.y[k], whole.z[k]) }
      mean /= Double(ring.count)
      var spread = Tensor6.zero
      for k in ring {
        let d = SIMD3(whole.x[k], whole.y[k], whole.z[k]) - mean
        spread = spread + Self.square(d)
      }
      result.append(SymmetricEigen(spread).vectors[0])
    }
    return result
  }

  private static func square(_ v: SIMD3<Double>) -> Tensor6 {
    Tensor6(
      xx: v.x * v.x, yy: v.y * v.y, zz: v.z * v.z, yz: v.y * v.z, xz: v.x * v.z, xy: v.x * v.y)
  }

  /// The principal axis of a family and the mean square cosine with it.
  private static func axis(_ normals: [SIMD3<Double>], _ family: [Bool], _ which: Bool)
    -> (axis: SIMD3<Double>, order: Double)
  {
    var sum = Tensor6.zero
    var count = 0
    for (n, isSecond) in zip(normals, family) where isSecond == which {
      sum = sum + square(n)
      count += 1
    }
    let eigen = SymmetricEigen(sum)
    return (eigen.vectors[2], count > 0 ? eigen.values.z / Double(count) : 0)
  }

  /// The herringbone angle of a frame, in degrees; nil where there is none, see `reason`.
  mutating func angle(_ cell: Cell?, _ positions: borrowing Vectors) -> Double? {
    if reason != nil { return nil }
    let normals = normals(cell, positions)
    if family.isEmpty {
      sortIntoFamilies(normals)
      if reason != nil { return nil }
    } else {
      for (which, old) in [(false, axes.0), (true, axes.1)] {
        var new = Self.axis(normals, family, which).axis
        if dot(new, old) < 0 { new = -new }
        if which { axes.1 = new } else { axes.0 = new }
      }
    }
    return Self.degrees(axes.0, axes.1)
  }

  private static func degrees(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Double {
    let normal = cross(a, b)
    return atan2(dot(normal, normal).squareRoot(), dot(a, b)) * 180 / Double.pi
  }

  /// Two means of axes, started from normals as different as can be found quickly.
  private mutating func sortIntoFamilies(_ normals: [SIMD3<Double>]) {
    func farthest(from axis: SIMD3<Double>) -> SIMD3<Double> {
      normals.min { abs(dot($0, axis)) < abs(dot($1, axis)) } ?? axis
    }
    var first = farthest(from: normals[0])
    var second = farthest(from: first)
    var orders = (0.0, 0.0)
    for _ in 0..<100 {
      let sorted = normals.map { abs(dot($0, second)) > abs(dot($0, first)) }
      if sorted == family { break }
      family = sorted
      let a = Self.axis(normals, family, false)
      let b = Self.axis(normals, family, true)
      (first, second) = (a.axis, b.axis)
      orders = (a.order, b.order)
    }
    if dot(first, second) < 0 { second = -second }
    axes = (first, second)
    guard family.contains(true), family.contains(false),
      Self.degrees(first, second) >= Self.leastAngle
    else {
      reason = "all ring normals are parallel"
      return
    }
    if min(orders.0, orders.1) < Self.leastOrder {
      reason = "the ring normals do not fall into two families"
    }
  }
}

/// Which atoms belong to a ring of five or six.
struct RingSearch {
  private(set) var isInRing: [Bool]

  init(_ graph: BondGraph) {
    let count = graph.elements.count
    var partners = [[Int]](repeating: [], count: count)
    for bond in graph.bonds {
      partners[bond.x].append(bond.y)
      partners[bond.y].append(bond.x)
    }
    var periodic = [Bool](repeating: false, count: count)
    for component in graph.components where component.isPeriodic {
      for atom in component.atoms { periodic[atom] = true }
    }
    isInRing = Array(repeating: false, count: count)
    // The shortest way round a bond closes its smallest ring.
    for bond in graph.bonds where !periodic[bond.x] {
      var before = [bond.x: -1]
      var shell = [bond.x]
      search: for _ in 1...5 {
        var next: [Int] = []
        for atom in shell {
          for partner in partners[atom] where before[partner] == nil {
            if atom == bond.x, partner == bond.y { continue }
            before[partner] = atom
            if partner == bond.y { break search }
            next.append(partner)
          }
        }
        shell = next
      }
      guard before[bond.y] != nil else { continue }
      var ring: [Int] = []
      var atom = bond.y
      while atom >= 0 {
        ring.append(atom)
        atom = before[atom] ?? -1
      }
      if ring.count == 5 || ring.count == 6 { for atom in ring { isInRing[atom] = true } }
    }
  }
}
