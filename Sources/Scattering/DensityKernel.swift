import CHost

// Sums over one block of at most 128 atoms, eight in a vector. Rows of a table hold eight cosines and
// their sines, then those of the next eight atoms: one stream of memory for each row. Sums are
// loaded, continued and stored, so that their bits do not depend on how
// atoms are cut into blocks or points into chunks.

/// The number of atoms of a block.
let blockAtoms = 128
/// The number of doubles from one row of a table to the next: no power of two, where all rows
/// would fall on the same lines of the cache.
let rowLength = 2 * blockAtoms + 16

/// What a sum goes on from: nothing in the first block of a species.
@inline(__always)
private func begin(_ sum: UnsafePointer<Double>, _ isFirst: Bool) -> SIMD8<Double> {
  isFirst ? .zero : f64x8_load(sum)
}

/// P = a·b, or a·b* for a negative k, of one vector of atoms.
@inline(__always)
private func product(
  _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ o: Int, _ isNegative: Bool
) -> (SIMD8<Double>, SIMD8<Double>) {
  let (ca, sa) = (f64x8_load(a + o), f64x8_load(a + 8 + o))
  let (cb, sb) = (f64x8_load(b + o), f64x8_load(b + 8 + o))
  return isNegative
    ? (f64x8_fma(sa, sb, ca * cb), f64x8_fnma(ca, sb, sa * cb))
    : (f64x8_fnma(sa, sb, ca * cb), f64x8_fma(ca, sb, sa * cb))
}

/// Stores P of all atoms of a block.
@inline(__always)
private func storeProduct(
  _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ isNegative: Bool, vectors: Int,
  into p: UnsafeMutablePointer<Double>
) {
  for v in 0..<vectors {
    let (re, im) = product(a, b, 16 * v, isNegative)
    f64x8_store(p + 16 * v, re)
    f64x8_store(p + 16 * v + 8, im)
  }
}

/// As `storeProduct`, for either sign of k.
func storeProduct(
  _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, k: Int, vectors: Int,
  into p: UnsafeMutablePointer<Double>
) {
  if k < 0 {
    storeProduct(a, b, true, vectors: vectors, into: p)
  } else {
    storeProduct(a, b, false, vectors: vectors, into: p)
  }
}

@inline(__always)
private func addSingle(
  _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ isNegative: Bool,
  _ c: UnsafePointer<Double>, vectors: Int, isFirst: Bool, to sums: UnsafeMutablePointer<Double>
) {
  var s0 = begin(sums, isFirst)
  var s1 = begin(sums + 8, isFirst)
  var s2 = begin(sums + 16, isFirst)
  var s3 = begin(sums + 24, isFirst)
  for v in 0..<vectors {
    let o = 16 * v
    let (re, im) = product(a, b, o, isNegative)
    let (cl, sl) = (f64x8_load(c + o), f64x8_load(c + 8 + o))
    s0 = f64x8_fma(re, cl, s0)
    s1 = f64x8_fma(im, sl, s1)
    s2 = f64x8_fma(re, sl, s2)
    s3 = f64x8_fma(im, cl, s3)
  }
  f64x8_store(sums, s0)
  f64x8_store(sums + 8, s1)
  f64x8_store(sums + 16, s2)
  f64x8_store(sums + 24, s3)
}

/// Adds the four sums of one entry: rows a of h, b of |k| and c of |l|; 32 doubles of sums.
func addSingle(
  _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, k: Int, _ c: UnsafePointer<Double>,
  vectors: Int, isFirst: Bool, to sums: UnsafeMutablePointer<Double>
) {
  if k < 0 {
    addSingle(a, b, true, c, vectors: vectors, isFirst: isFirst, to: sums)
  } else {
    addSingle(a, b, false, c, vectors: vectors, isFirst: isFirst, to: sums)
  }
}

@inline(__always)
private func addPair(
  _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ isNegative: Bool,
  _ c: UnsafePointer<Double>, _ d: UnsafePointer<Double>, vectors: Int, isFirst: Bool,
  to sums: UnsafeMutablePointer<Double>
) {
  var s = (
    begin(sums, isFirst), begin(sums + 8, isFirst), begin(sums + 16, isFirst),
    begin(sums + 24, isFirst)
  )
  var t = (
    begin(sums + 32, isFirst), begin(sums + 40, isFirst), begin(sums + 48, isFirst),
    begin(sums + 56, isFirst)
  )
  for v in 0..<vectors {
    let o = 16 * v
    let (re, im) = product(a, b, o, isNegative)
    let (cc, cs) = (f64x8_load(c + o), f64x8_load(c + 8 + o))
    s.0 = f64x8_fma(re, cc, s.0)
    s.1 = f64x8_fma(im, cs, s.1)
    s.2 = f64x8_fma(re, cs, s.2)
    s.3 = f64x8_fma(im, cc, s.3)
    let (dc, ds) = (f64x8_load(d + o), f64x8_load(d + 8 + o))
    t.0 = f64x8_fma(re, dc, t.0)
    t.1 = f64x8_fma(im, ds, t.1)
    t.2 = f64x8_fma(re, ds, t.2)
    t.3 = f64x8_fma(im, dc, t.3)
  }
  f64x8_store(sums, s.0)
  f64x8_store(sums + 8, s.1)
  f64x8_store(sums + 16, s.2)
  f64x8_store(sums + 24, s.3)
  f64x8_store(sums + 32, t.0)
  f64x8_store(sums + 40, t.1)
  f64x8_store(sums + 48, t.2)
  f64x8_store(sums + 56, t.3)
}

