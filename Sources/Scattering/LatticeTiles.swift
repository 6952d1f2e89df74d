/// The distinct products that densities at lattice points need, in an order that shares factors.
///
/// ρ(h,k,l) = Σ P e^{2πi l s_c} with P = e^{2πi(h s_a + k s_b)}. The four sums Σ Re P cos, Σ Im P sin,
/// Σ Re P sin, Σ Im P cos at |l| give both (h,k,l) and (h,k,−l), and conjugation gives −q: an entry
/// is (h,k,|l|) with h > 0, or h = 0 and k ≥ 0. Entries of one chunk are summed together while the
/// tables of one block of atoms are in the cache.
struct LatticeTiles: Sendable {
  /// One (h, k, |l|).
  struct Single: Sendable {
    let h, k, l, entry: Int
  }
  /// One (h, k) with two |l|, of consecutive entries.
  struct Pair: Sendable {
    let h, k, l0, l1, entry: Int
  }
  /// Two (h, k) with common values of |l|, an even number of them. Entries of the four combinations
  /// of two l follow each other: (0, l₀), (0, l₁), (1, l₀), (1, l₁).
  struct Strip: Sendable {
    let h0, k0, h1, k1, firstEntry: Int
    let l: [Int]
  }
  /// Where the density of a point comes from.
  struct Output: Sendable {
    let point, entry: Int
    /// Whether l is negative where h and k have the signs of the entry.
    let isBelow: Bool
    /// Whether the point is the inverse of the entry's.
    let isConjugate: Bool
  }
  /// What one task sums.
  struct Chunk: Sendable {
    var strips: [Strip] = []
    var pairs: [Pair] = []
    var singles: [Single] = []
    var outputs: [Output] = []
    var entryCount = 0
    /// The rows of the tables of h, |k| and |l| that it needs, from 2 on and ascending; with each
    /// row those of the halves of its index, of which it is made.
    var rows: [[Int]] = []

    /// Fills `rows`, and puts singles in an order in which rows of one h and one |k| stay in the
    /// first-level cache.
    fileprivate mutating func close(makesPairs: Bool) {
      var needed: [Set<Int>] = [[], [], []]
      func need(_ d: Int, _ n: Int) {
        if n > 1, needed[d].insert(n).inserted {
          need(d, n / 2)
          need(d, n - n / 2)
        }
      }
      for one in singles {
        need(0, one.h)
        need(1, abs(one.k))
        need(2, one.l)
      }
      for strip in strips {
        for h in [strip.h0, strip.h1] { need(0, h) }
        for k in [strip.k0, strip.k1] { need(1, abs(k)) }
        for l in strip.l { need(2, l) }
      }
      rows = needed.map { $0.sorted() }
      var alone: [Single] = []
      // Singles of a column follow each other, with consecutive entries.
      for one in singles {
        if makesPairs, let last = alone.last, last.h == one.h, last.k == one.k {
          alone.removeLast()
          pairs.append(Pair(h: one.h, k: one.k, l0: last.l, l1: one.l, entry: last.entry))
        } else {
          alone.append(one)
        }
      }
      singles = alone
      pairs.sort { ($0.h, abs($0.k), $0.k, $0.l0) < ($1.h, abs($1.k), $1.k, $1.l0) }
      singles.sort { ($0.h, abs($0.k), $0.k, $0.l) < ($1.h, abs($1.k), $1.k, $1.l) }
    }
  }

  let chunks: [Chunk]
  /// The largest |h|, |k| and |l|.
  let largest: SIMD3<Int>

  /// Tiles of lattice points; strips only where `allowsStrips`.
  init(points: [SIMD3<Int32>], entriesPerChunk: Int, allowsStrips: Bool) {
    struct Request {
      let h, k, l, point: Int
      let isBelow, isConjugate: Bool
    }
    var largest = SIMD3<Int>.zero
    var requests: [Request] = []
    requests.reserveCapacity(points.count)
    for (number, point) in points.enumerated() {
      var (h, k, l) = (Int(point.x), Int(point.y), Int(point.z))
      largest = [max(largest.x, abs(h)), max(largest.y, abs(k)), max(largest.z, abs(l))]
      let isConjugate = h < 0 || (h == 0 && (k < 0 || (k == 0 && l < 0)))
      if isConjugate { (h, k, l) = (-h, -k, -l) }
      requests.append(
        Request(h: h, k: k, l: abs(l), point: number, isBelow: l < 0, isConjugate: isConjugate))
    }
    requests.sort { ($0.h, $0.k, $0.l, $0.point) < ($1.h, $1.k, $1.l, $1.point) }

    // Columns of one (h, k) as ranges of requests, with their distinct l.
    struct Column {
      let range: Range<Int>
      let l: [Int]
    }
    var columns: [Column] = []
    var start = 0
    while start < requests.count {
      var end = start
      var l: [Int] = []
      while end < requests.count, requests[end].h == requests[start].h,
        requests[end].k == requests[start].k
      {
        if l.last != requests[end].l { l.append(requests[end].l) }
        end += 1
      }
      columns.append(Column(range: start..<end, l: l))
      start = end
    }

    var chunks: [Chunk] = []
    var chunk = Chunk()
    func close() {
      if chunk.entryCount > 0 {
        chunk.close(makesPairs: allowsStrips)
        chunks.append(chunk)
      }
      chunk = Chunk()
    }
    func output(_ request: Request, _ entry: Int) {
      chunk.outputs.append(
        Output(
          point: request.point, entry: entry, isBelow: request.isBelow,
          isConjugate: request.isConjugate))
    }
    var c = 0
    while c < columns.count {
      let first = columns[c]
      if allowsStrips, c + 1 < columns.count, first.l.count >= 4, columns[c + 1].l.count >= 4 {
        let second = columns[c + 1]
        var union = Set(first.l).union(second.l).sorted()
        if 2 * union.count <= (first.l.count + second.l.count) * 5 / 4 {
          if union.count % 2 == 1 {
            union.append(union.last == largest.z ? union[0] : union[union.count - 1] + 1)
          }
          if chunk.entryCount > 0, chunk.entryCount + 2 * union.count > entriesPerChunk { close() }
          let base = chunk.entryCount
          let (r0, r1) = (requests[first.range.lowerBound], requests[second.range.lowerBound])
          chunk.strips.append(
            Strip(h0: r0.h, k0: r0.k, h1: r1.h, k1: r1.k, firstEntry: base, l: union))
          var place: [Int: Int] = [:]
          for (j, l) in union.enumerated().reversed() { place[l] = base + j / 2 * 4 + j % 2 }
          for r in first.range { output(requests[r], place[requests[r].l] ?? 0) }
          for r in second.range { output(requests[r], (place[requests[r].l] ?? 0) + 2) }
          chunk.entryCount += 2 * union.count
          c += 2
          continue
        }
      }
      var lastL = -1
      for r in first.range {
        let request = requests[r]
        if request.l != lastL {
          if chunk.entryCount + 1 > entriesPerChunk { close() }
          chunk.singles.append(
            Single(h: request.h, k: request.k, l: request.l, entry: chunk.entryCount))
          chunk.entryCount += 1
          lastL = request.l
        }
        output(request, chunk.entryCount - 1)
      }
      c += 1
    }
    close()
    self.chunks = chunks
    self.largest = largest
  }
}
