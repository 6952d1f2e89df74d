import Matter

/// Eigenvalues and unit eigenvectors of a symmetric 3×3 tensor, by Jacobi rotations.
struct SymmetricEigen {
  /// From the smallest to the largest.
  let values: SIMD3<Double>
  /// In the order of the values; signs are arbitrary.
  let vectors: [SIMD3<Double>]

  init(_ tensor: Tensor6) {
    var d = SIMD3(tensor.xx, tensor.yy, tensor.zz)
    // Entries opposite to the diagonal: yz, xz, xy.
    var o = SIMD3(tensor.yz, tensor.xz, tensor.xy)
    var v = (SIMD3<Double>(1, 0, 0), SIMD3<Double>(0, 1, 0), SIMD3<Double>(0, 0, 1))
    for _ in 0..<50 {
      if !((o * o).sum() > 1e-32 * (d * d).sum()) { break }
      Self.rotate(&d.x, &d.y, &o.z, &o.y, &o.x, &v.0, &v.1)
      Self.rotate(&d.x, &d.z, &o.y, &o.z, &o.x, &v.0, &v.2)
      Self.rotate(&d.y, &d.z, &o.x, &o.z, &o.y, &v.1, &v.2)
    }
    let pairs = [(d.x, v.0), (d.y, v.1), (d.z, v.2)].sorted { $0.0 < $1.0 }
    values = SIMD3(pairs[0].0, pairs[1].0, pairs[2].0)
    vectors = pairs.map(\.1)
  }

  /// The rotation of axes p and q that makes their entry pq zero; rp and rq are those with the third.
  @inline(__always)
  private static func rotate(
    _ pp: inout Double, _ qq: inout Double, _ pq: inout Double, _ rp: inout Double,
    _ rq: inout Double, _ p: inout SIMD3<Double>, _ q: inout SIMD3<Double>
  ) {
    if pq == 0 { return }
    let theta = (qq - pp) / (2 * pq)
    let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
    let c = 1 / (t * t + 1).squareRoot()
    let s = t * c
    pp -= t * pq
    qq += t * pq
    pq = 0
    (rp, rq) = (c * rp - s * rq, s * rp + c * rq)
    (p, q) = (p * c - q * s, p * s + q * c)
  }
}
