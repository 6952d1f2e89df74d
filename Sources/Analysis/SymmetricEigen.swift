import Matter

/// Eigenvalues and unit eigenvectors of a symmetric 3×3 tensor, by Jacobi rotations.
struct SymmetricEigen {
  /// From the smallest to the largest.
  let values: SIMD3<Double>
  /// In the order of the values; signs are arbitrary.
  let vectors: [SIMD3<Double>]

  init(_ tensor: Tensor6) {
    var m = tensor.matrix
    var v = Matrix3.identity
    for _ in 0..<50 {
      let off = m[0, 1] * m[0, 1] + m[0, 2] * m[0, 2] + m[1, 2] * m[1, 2]
      let scale = m[0, 0] * m[0, 0] + m[1, 1] * m[1, 1] + m[2, 2] * m[2, 2]
      if !(off > 1e-32 * scale) { break }
      for (p, q) in [(0, 1), (0, 2), (1, 2)] where m[p, q] != 0 {
        let theta = (m[q, q] - m[p, p]) / (2 * m[p, q])
        let t = (theta < 0 ? -1 : 1) / (abs(theta) + (theta * theta + 1).squareRoot())
        let c = 1 / (t * t + 1).squareRoot()
        var rotation = Matrix3.identity
        rotation[p, p] = c
        rotation[q, q] = c
        rotation[p, q] = t * c
        rotation[q, p] = -t * c
        m = rotation.transpose * m * rotation
        v = v * rotation
      }
    }
    let order = [0, 1, 2].sorted { m[$0, $0] < m[$1, $1] }
    values = SIMD3(m[order[0], order[0]], m[order[1], order[1]], m[order[2], order[2]])
    vectors = order.map { SIMD3(v[0, $0], v[1, $0], v[2, $0]) }
  }
}
