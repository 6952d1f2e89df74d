import Foundation
import Matter
import Parallel

/// Stochastic cell rescaling (Bernetti and Bussi, JCP 153, 114107 (2020); Del Tatto et al., Appl.
/// Sci. 12, 1139 (2022)), in the exponential form that needs no extra kT/V.
struct StochasticCellRescaling: Sendable {
  let coupling: RunPlan.Coupling
  /// Relaxation time, in internal units.
  let tau: Double
  /// Compressibility, in Å³/eV.
  let compressibility: Double
  let noise: Philox

  /// The strain A of a time step; h ← e^A h, r ← e^A r, v ← e^−A v. Symmetric: it does not rotate.
  func strain(
    kinetic: Tensor6, virial: Matrix3, cell: Cell, target: PressureTarget, kT: Double,
    over delta: Double, step: Int
  ) -> Matrix3 {
    let volume = cell.volume
    let excess =
      (kinetic.matrix + Tensor6(virial).matrix - target.load(on: cell)) * (1 / volume)
    let rate = compressibility * delta / (3 * tau)
    let spread = (2 * kT * rate / volume).squareRoot()
    func normals(_ draw: Int) -> SIMD2<Double> {
      noise.normal(.barostat, step: step, index: 0, draw: draw)
    }
    let a = normals(0)
    switch coupling {
    case .isotropic:
      return Matrix3.identity * (rate * excess.trace / 3 + spread * a.x / 3.0.squareRoot())
    case .orthorhombic:
      let b = normals(1)
      return coupling.project(excess) * rate + Matrix3(diagonal: [a.x, a.y, b.x]) * spread
    case .triclinic:
      let b = normals(1)
      let c = normals(2)
      // The symmetric part of nine normals: off-diagonal variance one half.
      let s = 0.5.squareRoot()
      let random = Tensor6(xx: a.x, yy: a.y, zz: b.x, yz: s * b.y, xz: s * c.x, xy: s * c.y)
      return excess * rate + random.matrix * spread
    }
  }
}
