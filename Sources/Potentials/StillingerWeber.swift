import Foundation
import Matter
import Neighbors
import Parallel

/// Stillinger–Weber silicon (Phys. Rev. B 31, 5262 (1985); its energy unit as used since, 2.1683 eV).
public final class StillingerWeber: Potential {
  /// Silicon.
  public let elements: [Element]?
  /// Where the interaction ends, 1.8 σ, in Å.
  public let cutoff: Double = 1.8 * 2.0951
  private let epsilon = 2.1683
  private let sigma = 2.0951
  private let lambda = 21.0
  private let gamma = 1.2
  private let bigA = 7.049556277
  private let bigB = 0.6022245584
  private var sums = AtomSums(count: 0)
  private var slopes = Vectors(count: 0)

  /// Silicon with the published parameters.
  public init() { elements = Element(symbol: "Si").map { [$0] } }

  /// Energy, forces and virial of all atoms.
  public func evaluate(
    _ configuration: borrowing Configuration, _ neighbors: NeighborList, needing: Requirements,
    team: ThreadTeam, into result: inout Evaluation
  ) throws(ModelError) {
    let n = configuration.count
    if sums.count != n { sums = AtomSums(count: n) }
    if slopes.count < neighbors.pairCount {
      slopes = Vectors(count: neighbors.pairCount + neighbors.pairCount / 16)
    }
    let energies = result.energies.pointer
    let virials = sums.virials
    let f = (result.forces.x, result.forces.y, result.forces.z)
    let r = (configuration.positions.x, configuration.positions.y, configuration.positions.z)
    let h = configuration.cell
    let rows = neighbors.rowStart
    let column = neighbors.neighbor
    let image = neighbors.image
    let reverse = neighbors.reverse
    let g = (slopes.x, slopes.y, slopes.z)
    let reach = cutoff
    // First the energy U_i of each atom and its slopes ∂U_i/∂r_ij, then forces from both ends.
    team.run(n, chunkSize: 64) { atoms, _ in
      var bonds: [Bond] = []
      for i in atoms {
        bonds.removeAll(keepingCapacity: true)
        var energy = 0.0
        for p in Int(rows[i])..<Int(rows[i + 1]) {
          let j = Int(column[p])
          let s = NeighborList.unpack(image[p])
          let (sa, sb, sc) = (Double(s.x), Double(s.y), Double(s.z))
          let d = SIMD3(
            (r.0[j] - r.0[i]) + (h.a.x * sa + h.b.x * sb + h.c.x * sc),
            (r.1[j] - r.1[i]) + (h.a.y * sa + h.b.y * sb + h.c.y * sc),
            (r.2[j] - r.2[i]) + (h.a.z * sa + h.b.z * sb + h.c.z * sc))
          let length = dot(d, d).squareRoot()
          (g.0[p], g.1[p], g.2[p]) = (0, 0, 0)
          // The exponentials and all their derivatives vanish at the cutoff.
          if length >= reach - 1e-6 { continue }
          let gap = length - reach
          let ratio = sigma / length
          let r4 = ratio * ratio * ratio * ratio
          let screen = exp(sigma / gap)
          let pair = bigA * epsilon * (bigB * r4 - 1) * screen / 2
          energy += pair
          let slope =
            -pair * sigma / (gap * gap) - bigA * epsilon * 2 * bigB * r4 / length * screen
          let e = exp(gamma * sigma / gap)
          bonds.append(
            Bond(
              pair: p, unit: d / length, length: length, screen: e,
              screenSlope: -e * gamma * sigma / (gap * gap), slope: d * (slope / length)))
        }
        for a in bonds.indices {
          for b in 0..<a {
            let (u, v) = (bonds[a], bonds[b])
            let cosine = dot(u.unit, v.unit)
            let c = cosine + 1.0 / 3
            let strength = lambda * epsilon * c
            energy += strength * c * u.screen * v.screen
            let angular = 2 * strength * u.screen * v.screen
            bonds[a].slope +=
              u.unit * (strength * c * u.screenSlope * v.screen)
              + (v.unit - u.unit * cosine) * (angular / u.length)
            bonds[b].slope +=
              v.unit * (strength * c * u.screen * v.screenSlope)
              + (u.unit - v.unit * cosine) * (angular / v.length)
          }
        }
        energies[i] = energy
        var w = Matrix3.zero
        for bond in bonds {
          (g.0[bond.pair], g.1[bond.pair], g.2[bond.pair]) = (
            bond.slope.x, bond.slope.y, bond.slope.z
          )
          let d = bond.unit * bond.length
          w = w - Matrix3(bond.slope * d.x, bond.slope * d.y, bond.slope * d.z)
        }
        virials.0[i] = w.x.x
        virials.1[i] = w.y.y
        virials.2[i] = w.z.z
        virials.3[i] = (w.y.z + w.z.y) / 2
        virials.4[i] = (w.x.z + w.z.x) / 2
        virials.5[i] = (w.x.y + w.y.x) / 2
      }
    }
    team.run(n, chunkSize: 64) { atoms, _ in
      for i in atoms {
        var (x, y, z) = (0.0, 0.0, 0.0)
        for p in Int(rows[i])..<Int(rows[i + 1]) {
          let q = Int(reverse[p])
          x += g.0[p] - g.0[q]
          y += g.1[p] - g.1[q]
          z += g.2[p] - g.2[q]
        }
        (f.0[i], f.1[i], f.2[i]) = (x, y, z)
      }
    }
    result.energy = DeterministicSum.sum(energies, count: n)
    if needing.contains(.virial) { result.virial = sums.virial }
  }

  private struct Bond {
    let pair: Int
    let unit: SIMD3<Double>
    let length, screen, screenSlope: Double
    var slope: SIMD3<Double>
  }
}
