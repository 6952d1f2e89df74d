import Matter

/// Eigenvalues and unit eigenvectors of a symmetric 3×3 tensor, by Jacobi rotations.
struct SymmetricEigen {
  /// From the smallest to the largest.
  let values: SIMD3<Double>
  /// In the order of the values; signs are arbitrary.
  let vectors: [SIMD3<Double>]

  init(_ tensor: Tensor6) {
    var (xx, yy, zz) = (tensor.xx, tensor.yy, tensor.zz)
    var (yz, xz, xy) = (tensor.yz, tensor.xz, tensor.xy)
    var x = SIMD3<Double>(1, 0, 0)
    var y = SIMD3<Double>(0, 1, 0)
    var z = SIMD3<Double>(0, 0, 1)
    for _ in 0..<50 {
      let off = yz * yz + xz * xz + xy * xy
      if !(off > 1e-32 * (xx * xx + yy * yy + zz * zz)) { break }
      Self.rotate(&xx, &yy, &xy, &xz, &yz, &x, &y)
      Self.rotate(&xx, &zz, &xz, &xy, &yz, &x, &z)
      Self.rotate(&yy, &zz, &yz, &xy, &xz, &y, &z)
    }
    let pairs = [(xx, x), (yy, y), (zz, z)].sorted { $0.0 < $1.0 }
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
