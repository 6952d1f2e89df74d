import CHost
import Matter

/// The distances at which two atoms are bonded.
struct BondRule: Sendable {
  private let kinds: [Int]
  private let kindCount: Int
  private let sums, allowances: [Double]

  init(_ elements: [Element], factor: Double) {
    let distinct = Set(elements).sorted()
    kindCount = distinct.count
    kinds = elements.map { element in distinct.firstIndex(of: element) ?? 0 }
    var sums: [Double] = []
    for a in distinct { for b in distinct { sums.append(a.covalentRadius + b.covalentRadius) } }
    self.sums = sums
    allowances = sums.map { (factor - 1) * min($0, 1.6) }
  }

  /// Whether a squared distance is below the sum of radii and a share of the allowance.
  func isBonded(_ i: Int, _ j: Int, _ square: Double, share: Double) -> Bool {
    let k = kinds[i] * kindCount + kinds[j]
    let limit = sums[k] + share * allowances[k]
    return square < limit * limit
  }

  /// The longest bond with a share of the allowance, in Å.
  func longest(share: Double) -> Double {
    sums.indices.map { sums[$0] + share * allowances[$0] }.max() ?? 1
  }
}

/// Finds the pairs of a frame that are near enough for a bond.
struct BondSearch: ~Copyable {
  private let rule: BondRule
  private var grid: PairGrid
  private var buffer: PairBuffer
  private let places: AlignedBuffer<Int32>

  init(_ rule: BondRule, atomCount: Int) {
    self.rule = rule
    grid = PairGrid(count: atomCount)
    buffer = PairBuffer(capacity: atomCount)
    places = AlignedBuffer(count: atomCount)
    for k in 0..<atomCount { places.pointer[k] = Int32(k) }
  }

  /// Calls `body(i, j, vector from i to j)` once for every pair with a share of the allowance.
  mutating func forEachPair(
    _ cell: Cell?, _ positions: borrowing Vectors, share: Double,
    _ body: (Int, Int, SIMD3<Double>) -> Void
  ) {
    guard grid.count > 0 else { return }
    let cutoff = rule.longest(share: share)
    grid.sort(cell ?? Self.box(around: positions, margin: cutoff), positions, cutoff: cutoff)
    let square = cutoff * cutoff
    for place in 0..<grid.count {
      let i = Int(grid.order.pointer[place])
      grid.forEachRange(around: place) { range, shift in
        buffer.empty()
        buffer.append(
          range, shift: shift, around: place, of: grid, cutoffSquared: square,
          codes: places.pointer)
        for k in 0..<buffer.count {
          let other = Int(buffer.codes.pointer[k])
          let j = Int(grid.order.pointer[other])
          if rule.isBonded(i, j, buffer.squares.pointer[k], share: share) {
            let vector =
              SIMD3(
                grid.x.pointer[other] - grid.x.pointer[place],
                grid.y.pointer[other] - grid.y.pointer[place],
                grid.z.pointer[other] - grid.z.pointer[place]) + shift
            body(i, j, vector)
          }
        }
      }
    }
  }

  /// A cell so large that images of the atoms are farther away than `margin`.
  static func box(around positions: borrowing Vectors, margin: Double) -> Cell {
    var low = SIMD3<Double>(repeating: .infinity)
    var high = -low
    for i in 0..<positions.count {
      let r = positions[i]
      low = low.replacing(with: r, where: r .< low)
      high = high.replacing(with: r, where: r .> high)
    }
    let edges = positions.count == 0 ? SIMD3(repeating: 1) : high - low
    guard let cell = try? Cell(orthogonal: edges + 2 * margin) else {
      preconditionFailure("positions are finite")
    }
    return cell
  }
}
