import Matter

// Sums over atoms in an order fixed by their number: eight lanes within blocks of 1024 atoms,
// blocks in order. The padding of velocities and masses is zero, so the last lanes add nothing.
extension PhaseState {
  /// Total mass, in amu.
  package var totalMass: Double {
    let m = masses.pointer
    return Self.vectorSum(count) { i in (Self.lanes(m, i), .zero, .zero) }.x
  }

  /// Total momentum Σ m v, in internal units.
  package var momentum: SIMD3<Double> {
    let m = masses.pointer
    let x = velocities.x
    let y = velocities.y
    let z = velocities.z
    return Self.vectorSum(count) { i in
      let mass = Self.lanes(m, i)
      return (mass * Self.lanes(x, i), mass * Self.lanes(y, i), mass * Self.lanes(z, i))
    }
  }

  /// The center of mass, in Å.
  package var centerOfMass: SIMD3<Double> {
    let m = masses.pointer
    let x = configuration.positions.x
    let y = configuration.positions.y
    let z = configuration.positions.z
    return Self.vectorSum(count) { i in
      let mass = Self.lanes(m, i)
      return (mass * Self.lanes(x, i), mass * Self.lanes(y, i), mass * Self.lanes(z, i))
    } / totalMass
  }

  /// Σ m v vᵀ with the motion of the center of mass removed, in eV; twice the kinetic energy by
  /// direction.
  public var kineticTensor: Tensor6 {
    let m = masses.pointer
    let x = velocities.x
    let y = velocities.y
    let z = velocities.z
    let n = count
    var xx = 0.0
    var yy = 0.0
    var zz = 0.0
    var yz = 0.0
    var xz = 0.0
    var xy = 0.0
    var start = 0
    while start < n {
      let end = min(n, start + 1024)
      var a = SIMD8<Double>.zero
      var b = a
      var c = a
      var d = a
      var e = a
      var f = a
      var i = start
      while i < end {
        let mass = Self.lanes(m, i)
        let u = Self.lanes(x, i)
        let v = Self.lanes(y, i)
        let w = Self.lanes(z, i)
        a += mass * u * u
        b += mass * v * v
        c += mass * w * w
        d += mass * v * w
        e += mass * u * w
        f += mass * u * v
        i += 8
      }
      xx += Self.total(a)
      yy += Self.total(b)
      zz += Self.total(c)
      yz += Self.total(d)
      xz += Self.total(e)
      xy += Self.total(f)
      start = end
    }
    let p = momentum
    let total = totalMass
    guard total > 0 else { return .zero }
    return Tensor6(
      xx: xx - p.x * p.x / total, yy: yy - p.y * p.y / total, zz: zz - p.z * p.z / total,
      yz: yz - p.y * p.z / total, xz: xz - p.x * p.z / total, xy: xy - p.x * p.y / total)
  }

  /// Kinetic energy with the center of mass at rest, in eV.
  public var kineticEnergy: Double { kineticTensor.trace / 2 }

  /// Temperature 2K / (N_f k_B), in K; 0 without degrees of freedom.
  public var temperature: Double {
    let nf = degreesOfFreedom(atomCount: count)
    return nf == 0 ? 0 : kineticTensor.trace / (Double(nf) * Units.boltzmann)
  }

  /// Brings the center of mass to rest.
  public func stopCenterOfMass() {
    guard count > 0 else { return }
    let drift = momentum / totalMass
    let x = velocities.x
    let y = velocities.y
    let z = velocities.z
    for i in 0..<count {
      x[i] -= drift.x
      y[i] -= drift.y
      z[i] -= drift.z
    }
  }

  /// Multiplies all velocities.
  package func scaleVelocities(by factor: Double) {
    let x = velocities.x
    let y = velocities.y
    let z = velocities.z
    for i in 0..<count {
      x[i] *= factor
      y[i] *= factor
      z[i] *= factor
    }
  }

  /// Applies a matrix to all velocities.
  package func transformVelocities(by e: Matrix3) {
    let x = velocities.x
    let y = velocities.y
    let z = velocities.z
    for i in 0..<count {
      let (u, v, w) = (x[i], y[i], z[i])
      x[i] = e.x.x * u + e.x.y * v + e.x.z * w
      y[i] = e.y.x * u + e.y.y * v + e.y.z * w
      z[i] = e.z.x * u + e.z.y * v + e.z.z * w
    }
  }

  @inline(__always)
  private static func lanes(_ p: UnsafeMutablePointer<Double>, _ i: Int) -> SIMD8<Double> {
    UnsafeRawPointer(p + i).loadUnaligned(as: SIMD8<Double>.self)
  }

  @inline(__always)
  private static func total(_ v: SIMD8<Double>) -> Double {
    let half = v.lowHalf + v.highHalf
    let quarter = half.lowHalf + half.highHalf
    return quarter.x + quarter.y
  }

  @inline(__always)
  private static func vectorSum(
    _ n: Int, _ term: (Int) -> (SIMD8<Double>, SIMD8<Double>, SIMD8<Double>)
  ) -> SIMD3<Double> {
    var sum = SIMD3<Double>.zero
    var start = 0
    while start < n {
      let end = min(n, start + 1024)
      var a = SIMD8<Double>.zero
      var b = a
      var c = a
      var i = start
      while i < end {
        let t = term(i)
        a += t.0
        b += t.1
        c += t.2
        i += 8
      }
      sum += [total(a), total(b), total(c)]
      start = end
    }
    return sum
  }
}
