import Matter

/// Frames and volumes of each slot (a stretch of a window), which turn counts into distributions.
struct PairVolumes: Sendable {
  /// The number of frames of each slot, and the sum of 1/V over them, in Å⁻³.
  private(set) var frames: [Int]
  private(set) var inverse: [Double]
  /// The part of `inverse` from frames in which atoms have an image of themselves within the bin or
  /// nearer: [slot][bin].
  private(set) var inverseBeyond: [[Double]]

  init(slots: Int, bins: Int) {
    frames = Array(repeating: 0, count: slots)
    inverse = Array(repeating: 0, count: slots)
    inverseBeyond = Array(repeating: Array(repeating: 0, count: bins), count: slots)
  }

  /// Adds a frame to its slots.
  mutating func add(_ cell: Cell, cutoff: Double, to slots: [Int]) {
    let bins = inverseBeyond.first?.count ?? 0
    let share = 1 / cell.volume
    let beyond = Self.binOfNearestImage(cell, bins: bins, cutoff: cutoff)
    for slot in slots {
      frames[slot] += 1
      inverse[slot] += share
      for bin in beyond..<bins { inverseBeyond[slot][bin] += share }
    }
  }

  /// The bin that holds the shortest lattice vector, or `bins` where that is not below the cutoff.
  private static func binOfNearestImage(_ cell: Cell, bins: Int, cutoff: Double) -> Int {
    let thickness = cell.thickness
    guard cutoff > thickness.min() else { return bins }
    var shortest = Double.infinity
    let range = (0..<3).map { Int((cutoff / thickness[$0]).rounded(.up)) }
    for i in 0...range[0] {
      for j in -range[1]...range[1] {
        for k in -range[2]...range[2] where (i, j, k) != (0, 0, 0) {
          let v = cell.cartesian([Double(i), Double(j), Double(k)])
          shortest = min(shortest, dot(v, v).squareRoot())
        }
      }
    }
    return min(bins, Int(min(shortest / cutoff, 2) * Double(bins)))
  }
}
