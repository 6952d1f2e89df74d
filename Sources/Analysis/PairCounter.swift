import CHost
import Matter

/// Counts of pairs by classes and distance, for each slot (a stretch of a window).
struct PairTotals: Sendable {
  /// Unordered pairs: [slot][pair of classes][bin], all and inside molecules.
  var all, inside: [[Int64]]

  init(slots: Int, pairs: Int, bins: Int) {
    all = Array(repeating: Array(repeating: 0, count: pairs * bins), count: slots)
    inside = all
  }
}

/// Counts the pairs of one frame after the other, for one thread.
final class PairCounter {
  /// What has been counted, by slot.
  private(set) var totals: PairTotals
  /// The pairs of each frame by pair of classes and shell of distance, which tell how long
  /// distances stay correlated.
  private(set) var shells: [(frame: Int, counts: [Double])] = []
  /// Shells from 0 to the cutoff.
  static let shellCount = 16
  private let classes: PairClasses
  private let bins: Int
  private let cutoff: Double
  private var grid: PairGrid
  private var buffer: PairBuffer
  private let active: Vectors
  /// For each class the place of the pair's histogram with the class of each place.
  private let codes: AlignedBuffer<Int32>
  private let codeStride: Int
  /// Counts of one frame; each histogram has one bin more for distances that round to the cutoff.
  private let histogram: AlignedBuffer<UInt32>
  private let insideHistogram: AlignedBuffer<UInt32>
  private let whole: Vectors

  init(_ classes: PairClasses, bins: Int, cutoff: Double, slots: Int) {
    self.classes = classes
    self.bins = bins
    self.cutoff = cutoff
    let n = classes.atoms.count
    totals = PairTotals(slots: slots, pairs: classes.pairCount, bins: bins)
    grid = PairGrid(count: n)
    buffer = PairBuffer(capacity: n + 4096)
    active = Vectors(count: n)
    codeStride = (n + 15) / 8 * 8
    codes = AlignedBuffer(count: classes.members.count * codeStride)
    histogram = AlignedBuffer(count: classes.pairCount * (bins + 1))
    insideHistogram = AlignedBuffer(count: classes.pairCount * (bins + 1))
    whole = Vectors(count: classes.molecules.map(\.atoms.count).max() ?? 0)
  }

  /// Counts a frame, by number, into its slots.
  func count(_ cell: Cell, _ positions: borrowing Vectors, frame: Int, into slots: [Int]) {
    let (x, y, z) = (positions.x, positions.y, positions.z)
    let (ax, ay, az) = (active.x, active.y, active.z)
    for (k, i) in classes.atoms.enumerated() {
      ax[k] = x[i]
      ay[k] = y[i]
      az[k] = z[i]
    }
    grid.sort(cell, active, cutoff: cutoff)
    let n = classes.atoms.count
    for place in 0..<n {
      let own = classes.classOfAtom[classes.atoms[Int(grid.order.pointer[place])]]
      for c in classes.members.indices {
        codes.pointer[c * codeStride + place] = Int32(classes.pair(c, own) * (bins + 1))
      }
    }
    let square = cutoff * cutoff
    // The loop owns grid and buffer: no access to the class inside it.
    countPairs(
      grid, &buffer, cutoffSquared: square, binsPerLength: Double(bins) / cutoff,
      codes: codes.pointer, codeStride: codeStride, pairCode: bins + 1,
      histogram: histogram.pointer)
    if !classes.molecules.isEmpty { countInside(cell, positions) }
    for slot in slots {
      Self.add(histogram.pointer, to: &totals.all[slot], bins: bins)
      if classes.hasMolecules {
        Self.add(insideHistogram.pointer, to: &totals.inside[slot], bins: bins)
      }
    }
    var counts = [Double](repeating: 0, count: classes.pairCount * Self.shellCount)
    for pair in 0..<classes.pairCount {
      for bin in 0..<bins {
        counts[pair * Self.shellCount + bin * Self.shellCount / bins] +=
          Double(histogram.pointer[pair * (bins + 1) + bin])
      }
    }
    shells.append((frame, counts))
    for k in 0..<histogram.count {
      histogram.pointer[k] = 0
      insideHistogram.pointer[k] = 0
    }
  }

