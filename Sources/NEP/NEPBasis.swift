/// The cutoff function times Chebyshev polynomials,
/// f_k = ½[T_k(ξ) + 1] f_c with ξ = 2(r/r_c − 1)² − 1 and f_c = ½[1 + cos(πr/r_c)].
/// In double for both precisions: rounding r or f_k to single moves the energy of a close pair by
/// more than all the rest.
enum NEPBasis {
  private typealias V = DoubleLanes

  /// f_k and df_k/dr for k < count: f[k·stride + pair].
  @inline(never)
  static func evaluate<L: SpeciesTable>(
    _: L.Type, _ count: Int, _ stride: Int, _ r: UnsafePointer<Double>,
    _ species: UnsafePointer<Int32>, _ cutoff: UnsafePointer<Double>, _ inverse: UnsafePointer<Double>,
    _ f: UnsafeMutablePointer<Double>, _ slope: UnsafeMutablePointer<Double>
  ) {
    let one = V(1)
    let half = V(0.5)
    let two = V(2)
    for p in Swift.stride(from: 0, to: stride, by: V.width) {
      let distance = V(load: r + p)
      let rc = L.look(V.self, species + p, cutoff)
      let scale = L.look(V.self, species + p, inverse)
      // cos(πx) = −sin(π(x − ½)), sin(πx) = cos(π(x − ½)).
      let x = (distance * scale).lower(one)
      let (s, c) = V.sineCosine(x - half)
      let fc = (half - half * s).zeroUnless(distance, lessThan: rc)
      let fcSlope = (V(-0.5 * Double.pi) * scale * c).zeroUnless(distance, lessThan: rc)
      let e = x - one
      let xi = V.fma(two * e, e, V(-1))
      // ½ dξ/dr f_c
      let chain = two * e * scale * fc
      var value = f + p
      var derivative = slope + p
      fc.store(value)
      fcSlope.store(derivative)
      let halfFc = half * fc
      let halfSlope = half * fcSlope
      let twoXi = xi + xi
      // T_k, and U_{k−1} times the chain factor.
      var t0 = one
      var t1 = xi
      var u0 = V.zero
      var u1 = chain
      var k = one
      for _ in 1..<max(1, count) {
        value += stride
        derivative += stride
        V.fma(t1, halfFc, halfFc).store(value)
        V.fma(u1, k, V.fma(t1, halfSlope, halfSlope)).store(derivative)
        let t2 = V.fma(twoXi, t1, V.zero - t0)
        t0 = t1
        t1 = t2
        let u2 = V.fma(twoXi, u1, V.zero - u0)
        u0 = u1
        u1 = u2
        k = k + one
      }
    }
  }
}
