import CHost

/// Sums over the frames of each block of Re ρ_A ρ_B*, both orders for A ≠ B.
struct StaticSums: Sendable {
  let origins: OriginBlocks
  let pairs: [(first: Int, second: Int)]

  /// The number of sums of a point.
  var count: Int { pairs.count * origins.blocks.count }
  /// The number of values of a point: mean and error of each pair and of their total.
  var resultCount: Int { 2 * (pairs.count + 1) }

  /// Sums of one point, pair by pair, block by block.
  func sums(_ series: UnsafePointer<Double>, into target: UnsafeMutablePointer<Double>) {
    let n = origins.frameCount
    for (index, pair) in pairs.enumerated() {
      let (x, y) = (series + 2 * pair.first * n, series + 2 * pair.second * n)
      let factor = pair.first == pair.second ? 1.0 : 2.0
      for (b, block) in origins.blocks.enumerated() {
        var lanes = SIMD8<Double>.zero
        var t = 2 * block.lowerBound
        while t + 8 <= 2 * block.upperBound {
          lanes = f64x8_fma(f64x8_load(x + t), f64x8_load(y + t), lanes)
          t += 8
        }
        var sum = f64x8_sum(lanes)
        while t < 2 * block.upperBound {
          sum += x[t] * y[t]
          t += 1
        }
        target[index * origins.blocks.count + b] = factor * sum
      }
    }
  }

  /// Means per atom and frame with their errors (NaN for one block): pairs, then the total.
  func finish(
    _ sums: UnsafePointer<Double>, atomCount: Int, into row: UnsafeMutablePointer<Double>
  ) {
    let k = origins.blocks.count
    let n = Double(origins.frameCount)
    let scale = 1 / (n * Double(atomCount))
    for index in 0...pairs.count {
      let blocks = (0..<k).map { b in
        index < pairs.count
          ? sums[index * k + b] : pairs.indices.reduce(0) { $0 + sums[$1 * k + b] }
      }
      let mean = blocks.reduce(0, +) * scale
      var square = 0.0
      for b in 0..<k {
        let d = blocks[b] * scale - mean * Double(origins.blocks[b].count) / n
        square += d * d
      }
      row[2 * index] = mean
      row[2 * index + 1] = k > 1 ? (square * Double(k) / Double(k - 1)).squareRoot() : .nan
    }
  }

  /// The functions of rows of `resultCount` values.
  func functions(_ grid: Grid, points: Int, names: [[String]], hasErrors: Bool)
    -> [StaticFunction]
  {
    names.enumerated().map { index, species in
      StaticFunction(
        species: species, values: (0..<points).map { grid.row($0)[2 * index] },
        errors: hasErrors ? (0..<points).map { grid.row($0)[2 * index + 1] } : [])
    }
  }
}
