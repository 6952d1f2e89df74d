// Angular functions b_lm = Z_lm(z)·(x + iy)^m of unit vectors, written out to l = 4 and by table
// above (SolidHarmonic holds the definition).
extension NEPKernel {
  /// b[lm·stride + pair].
  @inline(__always)
  func harmonics(
    _ stride: Int, _ ux: UnsafePointer<T>, _ uy: UnsafePointer<T>, _ uz: UnsafePointer<T>,
    _ b: UnsafeMutablePointer<T>
  ) {
    var p = 0
    while p < stride {
      let x = V(load: ux + p)
      let y = V(load: uy + p)
      let z = V(load: uz + p)
      var out = b + p
      func put(_ value: V) {
        value.store(out)
        out += stride
      }
      put(z)
      put(x)
      put(y)
      let x2 = V.fma(x, x, V.zero - y * y)
      let y2 = (x + x) * y
      let z2 = z * z
      if degree >= 2 {
        put(V.fma(V(3), z2, V(-1)))
        put(z * x)
        put(z * y)
        put(x2)
        put(y2)
      }
      let x3 = V.fma(x2, x, V.zero - y2 * y)
      let y3 = V.fma(x2, y, y2 * x)
      if degree >= 3 {
        put(V.fma(V(5), z2, V(-3)) * z)
        let q = V.fma(V(5), z2, V(-1))
        put(q * x)
        put(q * y)
        put(z * x2)
        put(z * y2)
        put(x3)
        put(y3)
      }
      let x4 = V.fma(x3, x, V.zero - y3 * y)
      let y4 = V.fma(x3, y, y3 * x)
      if degree >= 4 {
        put(V.fma(V.fma(V(35), z2, V(-30)), z2, V(3)))
        let q1 = V.fma(V(7), z2, V(-3)) * z
        put(q1 * x)
        put(q1 * y)
        let q2 = V.fma(V(7), z2, V(-1))
        put(q2 * x2)
        put(q2 * y2)
        put(z * x3)
        put(z * y3)
        put(x4)
        put(y4)
      }
      for harmonic in highHarmonics {
        let (re, im) = power(x, y, harmonic.m)
        put(polynomial(harmonic.coefficients, z).value * (harmonic.isImaginary ? im : re))
      }
      for _ in harmonicCount..<harmonicRows { put(V.zero) }
      p += V.width
    }
  }

  /// v = Σ_lm H_lm ∇b_lm in free x, y, z; h[lm·width + lane].
  @inline(__always)
  func harmonicGradient(
    _ x: V, _ y: V, _ z: V, _ h: UnsafePointer<T>
  ) -> (x: V, y: V, z: V) {
    @inline(__always) func H(_ lm: Int) -> V { V(load: h + lm * V.width) }
    // A_m + iC_m = Σ_l H_lm Z_lm, so that v_x = Σ m (A re_{m−1} + C im_{m−1}),
    // v_y = Σ m (C re_{m−1} − A im_{m−1}); v_z takes the derivatives of Z.
    var vz = H(0)
    var a1 = H(1)
    var c1 = H(2)
    var vx = V.zero
    var vy = V.zero
    let z2 = z * z
    if degree >= 2 {
      vz = V.fma(V(6) * z, H(3), vz)
      a1 = V.fma(z, H(4), a1)
      c1 = V.fma(z, H(5), c1)
      vz = V.fma(H(4), x, V.fma(H(5), y, vz))
      var a2 = H(6)
      var c2 = H(7)
      if degree >= 3 {
        vz = V.fma(V.fma(V(15), z2, V(-3)), H(8), vz)
        let q = V.fma(V(5), z2, V(-1))
        a1 = V.fma(q, H(9), a1)
        c1 = V.fma(q, H(10), c1)
        vz = V.fma(V(10) * z, V.fma(H(9), x, H(10) * y), vz)
        a2 = V.fma(z, H(11), a2)
        c2 = V.fma(z, H(12), c2)
        let x2 = V.fma(x, x, V.zero - y * y)
        let y2 = (x + x) * y
        vz = V.fma(H(11), x2, V.fma(H(12), y2, vz))
        var a3 = H(13)
        var c3 = H(14)
        if degree >= 4 {
          vz = V.fma(V.fma(V(140), z2, V(-60)) * z, H(15), vz)
          let q1 = V.fma(V(7), z2, V(-3)) * z
          a1 = V.fma(q1, H(16), a1)
          c1 = V.fma(q1, H(17), c1)
          vz = V.fma(V.fma(V(21), z2, V(-3)), V.fma(H(16), x, H(17) * y), vz)
          let q2 = V.fma(V(7), z2, V(-1))
          a2 = V.fma(q2, H(18), a2)
          c2 = V.fma(q2, H(19), c2)
          vz = V.fma(V(14) * z, V.fma(H(18), x2, H(19) * y2), vz)
          a3 = V.fma(z, H(20), a3)
          c3 = V.fma(z, H(21), c3)
          let x3 = V.fma(x2, x, V.zero - y2 * y)
          let y3 = V.fma(x2, y, y2 * x)
          vz = V.fma(H(20), x3, V.fma(H(21), y3, vz))
          let four = V(4)
          vx = V.fma(four * H(22), x3, V.fma(four * H(23), y3, vx))
          vy = V.fma(four * H(23), x3, vy - four * H(22) * y3)
        }
        let three = V(3)
        vx = V.fma(three * a3, x2, V.fma(three * c3, y2, vx))
        vy = V.fma(three * c3, x2, vy - three * a3 * y2)
      }
      vx = V.fma(a2 + a2, x, V.fma(c2 + c2, y, vx))
      vy = V.fma(c2 + c2, x, vy - (a2 + a2) * y)
    }
    vx = vx + a1
    vy = vy + c1
    var lm = 24
    for harmonic in highHarmonics {
      let value = H(lm)
      lm += 1
      let q = polynomial(harmonic.coefficients, z)
      let (re, im) = power(x, y, harmonic.m)
      vz = V.fma(value * q.slope, harmonic.isImaginary ? im : re, vz)
      guard harmonic.m > 0 else { continue }
      let (reBelow, imBelow) = power(x, y, harmonic.m - 1)
      let factor = value * q.value * V(T(harmonic.m))
      vx = V.fma(factor, harmonic.isImaginary ? imBelow : reBelow, vx)
      vy = V.fma(factor, harmonic.isImaginary ? reBelow : V.zero - imBelow, vy)
    }
    return (vx, vy, vz)
  }

  private func power(_ x: V, _ y: V, _ m: Int) -> (re: V, im: V) {
    var re = V(1)
    var im = V.zero
    for _ in 0..<m {
      let next = V.fma(re, x, V.zero - im * y)
      im = V.fma(re, y, im * x)
      re = next
    }
    return (re, im)
  }

  private func polynomial(_ coefficients: [Double], _ z: V) -> (value: V, slope: V) {
    var value = V.zero
    var slope = V.zero
    for c in coefficients.reversed() {
      slope = V.fma(slope, z, value)
      value = V.fma(value, z, V(T(c)))
    }
    return (value, slope)
  }
}