/// Adds the sums of two entries of one (h, k): rows c and d of their |l|; 64 doubles of sums.
func addPair(
  _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, k: Int, _ c: UnsafePointer<Double>,
  _ d: UnsafePointer<Double>, vectors: Int, isFirst: Bool, to sums: UnsafeMutablePointer<Double>
) {
  if k < 0 {
    addPair(a, b, true, c, d, vectors: vectors, isFirst: isFirst, to: sums)
  } else {
    addPair(a, b, false, c, d, vectors: vectors, isFirst: isFirst, to: sums)
  }
}

/// Adds the sixteen sums of two products and two l: 128 doubles of sums.
func addTile(
  _ p: UnsafePointer<Double>, _ q: UnsafePointer<Double>, _ c: UnsafePointer<Double>,
  _ d: UnsafePointer<Double>, vectors: Int, isFirst: Bool, to sums: UnsafeMutablePointer<Double>
) {
  var s0 = begin(sums, isFirst)
  var s1 = begin(sums + 8, isFirst)
  var s2 = begin(sums + 16, isFirst)
  var s3 = begin(sums + 24, isFirst)
  var s4 = begin(sums + 32, isFirst)
  var s5 = begin(sums + 40, isFirst)
  var s6 = begin(sums + 48, isFirst)
  var s7 = begin(sums + 56, isFirst)
  var t0 = begin(sums + 64, isFirst)
  var t1 = begin(sums + 72, isFirst)
  var t2 = begin(sums + 80, isFirst)
  var t3 = begin(sums + 88, isFirst)
  var t4 = begin(sums + 96, isFirst)
  var t5 = begin(sums + 104, isFirst)
  var t6 = begin(sums + 112, isFirst)
  var t7 = begin(sums + 120, isFirst)
  for v in 0..<vectors {
    let o = 16 * v
    let (cc, cs) = (f64x8_load(c + o), f64x8_load(c + 8 + o))
    let (dc, ds) = (f64x8_load(d + o), f64x8_load(d + 8 + o))
    let (pr, pi) = (f64x8_load(p + o), f64x8_load(p + 8 + o))
    s0 = f64x8_fma(pr, cc, s0)
    s1 = f64x8_fma(pi, cs, s1)
    s2 = f64x8_fma(pr, cs, s2)
    s3 = f64x8_fma(pi, cc, s3)
    s4 = f64x8_fma(pr, dc, s4)
    s5 = f64x8_fma(pi, ds, s5)
    s6 = f64x8_fma(pr, ds, s6)
    s7 = f64x8_fma(pi, dc, s7)
    let (qr, qi) = (f64x8_load(q + o), f64x8_load(q + 8 + o))
    t0 = f64x8_fma(qr, cc, t0)
    t1 = f64x8_fma(qi, cs, t1)
    t2 = f64x8_fma(qr, cs, t2)
    t3 = f64x8_fma(qi, cc, t3)
    t4 = f64x8_fma(qr, dc, t4)
    t5 = f64x8_fma(qi, ds, t5)
    t6 = f64x8_fma(qr, ds, t6)
    t7 = f64x8_fma(qi, dc, t7)
  }
  f64x8_store(sums, s0)
  f64x8_store(sums + 8, s1)
  f64x8_store(sums + 16, s2)
  f64x8_store(sums + 24, s3)
  f64x8_store(sums + 32, s4)
  f64x8_store(sums + 40, s5)
  f64x8_store(sums + 48, s6)
  f64x8_store(sums + 56, s7)
  f64x8_store(sums + 64, t0)
  f64x8_store(sums + 72, t1)
  f64x8_store(sums + 80, t2)
  f64x8_store(sums + 88, t3)
  f64x8_store(sums + 96, t4)
  f64x8_store(sums + 104, t5)
  f64x8_store(sums + 112, t6)
  f64x8_store(sums + 120, t7)
}

