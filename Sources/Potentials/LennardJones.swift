import Matter
import Neighbors
import Parallel

/// Lennard-Jones atoms of one kind, 4ε((σ/r)¹² − (σ/r)⁶), brought to zero with two continuous
/// derivatives between `onset` and `cutoff` by a factor 1 − w³(10 − 15w + 6w²).
public final class LennardJones: Potential {
  /// Covers every element, all alike.
  public let elements: [Element]? = nil
  /// Depth ε, in eV.
  public let epsilon: Double
  /// Size σ, in Å.
  public let sigma: Double
  /// Where the smooth end begins, in Å.
  public let onset: Double
  /// Where the interaction ends, in Å.
  public let cutoff: Double
  private var sums = AtomSums(count: 0)

  /// - Parameters:
  ///   - epsilon: in eV
  ///   - sigma: in Å
  ///   - onset: in Å, below `cutoff`
  ///   - cutoff: in Å
  public init(epsilon: Double, sigma: Double, onset: Double, cutoff: Double) {
    precondition(onset < cutoff)
    self.epsilon = epsilon
    self.sigma = sigma
    self.onset = onset
    self.cutoff = cutoff
  }

  /// Argon: ε = 0.0104 eV, σ = 3.4 Å.
  public static func argon(onset: Double = 6.5, cutoff: Double = 7.5) -> LennardJones {
    LennardJones(epsilon: 0.0104, sigma: 3.4, onset: onset, cutoff: cutoff)
  }

  /// Energy, forces and virial of all atoms.
  public func evaluate(
    _ configuration: borrowing Configuration, _ neighbors: NeighborList, needing: Requirements,
    team: ThreadTeam, into result: inout Evaluation
  ) throws(ModelError) {
    let n = configuration.count
    if sums.count != n { sums = AtomSums(count: n) }
    let energies = result.energies.pointer
    let virials = sums.virials
    let f = (result.forces.x, result.forces.y, result.forces.z)
    let r = (configuration.positions.x, configuration.positions.y, configuration.positions.z)
    let h = configuration.cell
    let rows = neighbors.rowStart
    let column = neighbors.neighbor
    let image = neighbors.image
    let reach = cutoff * cutoff
    let (rOn, width, s2, four) = (onset, cutoff - onset, sigma * sigma, 4 * epsilon)
    team.run(n, chunkSize: 64) { atoms, _ in
      for i in atoms {
        var energy = 0.0
        var fx = 0.0
        var fy = 0.0
        var fz = 0.0
        var w = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        for p in Int(rows[i])..<Int(rows[i + 1]) {
          let j = Int(column[p])
          let s = NeighborList.unpack(image[p])
          let (sa, sb, sc) = (Double(s.x), Double(s.y), Double(s.z))
          let x = (r.0[j] - r.0[i]) + (h.a.x * sa + h.b.x * sb + h.c.x * sc)
          let y = (r.1[j] - r.1[i]) + (h.a.y * sa + h.b.y * sb + h.c.y * sc)
          let z = (r.2[j] - r.2[i]) + (h.a.z * sa + h.b.z * sb + h.c.z * sc)
          let d2 = x * x + y * y + z * z
          if d2 >= reach { continue }
          let q = s2 / d2
          let q6 = q * q * q
          var u = four * q6 * (q6 - 1)
          let d = d2.squareRoot()
          var slope = -6 * four * q6 * (2 * q6 - 1) / d
          if d > rOn {
            let t = (d - rOn) / width
            let switching = 1 - t * t * t * (10 - 15 * t + 6 * t * t)
            slope = slope * switching - u * 30 * t * t * (1 - t) * (1 - t) / width
            u *= switching
          }
          energy += u
          // The pull of j on i along +r; half of each pair's virial goes to each atom.
          let g = slope / d
          fx += g * x
          fy += g * y
          fz += g * z
          w.0 -= g * x * x
          w.1 -= g * y * y
          w.2 -= g * z * z
          w.3 -= g * y * z
          w.4 -= g * x * z
          w.5 -= g * x * y
        }
        energies[i] = energy / 2
        f.0[i] = fx
        f.1[i] = fy
        f.2[i] = fz
        virials.0[i] = w.0 / 2
        virials.1[i] = w.1 / 2
        virials.2[i] = w.2 / 2
        virials.3[i] = w.3 / 2
        virials.4[i] = w.4 / 2
        virials.5[i] = w.5 / 2
      }
    }
    result.energy = DeterministicSum.sum(energies, count: n)
    if needing.contains(.virial) { result.virial = sums.virial }
  }
}

/// The virial of each atom, six arrays, and their sum.
struct AtomSums: ~Copyable {
  let count: Int
  private let storage: AlignedBuffer<Double>
  init(count: Int) {
    self.count = count
    storage = AlignedBuffer(count: 6 * count)
  }
  typealias Column = UnsafeMutablePointer<Double>
  var virials: (Column, Column, Column, Column, Column, Column) {
    let p = storage.pointer
    return (p, p + count, p + 2 * count, p + 3 * count, p + 4 * count, p + 5 * count)
  }
  /// The total, in the order xx yy zz yz xz xy.
  var virial: Matrix3 {
    func sum(_ k: Int) -> Double {
      DeterministicSum.sum(UnsafePointer(storage.pointer + k * count), count: count)
    }
    return Tensor6(
      xx: sum(0), yy: sum(1), zz: sum(2), yz: sum(3), xz: sum(4), xy: sum(5)
    ).matrix
  }
}