  @inline(never)
  private func countPairs(
    _ grid: borrowing PairGrid, _ buffer: inout PairBuffer, cutoffSquared: Double,
    binsPerLength: Double, codes: UnsafePointer<Int32>, codeStride: Int, pairCode: Int,
    histogram: UnsafeMutablePointer<UInt32>
  ) {
    for place in 0..<grid.count {
      // The code of an atom with its own class tells its class.
      let own = classes.classOfAtom[classes.atoms[Int(grid.order.pointer[place])]]
      let code = codes + own * codeStride
      grid.forEachRange(around: place) { places, shift in
        if buffer.count + places.count > buffer.capacity {
          Self.empty(&buffer, binsPerLength: binsPerLength, into: histogram)
        }
        buffer.append(
          places, shift: shift, around: place, of: grid, cutoffSquared: cutoffSquared, codes: code)
      }
    }
    Self.empty(&buffer, binsPerLength: binsPerLength, into: histogram)
  }

  /// Distances of all collected pairs, into bins.
  @inline(__always)
  private static func empty(
    _ buffer: inout PairBuffer, binsPerLength: Double, into histogram: UnsafeMutablePointer<UInt32>
  ) {
    let scale = f64x8(repeating: binsPerLength)
    let count = buffer.count
    // Past the end lie old numbers; they are computed with and left out.
    for k in stride(from: 0, to: count, by: 8) {
      let distance = f64x8_sqrt(f64x8_load(buffer.squares.pointer + k))
      let bin = i32x8_truncating(distance * scale)
      i32x8_store(buffer.codes.pointer + k, bin &+ i32x8_load(buffer.codes.pointer + k))
    }
    for k in 0..<count { histogram[Int(buffer.codes.pointer[k])] &+= 1 }
    buffer.empty()
  }

  /// Pairs inside molecules, made whole along their bonds.
  private func countInside(_ cell: Cell, _ positions: borrowing Vectors) {
    let fractional = cell.fractionalMatrix
    let scale = Double(bins) / cutoff
    let square = cutoff * cutoff
    for molecule in classes.molecules {
      molecule.makeWhole(cell, fractional, positions, into: whole)
      let (x, y, z) = (whole.x, whole.y, whole.z)
      for a in 1..<molecule.atoms.count {
        let first = classes.classOfAtom[molecule.atoms[a]]
        if first < 0 { continue }
        for b in 0..<a {
          let second = classes.classOfAtom[molecule.atoms[b]]
          if second < 0 { continue }
          let dx = x[b] - x[a]
          let dy = y[b] - y[a]
          let dz = z[b] - z[a]
          let d2 = dx * dx + dy * dy + dz * dz
          if d2 < square {
            let bin = Int(d2.squareRoot() * scale)
            insideHistogram.pointer[classes.pair(first, second) * (bins + 1) + bin] &+= 1
          }
        }
      }
    }
  }

  private static func add(
    _ histogram: UnsafePointer<UInt32>, to total: inout [Int64], bins: Int
  ) {
    total.withUnsafeMutableBufferPointer { total in
      for pair in 0..<total.count / bins {
        let row = histogram + pair * (bins + 1)
        for bin in 0..<bins { total[pair * bins + bin] += Int64(row[bin]) }
        total[pair * bins + bins - 1] += Int64(row[bins])
      }
    }
  }
}

extension PairTotals {
  /// Adds the counts of another thread.
  mutating func add(_ other: PairTotals) {
    for slot in all.indices {
      for k in all[slot].indices {
        all[slot][k] += other.all[slot][k]
        inside[slot][k] += other.inside[slot][k]
      }
    }
  }
}