@inline(__always)
private func addCurrents(
  _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ isNegative: Bool,
  _ c: UnsafePointer<Double>, _ w: UnsafePointer<Double>, vectors: Int, isFirst: Bool,
  to sums: UnsafeMutablePointer<Double>
) {
  var s = (
    begin(sums, isFirst), begin(sums + 8, isFirst), begin(sums + 16, isFirst),
    begin(sums + 24, isFirst)
  )
  var x = (
    begin(sums + 32, isFirst), begin(sums + 40, isFirst), begin(sums + 48, isFirst),
    begin(sums + 56, isFirst)
  )
  var y = (
    begin(sums + 64, isFirst), begin(sums + 72, isFirst), begin(sums + 80, isFirst),
    begin(sums + 88, isFirst)
  )
  var z = (
    begin(sums + 96, isFirst), begin(sums + 104, isFirst), begin(sums + 112, isFirst),
    begin(sums + 120, isFirst)
  )
  for v in 0..<vectors {
    let o = 16 * v
    let (re, im) = product(a, b, o, isNegative)
    let (cl, sl) = (f64x8_load(c + o), f64x8_load(c + 8 + o))
    let (wx, wy, wz) = (
      f64x8_load(w + 8 * v), f64x8_load(w + blockAtoms + 8 * v),
      f64x8_load(w + 2 * blockAtoms + 8 * v)
    )
    s.0 = f64x8_fma(re, cl, s.0)
    s.1 = f64x8_fma(im, sl, s.1)
    s.2 = f64x8_fma(re, sl, s.2)
    s.3 = f64x8_fma(im, cl, s.3)
    let (xr, xi) = (re * wx, im * wx)
    x.0 = f64x8_fma(xr, cl, x.0)
    x.1 = f64x8_fma(xi, sl, x.1)
    x.2 = f64x8_fma(xr, sl, x.2)
    x.3 = f64x8_fma(xi, cl, x.3)
    let (yr, yi) = (re * wy, im * wy)
    y.0 = f64x8_fma(yr, cl, y.0)
    y.1 = f64x8_fma(yi, sl, y.1)
    y.2 = f64x8_fma(yr, sl, y.2)
    y.3 = f64x8_fma(yi, cl, y.3)
    let (zr, zi) = (re * wz, im * wz)
    z.0 = f64x8_fma(zr, cl, z.0)
    z.1 = f64x8_fma(zi, sl, z.1)
    z.2 = f64x8_fma(zr, sl, z.2)
    z.3 = f64x8_fma(zi, cl, z.3)
  }
  f64x8_store(sums, s.0)
  f64x8_store(sums + 8, s.1)
  f64x8_store(sums + 16, s.2)
  f64x8_store(sums + 24, s.3)
  f64x8_store(sums + 32, x.0)
  f64x8_store(sums + 40, x.1)
  f64x8_store(sums + 48, x.2)
  f64x8_store(sums + 56, x.3)
  f64x8_store(sums + 64, y.0)
  f64x8_store(sums + 72, y.1)
  f64x8_store(sums + 80, y.2)
  f64x8_store(sums + 88, y.3)
  f64x8_store(sums + 96, z.0)
  f64x8_store(sums + 104, z.1)
  f64x8_store(sums + 112, z.2)
  f64x8_store(sums + 120, z.3)
}

/// Adds the sums of one entry weighted by 1 and by three velocity components, `blockAtoms` of each in w;
/// 128 doubles of sums.
func addCurrents(
  _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, k: Int, _ c: UnsafePointer<Double>,
  _ w: UnsafePointer<Double>, vectors: Int, isFirst: Bool, to sums: UnsafeMutablePointer<Double>
) {
  if k < 0 {
    addCurrents(a, b, true, c, w, vectors: vectors, isFirst: isFirst, to: sums)
  } else {
    addCurrents(a, b, false, c, w, vectors: vectors, isFirst: isFirst, to: sums)
  }
}

/// Adds Σ e^{iq·r} and, where `w` is given, its sums weighted by three velocity components, for
/// one free vector: three coordinates, each of `blockAtoms` in x, q/2π; 16 or 64 doubles of sums.
func addFree(
  _ x: UnsafePointer<Double>, _ inside: UnsafePointer<Double>, _ w: UnsafePointer<Double>?,
  turns q: SIMD3<Double>, vectors: Int, to sums: UnsafeMutablePointer<Double>
) {
  for v in 0..<vectors {
    let o = 8 * v
    var turns = f64x8_load(x + o) * q.x
    turns = f64x8_fma(f64x8_load(x + blockAtoms + o), SIMD8(repeating: q.y), turns)
    turns = f64x8_fma(f64x8_load(x + 2 * blockAtoms + o), SIMD8(repeating: q.z), turns)
    let (c, s) = phase(ofTurns: turns - f64x8_round(turns))
    // Padding counts as 0.
    let one = f64x8_load(inside + o)
    let (re, im) = (c * one, s * one)
    f64x8_store(sums, f64x8_load(sums) + re)
    f64x8_store(sums + 8, f64x8_load(sums + 8) + im)
    if let w {
      for d in 0..<3 {
        let wd = f64x8_load(w + d * blockAtoms + o)
        let target = sums + 16 * (d + 1)
        f64x8_store(target, f64x8_fma(re, wd, f64x8_load(target)))
        f64x8_store(target + 8, f64x8_fma(im, wd, f64x8_load(target + 8)))
      }
    }
  }
}
