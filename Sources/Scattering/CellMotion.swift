import Matter

/// The mean cell of a trajectory and how much lengths of lattice vectors q vary with the cell.
struct CellMotion: Sendable {
  private var count = 0.0
  private var sum = Matrix3.zero
  private var first: [Double] = []
  private var metricSum = [Double](repeating: 0, count: 6)
  private var products = [Double](repeating: 0, count: 36)

  /// Adds the cell of a frame.
  mutating func add(_ cell: Cell) {
    count += 1
    sum = sum + cell.rows
    let b = cell.reciprocal
    let metric = [
      dot(b.x, b.x), dot(b.y, b.y), dot(b.z, b.z), dot(b.y, b.z), dot(b.x, b.z), dot(b.x, b.y),
    ]
    if first.isEmpty { first = metric }
    // Relative to the first frame, so that a constant cell gives exactly 0.
    let g = (0..<6).map { metric[$0] - first[$0] }
    for i in 0..<6 {
      metricSum[i] += g[i]
      for j in 0..<6 { products[6 * i + j] += g[i] * g[j] }
    }
  }

  /// The mean cell vectors.
  func mean() throws(InputError) -> Cell {
    do {
      return try Cell(rows: sum * (1 / max(count, 1)))
    } catch {
      throw InputError("the mean of the cells has no volume")
    }
  }

  /// The standard deviation of |q| of points, in rad/Å, to first order in the strain.
  func spread(of points: WaveVectors, norms: [Double]) -> [Double] {
    guard case .lattice(let list) = points, count > 0 else {
      return [Double](repeating: 0, count: points.count)
    }
    return zip(list, norms).map { point, norm in
      let (h, k, l) = (Double(point.x), Double(point.y), Double(point.z))
      let c = [h * h, k * k, l * l, 2 * k * l, 2 * h * l, 2 * h * k]
      var variance = 0.0
      for i in 0..<6 {
        for j in 0..<6 {
          let covariance =
            products[6 * i + j] / count - metricSum[i] / count * (metricSum[j] / count)
          variance += c[i] * c[j] * covariance
        }
      }
      return norm > 0 ? max(0, variance).squareRoot() / (2 * norm) : 0
    }
  }
}
