import Matter
import Potentials

/// v ← v + δ F/m.
struct Kick {
  func apply(_ state: borrowing PhaseState, _ forces: borrowing Evaluation, over delta: Double) {
    let m = state.masses.pointer
    let v = (state.velocities.x, state.velocities.y, state.velocities.z)
    let f = (forces.forces.x, forces.forces.y, forces.forces.z)
    for i in 0..<state.count {
      let s = delta / m[i]
      v.0[i] += s * f.0[i]
      v.1[i] += s * f.1[i]
      v.2[i] += s * f.2[i]
    }
  }
}

/// r ← r + δ v.
struct Drift {
  func apply(_ state: borrowing PhaseState, over delta: Double) {
    let v = (state.velocities.x, state.velocities.y, state.velocities.z)
    let r = (
      state.configuration.positions.x, state.configuration.positions.y,
      state.configuration.positions.z
    )
    for i in 0..<state.count {
      r.0[i] += delta * v.0[i]
      r.1[i] += delta * v.1[i]
      r.2[i] += delta * v.2[i]
    }
  }
}

/// h ← D h and r ← R + D (r − R), with R the center of mass, which stays.
struct Dilation {
  func apply(_ state: inout PhaseState, by d: Matrix3) throws(Cell.Problem) {
    let rows = state.configuration.cell.rows
    state.configuration.cell = try Cell(a: d * rows.x, b: d * rows.y, c: d * rows.z)
    let center = state.centerOfMass
    let r = (
      state.configuration.positions.x, state.configuration.positions.y,
      state.configuration.positions.z
    )
    for i in 0..<state.count {
      let u = r.0[i] - center.x
      let v = r.1[i] - center.y
      let w = r.2[i] - center.z
      r.0[i] = center.x + (d.x.x * u + d.x.y * v + d.x.z * w)
      r.1[i] = center.y + (d.y.x * u + d.y.y * v + d.y.z * w)
      r.2[i] = center.z + (d.z.x * u + d.z.y * v + d.z.z * w)
    }
  }
}
