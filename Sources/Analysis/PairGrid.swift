import CHost
import Matter

/// Atoms of a frame sorted for the search of pairs within a cutoff, in periodic cells of any shape
/// and thickness.
///
/// The thickest direction of the cell, called Z, is cut finely, the two others into columns about
/// half a cutoff wide; within a column atoms are sorted along Z, so that what an atom meets in a
/// column is one contiguous range for each image along Z, bounded by the distance to the column.
/// Every pair of an atom with an image of another, or of itself, is met once: from the atom whose
/// partner lies in a column ahead, or in the same column further along.
struct PairGrid: ~Copyable {
  /// The number of atoms.
  let count: Int
  /// Which atom stands at each place.
  let order: AlignedBuffer<Int32>
  /// Wrapped positions by place, in Å.
  let x, y, z: AlignedBuffer<Double>
  /// By place: coordinates s_a w_a and s_b w_b across the columns, and along Z.
  private let across, along, up: AlignedBuffer<Double>
  private let columnOfPlace: AlignedBuffer<Int32>
  private let binOfAtom: AlignedBuffer<Int32>
  private let wrapped: Vectors
  private let slots: Vectors
  private var starts: [Int32] = []

  private var reach = 0.0
  private var columns = (a: 1, b: 1)
  private var columnWidth = (a: 0.0, b: 0.0)
  private var range = (a: 0, b: 0)
  private var vectors = (a: SIMD3<Double>.zero, b: SIMD3<Double>.zero, c: SIMD3<Double>.zero)
  private var height = 0.0
  private var inverseHeight = 0.0
  /// Components of a and b along Z.
  private var rise = (a: 0.0, b: 0.0)
  private var isRectangular = true
  private var low = 0.0
  private var high = 0.0
  private var slices = 1
  private var slicesPerLength = 0.0

  /// Room for `count` atoms.
  init(count: Int) {
    self.count = count
    order = AlignedBuffer(count: count)
    x = AlignedBuffer(count: count)
    y = AlignedBuffer(count: count)
    z = AlignedBuffer(count: count)
    across = AlignedBuffer(count: count)
    along = AlignedBuffer(count: count)
    up = AlignedBuffer(count: count)
    columnOfPlace = AlignedBuffer(count: count)
    binOfAtom = AlignedBuffer(count: count)
    wrapped = Vectors(count: count)
    slots = Vectors(count: count)
  }

