import Matter

/// Atoms sorted into bins of the cell, and the search for pairs among them.
///
/// Bins are about half the reach wide. Along a repeating direction the search runs over bins −R…R
/// around an atom's own and counts how often it left the cell, so cells thinner than the reach,
/// skewed and left-handed ones need no special case.
struct CellGrid: ~Copyable {
  private let reachSquared: Double
  private let cell: Cell
  private let bins: SIMD3<Int>
  private let range: SIMD3<Int>
  private let periodicity: Periodicity
  private let binStart: AlignedBuffer<Int32>
  /// Atoms in bin order, with their wrapped positions.
  private let order: AlignedBuffer<Int32>
  private let x: AlignedBuffer<Double>
  private let y: AlignedBuffer<Double>
  private let z: AlignedBuffer<Double>
  /// By atom: bin, place in `order`, and cell index floor(s) that wrapping removed.
  private let binOfAtom: AlignedBuffer<Int32>
  private let placeOfAtom: AlignedBuffer<Int32>
  private let wrap: [SIMD3<Int32>]

  init(_ configuration: borrowing Configuration, reach: Double) throws(NeighborError) {
    let n = configuration.count
    let cell = configuration.cell
    self.cell = cell
    periodicity = configuration.periodicity
    reachSquared = reach * reach
    let toFractional = cell.fractionalMatrix
    let width = cell.thickness
    var fractional: [SIMD3<Double>] = []
    fractional.reserveCapacity(n)
    var low = SIMD3<Double>(repeating: .infinity)
    var high = -low
    for i in 0..<n {
      let s = toFractional * configuration.positions[i]
      guard s.x.isFinite, s.y.isFinite, s.z.isFinite, abs(s).max() < 1e6 else {
        throw NeighborError(
          description: "the position of atom \(i + 1) is not finite or absurdly far away",
          atoms: [i])
      }
      low = low.replacing(with: s, where: s .< low)
      high = high.replacing(with: s, where: s .> high)
      fractional.append(s)
    }
    // Enough bins that a bin is about half the reach, but not many more bins than atoms.
    var bins = SIMD3<Int>(1, 1, 1)
    var origin = SIMD3<Double>.zero
    var span = SIMD3<Double>(1, 1, 1)
    for k in 0..<3 where !configuration.periodicity[k] && n > 0 {
      origin[k] = low[k]
      span[k] = max((high[k] - low[k]) * (1 + 1e-9), 1e-9)
    }
    let limit = max(1, Int(Double(n) / 2)) + 8
    var target = reach / 2
    while true {
      for k in 0..<3 {
        bins[k] = max(1, Int(min(Double(limit), width[k] * span[k] / target)))
      }
      if Double(bins.x) * Double(bins.y) * Double(bins.z) <= Double(limit) { break }
      target *= 1.2
    }
    var range = SIMD3<Int>(0, 0, 0)
    for k in 0..<3 {
      // The widths of bins that the reach covers.
      let covered = (reach / (width[k] * span[k] / Double(bins[k]))).rounded(.up)
      if periodicity[k] {
        guard covered < Double(121 * bins[k]) else {
          throw NeighborError(
            description:
              "the cell is only \(width[k]) Å thick along \(["a", "b", "c"][k]), far too thin for a cutoff of \(reach) Å",
            atoms: [])
        }
        range[k] = Int(covered)
      } else {
        // Flat or linear structures have bins of no width along directions that do not repeat.
        range[k] = Int(min(covered, Double(bins[k] - 1)))
      }
    }
    self.bins = bins
    self.range = range
    let binCount = bins.x * bins.y * bins.z
    let binOfAtom = AlignedBuffer<Int32>(count: n)
    let starts = AlignedBuffer<Int32>(count: binCount + 1)
    var wrap = [SIMD3<Int32>](repeating: .zero, count: n)
    for i in 0..<n {
      var s = fractional[i]
      var bin = SIMD3<Int>(0, 0, 0)
      for k in 0..<3 {
        if periodicity[k] {
          let whole = s[k].rounded(.down)
          wrap[i][k] = Int32(whole)
          s[k] -= whole
        }
        bin[k] = min(bins[k] - 1, max(0, Int((s[k] - origin[k]) / span[k] * Double(bins[k]))))
      }
      let b = (bin.x * bins.y + bin.y) * bins.z + bin.z
      binOfAtom.pointer[i] = Int32(b)
      starts.pointer[b + 1] += 1
    }
    for b in 0..<binCount { starts.pointer[b + 1] += starts.pointer[b] }
    let order = AlignedBuffer<Int32>(count: n)
    let place = AlignedBuffer<Int32>(count: n)
    let x = AlignedBuffer<Double>(count: n)
    let y = AlignedBuffer<Double>(count: n)
    let z = AlignedBuffer<Double>(count: n)
    let fill = AlignedBuffer<Int32>(count: binCount)
    for i in 0..<n {
      let b = Int(binOfAtom.pointer[i])
      let k = Int(starts.pointer[b] + fill.pointer[b])
      fill.pointer[b] += 1
      order.pointer[k] = Int32(i)
      place.pointer[i] = Int32(k)
      let w = wrap[i]
      let p =
        configuration.positions[i] - cell.cartesian([Double(w.x), Double(w.y), Double(w.z)])
      x.pointer[k] = p.x
      y.pointer[k] = p.y
      z.pointer[k] = p.z
    }
    binStart = starts
    self.order = order
    self.x = x
    self.y = y
    self.z = z
    self.binOfAtom = binOfAtom
    placeOfAtom = place
    self.wrap = wrap
  }