  /// Sorts the atoms of a frame; positions are finite and need not be wrapped.
  mutating func sort(_ cell: Cell, _ positions: borrowing Vectors, cutoff: Double) {
    precondition(positions.count == count && cutoff > 0)
    // What rounding could lose at the cutoff is met, and left out by its distance.
    reach = cutoff * (1 + 1e-9) + 1e-9
    let thickness = cell.thickness
    let third =
      thickness.z >= max(thickness.x, thickness.y) ? 2 : thickness.y >= thickness.x ? 1 : 0
    let first = third == 0 ? 1 : 0
    let second = 3 - third - first
    let rows = [cell.a, cell.b, cell.c]
    vectors = (rows[first], rows[second], rows[third])
    height = dot(vectors.c, vectors.c).squareRoot()
    inverseHeight = 1 / height
    let axis = vectors.c / height
    rise = (dot(vectors.a, axis), dot(vectors.b, axis))
    let lateralA = vectors.a - axis * rise.a
    let lateralB = vectors.b - axis * rise.b
    isRectangular =
      abs(dot(lateralA, lateralB))
      <= 1e-12 * (dot(lateralA, lateralA) * dot(lateralB, lateralB)).squareRoot()
    let widthA = thickness[first]
    let widthB = thickness[second]
    // About half a cutoff, but not below some eight atoms within the cutoff along a column, and no
    // more columns than a quarter of the atoms.
    var target = max(cutoff / 2, (4 * cell.volume / (Double(max(1, count)) * cutoff)).squareRoot())
    while true {
      columns = (
        max(1, Int(min(1e6, widthA / target))), max(1, Int(min(1e6, widthB / target)))
      )
      if columns.a * columns.b <= max(1, count / 4) { break }
      target *= 1.2
    }
    columnWidth = (widthA / Double(columns.a), widthB / Double(columns.b))
    range = (Int(reach / columnWidth.a) + 1, Int(reach / columnWidth.b) + 1)

    // Written out, because calls of another module are not inlined.
    let columnsOfInverse = cell.fractionalMatrix.transpose
    let (rx, ry, rz) = (positions.x, positions.y, positions.z)
    let (wx, wy, wz) = (wrapped.x, wrapped.y, wrapped.z)
    let (sx, sy, sz) = (slots.x, slots.y, slots.z)
    var low = Double.infinity
    var high = -low
    for i in 0..<count {
      let r = SIMD3(rx[i], ry[i], rz[i])
      let s =
        columnsOfInverse.x * r.x + columnsOfInverse.y * r.y + columnsOfInverse.z * r.z
      let whole = s.rounded(.down)
      let p = r - (cell.a * whole.x + cell.b * whole.y + cell.c * whole.z)
      wx[i] = p.x
      wy[i] = p.y
      wz[i] = p.z
      let rest = s - whole
      sx[i] = rest[first] * widthA
      sy[i] = rest[second] * widthB
      let up = (p * axis).sum()
      sz[i] = up
      low = min(low, up)
      high = max(high, up)
    }
    (self.low, self.high) = (low, high)
    guard count > 0 else { return }
    let columnCount = columns.a * columns.b
    slices = max(
      1, min(Int(min(1e6, (high - low) / cutoff * 8)), 4 * count / columnCount))
    slicesPerLength = high > low ? Double(slices) / (high - low) : 0

    let binCount = columnCount * slices
    var starts = self.starts
    self.starts = []
    starts.removeAll(keepingCapacity: true)
    starts.append(contentsOf: repeatElement(0, count: binCount + 1))
    starts.withUnsafeMutableBufferPointer { starts in
      for i in 0..<count {
        let a = min(columns.a - 1, Int(sx[i] / columnWidth.a))
        let b = min(columns.b - 1, Int(sy[i] / columnWidth.b))
        let bin = (a * columns.b + b) * slices + slice(sz[i])
        binOfAtom.pointer[i] = Int32(bin)
        starts[bin + 1] += 1
      }
      for bin in 0..<binCount { starts[bin + 1] += starts[bin] }
      // Filled from the end, so that `starts` ends as it is now.
      for i in stride(from: count - 1, through: 0, by: -1) {
        let bin = Int(binOfAtom.pointer[i])
        starts[bin + 1] -= 1
        let place = Int(starts[bin + 1])
        order.pointer[place] = Int32(i)
        x.pointer[place] = wx[i]
        y.pointer[place] = wy[i]
        z.pointer[place] = wz[i]
        across.pointer[place] = sx[i]
        along.pointer[place] = sy[i]
        up.pointer[place] = sz[i]
        columnOfPlace.pointer[place] = Int32(bin / slices)
      }
      // Each entry now holds the start of the bin before it.
      for bin in 0..<binCount { starts[bin] = starts[bin + 1] }
      starts[binCount] = Int32(count)
    }
    self.starts = starts
  }

  @inline(__always)
  private func slice(_ height: Double) -> Int {
    min(slices - 1, max(0, Int((height - low) * slicesPerLength)))
  }

  /// Calls `body(places, shift)` for contiguous places whose atoms, moved by the lattice vector
  /// `shift`, may lie within the cutoff of the atom at a place; together over all places every pair
  /// within the cutoff is met exactly once.
  @inline(__always)
  func forEachRange(around place: Int, _ body: (Range<Int>, SIMD3<Double>) -> Void) {
    let column = Int(columnOfPlace.pointer[place])
    let homeA = column / columns.b
    let homeB = column % columns.b
    let positionA = across.pointer[place]
    let positionB = along.pointer[place]
    let z = up.pointer[place]
    starts.withUnsafeBufferPointer { starts in
      for stepA in 0...range.a {
        let gapA =
          stepA == 0 ? 0 : max(0, Double(homeA + stepA) * columnWidth.a - positionA)
        if gapA >= reach { break }
        let (a, imageA) = Self.split(homeA + stepA, columns.a)
        for stepB in (stepA == 0 ? 0 : -range.b)...range.b {
          let edge = Double(homeB + stepB) * columnWidth.b
          let gapB =
            stepB == 0
            ? 0 : max(0, stepB > 0 ? edge - positionB : positionB - edge - columnWidth.b)
          let gap = isRectangular ? gapA * gapA + gapB * gapB : max(gapA * gapA, gapB * gapB)
          let span2 = reach * reach - gap
          if span2 <= 0 { continue }
          let span = span2.squareRoot()
          let (b, imageB) = Self.split(homeB + stepB, columns.b)
          let origin = z - (rise.a * Double(imageA) + rise.b * Double(imageB))
          let base = (a * columns.b + b) * slices
          let isOwn = stepA == 0 && stepB == 0
          var image = ((origin - span - high) * inverseHeight - 1e-9).rounded(.up)
          if isOwn, image < 0 { image = 0 }
          let last = ((origin + span - low) * inverseHeight + 1e-9).rounded(.down)
          while image <= last {
            let middle = origin - image * height
            let from = starts[base + slice(middle - span)]
            let to = starts[base + slice(middle + span) + 1]
            let begin = isOwn && image == 0 ? max(Int(from), place + 1) : Int(from)
            if begin < Int(to) {
              let shift =
                vectors.a * Double(imageA) + vectors.b * Double(imageB) + vectors.c * image
              body(begin..<Int(to), shift)
            }
            image += 1
          }
        }
      }
    }
  }

  /// The column inside the cell and how many cells away it lies.
  @inline(__always)
  private static func split(_ column: Int, _ count: Int) -> (Int, Int) {
    if column >= 0, column < count { return (column, 0) }
    let image = column >= 0 ? column / count : -((count - 1 - column) / count)
    return (column - image * count, image)
  }
}

/// Squares of distances with a number of each partner, collected until they are used.
struct PairBuffer: ~Copyable {
  private(set) var count = 0
  let capacity: Int
  let squares: AlignedBuffer<Double>
  let codes: AlignedBuffer<Int32>

  /// Room for at least `capacity` pairs.
  init(capacity: Int) {
    self.capacity = capacity
    squares = AlignedBuffer(count: capacity + 16)
    codes = AlignedBuffer(count: capacity + 16)
  }

  /// Forgets all pairs.
  mutating func empty() { count = 0 }

  /// Appends the atoms at `places` that lie, moved by `shift`, nearer than the cutoff to the atom at
  /// `place`, each with the code of its place. There must be room for all of them.
  @inline(__always)
  mutating func append(
    _ places: Range<Int>, shift: SIMD3<Double>, around place: Int, of grid: borrowing PairGrid,
    cutoffSquared: Double, codes code: UnsafePointer<Int32>
  ) {
    let px = f64x8(repeating: grid.x.pointer[place] - shift.x)
    let py = f64x8(repeating: grid.y.pointer[place] - shift.y)
    let pz = f64x8(repeating: grid.z.pointer[place] - shift.z)
    let limit = f64x8(repeating: cutoffSquared)
    var n = count
    var j = places.lowerBound
    let end = places.upperBound
    while j < end {
      let dx = f64x8_load(grid.x.pointer + j) - px
      let dy = f64x8_load(grid.y.pointer + j) - py
      let dz = f64x8_load(grid.z.pointer + j) - pz
      let square = f64x8_fma(dx, dx, f64x8_fma(dy, dy, dz * dz))
      var mask = f64x8_less_mask(square, limit)
      if end - j < 8 { mask &= (1 << UInt32(end - j)) - 1 }
      f64x8_compress(squares.pointer + n, square, mask)
      i32x8_compress(codes.pointer + n, i32x8_load(code + j), mask)
      n += mask.nonzeroBitCount
      j += 8
    }
    assert(n <= capacity)
    count = n
  }
}