  /// Calls `body` with the key (j << 24 | image) of every pair of atom i.
  @inline(__always)
  func forEachPair(of i: Int, _ body: (UInt64) -> Void) {
    let b = Int(binOfAtom.pointer[i])
    let home = SIMD3(b / (bins.y * bins.z), b / bins.z % bins.y, b % bins.z)
    let me = Int(placeOfAtom.pointer[i])
    let px = x.pointer[me]
    let py = y.pointer[me]
    let pz = z.pointer[me]
    for ia in -range.x...range.x {
      guard let (ba, ma) = wrapped(home.x + ia, 0) else { continue }
      for ib in -range.y...range.y {
        guard let (bb, mb) = wrapped(home.y + ib, 1) else { continue }
        for ic in -range.z...range.z {
          guard let (bc, mc) = wrapped(home.z + ic, 2) else { continue }
          let bin = (ba * bins.y + bb) * bins.z + bc
          let shift = cell.cartesian([Double(ma), Double(mb), Double(mc)])
          let key = UInt64((ma + 128) << 16 | (mb + 128) << 8 | (mc + 128))
          for k in Int(binStart.pointer[bin])..<Int(binStart.pointer[bin + 1]) {
            // Exactly odd under exchange of the atoms, so that both rows of a pair agree.
            let dx = (x.pointer[k] - px) + shift.x
            let dy = (y.pointer[k] - py) + shift.y
            let dz = (z.pointer[k] - pz) + shift.z
            let d2 = dx * dx + dy * dy + dz * dz
            if d2 < reachSquared, k != me || (ma | mb | mc) != 0 {
              body(UInt64(order.pointer[k]) << 24 | key)
            }
          }
        }
      }
    }
  }

  /// The image S of a pair key, relative to unwrapped positions.
  func image(_ key: UInt64, from i: Int, to j: Int) -> SIMD3<Int> {
    let m = SIMD3(Int(key >> 16 & 255) - 128, Int(key >> 8 & 255) - 128, Int(key & 255) - 128)
    let d = wrap[i] &- wrap[j]
    return m &+ SIMD3(Int(d.x), Int(d.y), Int(d.z))
  }

  /// The bin inside the cell and how many cells away it is; nil outside a direction that does not
  /// repeat.
  @inline(__always)
  private func wrapped(_ bin: Int, _ k: Int) -> (Int, Int)? {
    let n = bins[k]
    if bin >= 0, bin < n { return (bin, 0) }
    guard periodicity[k] else { return nil }
    let m = bin >= 0 ? bin / n : -((n - 1 - bin) / n)
    return (bin - m * n, m)
  }
}

private func abs(_ v: SIMD3<Double>) -> SIMD3<Double> { v.replacing(with: -v, where: v .< 0) }
