import CHost
import Matter

/// Hands out pieces of a thread's working memory.
private struct Arena<T> {
  var free: UnsafeMutablePointer<T>

  @inline(__always)
  mutating func take(_ count: Int) -> UnsafeMutablePointer<T> {
    defer { free += (count &+ 15) & ~15 }
    return free
  }
}

// The stages of one atom's energy and pair gradients. Lanes run over neighbours wherever a quantity
// belongs to a pair, and over n where it belongs to the atom. All sums run over the pairs within the
// cutoff in row order, so they do not depend on the skin of the list. Pointers advance by the stride
// of a table instead of being computed from indices: checked index arithmetic would cost as much as
// the vector work.
extension NEPKernel {
  /// Energy and virial of atom i, and p = ∂U_i/∂r of every pair of its row (zero beyond the
  /// cutoff) into `pairGradients`, four values a pair.
  /// - Returns: the atom that lies at the same place as i, or −1
  @inline(never)
  func atom<L: SpeciesTable>(
    _ i: Int, _ task: NEPTask, _ scratch: borrowing NEPScratch<V>, table: L.Type,
    pairGradients: UnsafeMutablePointer<T>
  ) -> Int {
    let w = V.width
    let species = Int(task.species[i])
    let row = Int(task.rowStart[i])
    let rowLength = Int(task.rowStart[i + 1]) - row
    let capacity = scratch.capacity
    var memory = Arena(free: scratch.values.pointer)

    // Pairs within reach, packed.
    let rawX = scratch.raw.pointer
    let rawY = rawX + capacity
    let rawZ = rawY + capacity
    let rawR = rawZ + capacity
    let slots = scratch.integers.pointer
    let pairSpecies = slots + capacity
    let reach = reachSquared.pointer[species]
    let count = pack(i, row, rowLength, reach, task, rawX, rawY, rawZ, rawR, slots)
    let stride = (count + w - 1) / w * w
    let far = 2 * reach.squareRoot()
    for p in count..<stride {
      rawX[p] = far
      rawY[p] = 0
      rawZ[p] = 0
      rawR[p] = far * far
      pairSpecies[p] = 0
    }
    let neighbors = task.neighbor + row
    for p in 0..<count {
      let j = neighbors[Int(slots[p])]
      pairSpecies[p] = task.species[Int(j)]
      if rawR[p] < 1e-12 { return Int(j) }
    }

    // Unit vectors and distances; p accumulates the gradients of every pair.
    var wide = Arena(free: scratch.wide.pointer)
    let ux = wide.take(stride)
    let uy = wide.take(stride)
    let uz = wide.take(stride)
    let r = wide.take(stride)
    let px = wide.take(stride)
    let py = wide.take(stride)
    let pz = wide.take(stride)
    for p in Swift.stride(from: 0, to: stride, by: 8) {
      let distance = DoubleLanes(load: rawR + p).squareRoot()
      let inverse = DoubleLanes(1) / distance
      (DoubleLanes(load: rawX + p) * inverse).store(ux + p)
      (DoubleLanes(load: rawY + p) * inverse).store(uy + p)
      (DoubleLanes(load: rawZ + p) * inverse).store(uz + p)
      distance.store(r + p)
    }

    // Radial basis and descriptor.
    let tableOffset = species * tableLength
    let basisCount = sharesBasis ? max(radial.basisCount, angularBasis) : radial.basisCount
    let f = wide.take(basisCount * stride)
    let fSlope = wide.take(basisCount * stride)
    NEPBasis.evaluate(
      L.self, basisCount, stride, r, pairSpecies, radial.cutoff.pointer + tableOffset,
      radial.inverseCutoff.pointer + tableOffset, f, fSlope)
    let q = wide.take(descriptorCount + 16)
    let slope = wide.take(descriptorCount + 16)
    let contracted = wide.take(radial.basisCount * tableLength + 8)
    radial.descriptor(L.self, species, stride, pairSpecies, f, contracted, q)

    // The pairs of the angular part, in its precision: all of them, or a packed part.
    var angularStride = stride
    var angularPairs = count
    var angularSpecies = pairSpecies
    let chosen = slots + 2 * capacity
    var (sx, sy, sz, sr) = (ux, uy, uz, r)
    var (sf, sfSlope) = (f, fSlope)
    if !sharesBasis {
      let limit = angularReachSquared.pointer + species * speciesCount
      var m = 0
      for p in 0..<count {
        chosen[m] = Int32(truncatingIfNeeded: p)
        m &+= rawR[p] < limit[Int(pairSpecies[p])] ? 1 : 0
      }
      angularPairs = m
      angularStride = (m + w - 1) / w * w
      sx = wide.take(angularStride)
      sy = wide.take(angularStride)
      sz = wide.take(angularStride)
      sr = wide.take(angularStride)
      angularSpecies = slots + 3 * capacity
      for k in 0..<m {
        let p = Int(chosen[k])
        sx[k] = ux[p]
        sy[k] = uy[p]
        sz[k] = uz[p]
        sr[k] = r[p]
        angularSpecies[k] = pairSpecies[p]
      }
      for k in m..<angularStride {
        sx[k] = 1
        sy[k] = 0
        sz[k] = 0
        sr[k] = far
        angularSpecies[k] = 0
      }
      sf = wide.take(angularBasis * angularStride)
      sfSlope = wide.take(angularBasis * angularStride)
      NEPBasis.evaluate(
        L.self, angularBasis, angularStride, sr, angularSpecies,
        angularCutoff.pointer + tableOffset, angularInverse.pointer + tableOffset, sf, sfSlope)
    }
    let vx = V.narrowed(sx, angularStride, into: memory.take(angularStride))
    let vy = V.narrowed(sy, angularStride, into: memory.take(angularStride))
    let vz = V.narrowed(sz, angularStride, into: memory.take(angularStride))
    let vr = V.narrowed(sr, angularStride, into: memory.take(angularStride))
    let size = angularBasis * angularStride
    let fA = V.narrowed(sf, size, into: memory.take(size))
    let fASlope = V.narrowed(sfSlope, size, into: memory.take(size))

    // g_n of every pair in two layouts, harmonics, and their sums s.
    let g = memory.take(angularCount * angularStride)
    let gSlope = memory.take(angularCount * angularStride)
    angularFunctions(L.self, species, angularStride, angularSpecies, fA, fASlope, g, gSlope)
    let gByPair = memory.take(angularColumns * max(1, angularPairs))
    functionsByPair(species, angularPairs, angularStride, angularSpecies, fA, gByPair)
    let b = memory.take(harmonicRows * angularStride)
    harmonics(angularStride, vx, vy, vz, b)
    let s = memory.take(harmonicRows * angularColumns)
    accumulate(angularPairs, angularStride, gByPair, b, s)

    // Invariants, network, and the derivatives of the energy.
    let angularQ = memory.take(descriptorCount + 2 * w)
    invariants(s, angularQ)
    for v in radial.functionCount..<descriptorCount { q[v] = Double(angularQ[v]) }
    var energy = network.evaluate(species, q, slope, wide.take(network.scratchCount))
    for v in radial.functionCount..<descriptorCount { angularQ[v] = T(slope[v]) }
    let phi = memory.take(harmonicRows * angularColumns)
    derivatives(s, angularQ, phi)

    // Pair gradients: angular part, then radial part on top.
    let hBuffer = memory.take((harmonicRows + 8) * w)
    let ax = V.aliased(px, or: memory.take(angularStride), when: sharesBasis)
    let ay = V.aliased(py, or: memory.take(angularStride), when: sharesBasis)
    let az = V.aliased(pz, or: memory.take(angularStride), when: sharesBasis)
    angularGradients(angularStride, vx, vy, vz, vr, g, gSlope, b, phi, hBuffer, ax, ay, az)
    if sharesBasis {
      V.widen(ax, stride, into: px)
      V.widen(ay, stride, into: py)
      V.widen(az, stride, into: pz)
    } else {
      for p in Swift.stride(from: 0, to: stride, by: 8) {
        DoubleLanes.zero.store(px + p)
        DoubleLanes.zero.store(py + p)
        DoubleLanes.zero.store(pz + p)
      }
      for k in 0..<angularPairs {
        let p = Int(chosen[k])
        px[p] = Double(ax[k])
        py[p] = Double(ay[k])
        pz[p] = Double(az[k])
      }
    }
    radial.addGradients(
      L.self, species, stride, pairSpecies, ux, uy, uz, fSlope, slope, contracted, px, py, pz)
    if hasZBL {
      energy += repulsion(species, count, pairSpecies, rawX, rawY, rawZ, rawR, px, py, pz)
    }
    task.energies[i] = energy
    if let virials = task.virials {
      accumulateVirial(i, stride, rawX, rawY, rawZ, px, py, pz, virials, task.count)
    }
    var out = pairGradients + 4 * row
    for _ in 0..<4 * rowLength {
      out[0] = 0
      out += 1
    }
    out = pairGradients + 4 * row
    for p in 0..<count {
      let o = out + 4 &* Int(slots[p])
      o[0] = T(px[p])
      o[1] = T(py[p])
      o[2] = T(pz[p])
    }
    return -1
  }

  /// Vectors and squared lengths of the pairs of a row shorter than the reach, in row order, and
  /// their places in the row.
  @inline(__always)
  private func pack(
    _ i: Int, _ row: Int, _ rowLength: Int, _ reach: Double, _ task: NEPTask,
    _ rawX: UnsafeMutablePointer<Double>, _ rawY: UnsafeMutablePointer<Double>,
    _ rawZ: UnsafeMutablePointer<Double>, _ rawR: UnsafeMutablePointer<Double>,
    _ slots: UnsafeMutablePointer<Int32>
  ) -> Int {
    let x = SIMD8<Double>(repeating: task.x[i])
    let y = SIMD8<Double>(repeating: task.y[i])
    let z = SIMD8<Double>(repeating: task.z[i])
    let limit = SIMD8<Double>(repeating: reach)
    let lanes = SIMD8<Int32>(0, 1, 2, 3, 4, 5, 6, 7)
    var count = 0
    var k = 0
    while k < rowLength {
      let j = i32x8_load(task.neighbor + row + k)
      var dx = f64x8_gather(task.x, j) - x
      var dy = f64x8_gather(task.y, j) - y
      var dz = f64x8_gather(task.z, j) - z
      let image = i32x8_load(task.image + row + k)
      if image != .zero {
        let sa = f64x8_from_i32x8((image &<< 2) &>> 22)
        let sb = f64x8_from_i32x8((image &<< 12) &>> 22)
        let sc = f64x8_from_i32x8((image &<< 22) &>> 22)
        dx += sa * task.a.x + sb * task.b.x + sc * task.c.x
        dy += sa * task.a.y + sb * task.b.y + sc * task.c.y
        dz += sa * task.a.z + sb * task.b.z + sc * task.c.z
      }
      let square = dx * dx + dy * dy + dz * dz
      var mask = f64x8_less_mask(square, limit)
      let left = rowLength - k
      if left < 8 { mask &= (1 << UInt32(left)) - 1 }
      f64x8_compress(rawX + count, dx, mask)
      f64x8_compress(rawY + count, dy, mask)
      f64x8_compress(rawZ + count, dz, mask)
      f64x8_compress(rawR + count, square, mask)
      i32x8_compress(slots + count, lanes &+ Int32(k), mask)
      count += mask.nonzeroBitCount
      k += 8
    }
    return count
  }

  /// g_n and dg_n/dr: g[n·stride + pair].
  @inline(never)
  private func angularFunctions<L: SpeciesTable>(
    _: L.Type, _ species: Int, _ stride: Int, _ pairSpecies: UnsafePointer<Int32>,
    _ f: UnsafePointer<T>, _ fSlope: UnsafePointer<T>, _ g: UnsafeMutablePointer<T>,
    _ gSlope: UnsafeMutablePointer<T>
  ) {
    let rowSize = angularBasis &* tableLength
    let table = angularTable.pointer + species &* angularCount &* rowSize
    for p in Swift.stride(from: 0, to: stride, by: V.width) {
      let index = pairSpecies + p
      for n in Swift.stride(from: 0, to: angularCount, by: 3) {
        // Three n at a time share the loads of f; a short last group repeats the last n.
        let n1 = min(n &+ 1, angularCount &- 1)
        let n2 = min(n &+ 2, angularCount &- 1)
        var c0 = table + n &* rowSize
        var c1 = table + n1 &* rowSize
        var c2 = table + n2 &* rowSize
        var value = f + p
        var slope = fSlope + p
        var a0 = V.zero
        var a1 = V.zero
        var a2 = V.zero
        var d0 = V.zero
        var d1 = V.zero
        var d2 = V.zero
        for _ in 0..<angularBasis {
          let v = V(load: value)
          let s = V(load: slope)
          let x0 = L.look(V.self, index, c0)
          let x1 = L.look(V.self, index, c1)
          let x2 = L.look(V.self, index, c2)
          a0 = V.fma(x0, v, a0)
          d0 = V.fma(x0, s, d0)
          a1 = V.fma(x1, v, a1)
          d1 = V.fma(x1, s, d1)
          a2 = V.fma(x2, v, a2)
          d2 = V.fma(x2, s, d2)
          value += stride
          slope += stride
          c0 += tableLength
          c1 += tableLength
          c2 += tableLength
        }
        a0.store(g + (n &* stride &+ p))
        d0.store(gSlope + (n &* stride &+ p))
        a1.store(g + (n1 &* stride &+ p))
        d1.store(gSlope + (n1 &* stride &+ p))
        a2.store(g + (n2 &* stride &+ p))
        d2.store(gSlope + (n2 &* stride &+ p))
      }
    }
  }

  /// g_n with n contiguous: out[pair·columns + n].
  @inline(never)
  private func functionsByPair(
    _ species: Int, _ count: Int, _ stride: Int, _ pairSpecies: UnsafePointer<Int32>,
    _ f: UnsafePointer<T>, _ out: UnsafeMutablePointer<T>
  ) {
    let columns = angularColumns
    let blockSize = angularBasis &* columns
    let first = angularByPair.pointer + species &* speciesCount &* blockSize
    // Two pairs at a time hide the latency of the sums; an odd last pair is done twice.
    for p in Swift.stride(from: 0, to: count, by: 2) {
      let next = min(p &+ 1, count &- 1)
      let c0 = first + Int(pairSpecies[p]) &* blockSize
      let c1 = first + Int(pairSpecies[next]) &* blockSize
      for n in Swift.stride(from: 0, to: columns, by: V.width) {
        var a0 = V.zero
        var a1 = V.zero
        var b0 = V.zero
        var b1 = V.zero
        var x = c0 + n
        var y = c1 + n
        var u = f + p
        var w = f + next
        for _ in 0..<angularBasis / 2 {
          a0 = V.fma(V(u[0]), V(load: x), a0)
          b0 = V.fma(V(w[0]), V(load: y), b0)
          a1 = V.fma(V(u[stride]), V(load: x + columns), a1)
          b1 = V.fma(V(w[stride]), V(load: y + columns), b1)
          u += 2 &* stride
          w += 2 &* stride
          x += 2 &* columns
          y += 2 &* columns
        }
        if angularBasis & 1 == 1 {
          a0 = V.fma(V(u[0]), V(load: x), a0)
          b0 = V.fma(V(w[0]), V(load: y), b0)
        }
        (a0 + a1).store(out + (p &* columns &+ n))
        (b0 + b1).store(out + (next &* columns &+ n))
      }
    }
  }

  /// s[lm·columns + n] = Σ_j g_n b_lm.
  @inline(never)
  private func accumulate(
    _ count: Int, _ stride: Int, _ g: UnsafePointer<T>, _ b: UnsafePointer<T>,
    _ s: UnsafeMutablePointer<T>
  ) {
    let columns = angularColumns
    let stride2 = 2 &* stride
    let stride3 = 3 &* stride
    for n in Swift.stride(from: 0, to: columns, by: V.width) {
      var out = s + n
      for lm in Swift.stride(from: 0, to: harmonicRows, by: 8) {
        // Eight sums in registers.
        var s0 = V.zero
        var s1 = V.zero
        var s2 = V.zero
        var s3 = V.zero
        var s4 = V.zero
        var s5 = V.zero
        var s6 = V.zero
        var s7 = V.zero
        var low = b + lm &* stride
        var high = low + 4 &* stride
        var value = g + n
        for _ in 0..<count {
          let v = V(load: value)
          s0 = V.fma(V(low[0]), v, s0)
          s1 = V.fma(V(low[stride]), v, s1)
          s2 = V.fma(V(low[stride2]), v, s2)
          s3 = V.fma(V(low[stride3]), v, s3)
          s4 = V.fma(V(high[0]), v, s4)
          s5 = V.fma(V(high[stride]), v, s5)
          s6 = V.fma(V(high[stride2]), v, s6)
          s7 = V.fma(V(high[stride3]), v, s7)
          low += 1
          high += 1
          value += columns
        }
        s0.store(out)
        s1.store(out + columns)
        s2.store(out + 2 &* columns)
        s3.store(out + 3 &* columns)
        s4.store(out + 4 &* columns)
        s5.store(out + 5 &* columns)
        s6.store(out + 6 &* columns)
        s7.store(out + 7 &* columns)
        out += 8 &* columns
      }
    }
  }

  /// The angular components of the descriptor from s.
  @inline(never)
  private func invariants(_ s: UnsafePointer<T>, _ q: UnsafeMutablePointer<T>) {
    let columns = angularColumns
    for n in Swift.stride(from: 0, to: columns, by: V.width) {
      let lanes = min(V.width, angularCount &- n)
      var out = q + (radial.functionCount &+ n)
      var row = s + n
      var weight = weights.pointer
      for l in 1...degree {
        var even = V.zero
        var odd = V.zero
        for _ in 0..<l {
          let a = V(load: row)
          let b = V(load: row + columns)
          even = V.fma(V(weight[0]) * a, a, even)
          odd = V.fma(V(weight[1]) * b, b, odd)
          row += 2 &* columns
          weight += 2
        }
        let a = V(load: row)
        even = V.fma(V(weight[0]) * a, a, even)
        row += columns
        weight += 1
        (even + odd).store(out, lanes: lanes)
        out += angularCount
      }
      for channel in 0..<channelCount {
        var sum = V.zero
        let terms = cubicRange(channel)
        if terms.isEmpty {
          sum = firstInvariant(s + n)
          sum = sum * sum * V(T(7.0 / 15))
        }
        for t in terms {
          let term = cubics.pointer[t]
          let ab = V(load: s + (Int(term.a) &+ n)) * V(load: s + (Int(term.b) &+ n))
          sum = V.fma(ab * V(term.coefficient), V(load: s + (Int(term.c) &+ n)), sum)
        }
        sum.store(out, lanes: lanes)
        out += angularCount
      }
    }
  }

  /// Σ_m |A_1m|² of the lanes at a pointer into s.
  @inline(__always)
  private func firstInvariant(_ s: UnsafePointer<T>) -> V {
    var sum = V.zero
    for lm in 0..<3 {
      let value = V(load: s + lm &* angularColumns)
      sum = V.fma(V(weights.pointer[lm]) * value, value, sum)
    }
    return sum
  }

  /// The monomials of a channel; none for q1111.
  @inline(__always)
  private func cubicRange(_ channel: Int) -> Range<Int> {
    Int(cubicStart.pointer[channel])..<Int(cubicStart.pointer[channel + 1])
  }

  /// Φ[lm·columns + n] = ∂U/∂s_{n,lm}.
  @inline(never)
  private func derivatives(
    _ s: UnsafePointer<T>, _ slope: UnsafePointer<T>, _ phi: UnsafeMutablePointer<T>
  ) {
    let columns = angularColumns
    for n in Swift.stride(from: 0, to: columns, by: V.width) {
      var row = s + n
      var out = phi + n
      var weight = weights.pointer
      var p = slope + (radial.functionCount &+ n)
      for l in 1...degree {
        let factor = V(load: p)
        let twice = factor + factor
        for _ in 0..<2 &* l &+ 1 {
          (V(weight[0]) * twice * V(load: row)).store(out)
          row += columns
          out += columns
          weight += 1
        }
        p += angularCount
      }
      for _ in harmonicCount..<harmonicRows {
        V.zero.store(out)
        out += columns
      }
      for channel in 0..<channelCount {
        let factor = V(load: p)
        let terms = cubicRange(channel)
        if terms.isEmpty {
          let scale = factor * V(T(28.0 / 15)) * firstInvariant(s + n)
          for lm in 0..<3 {
            let at = lm &* columns &+ n
            add(scale * V(weights.pointer[lm]) * V(load: s + at), to: phi + at)
          }
        }
        for t in terms {
          let term = cubics.pointer[t]
          let x = V(load: s + (Int(term.a) &+ n))
          let y = V(load: s + (Int(term.b) &+ n))
          let z = V(load: s + (Int(term.c) &+ n))
          let scale = factor * V(term.coefficient)
          add(scale * y * z, to: phi + (Int(term.a) &+ n))
          add(scale * x * z, to: phi + (Int(term.b) &+ n))
          add(scale * x * y, to: phi + (Int(term.c) &+ n))
        }
        p += angularCount
      }
    }
  }

  @inline(__always)
  private func add(_ value: V, to pointer: UnsafeMutablePointer<T>) {
    (V(load: pointer) + value).store(pointer)
  }

  /// The angular part of p: u Σ_lm H'_lm b_lm + [v − u(u·v)]/r with H = Σ_n g_n Φ_n, v = Σ H ∇b.
  @inline(never)
  private func angularGradients(
    _ stride: Int, _ ux: UnsafePointer<T>, _ uy: UnsafePointer<T>, _ uz: UnsafePointer<T>,
    _ r: UnsafePointer<T>, _ g: UnsafePointer<T>, _ gSlope: UnsafePointer<T>,
    _ b: UnsafePointer<T>, _ phi: UnsafePointer<T>, _ h: UnsafeMutablePointer<T>,
    _ px: UnsafeMutablePointer<T>, _ py: UnsafeMutablePointer<T>, _ pz: UnsafeMutablePointer<T>
  ) {
    let w = V.width
    let c = angularColumns
    for p in Swift.stride(from: 0, to: stride, by: w) {
      var radial = V.zero
      var row = b + p
      var out = h
      for lm in Swift.stride(from: 0, to: harmonicCount, by: 4) {
        var h0 = V.zero
        var h1 = V.zero
        var h2 = V.zero
        var h3 = V.zero
        var d0 = V.zero
        var d1 = V.zero
        var d2 = V.zero
        var d3 = V.zero
        var f = phi + lm &* c
        var value = g + p
        var slope = gSlope + p
        for _ in 0..<angularCount {
          let v = V(load: value)
          let s = V(load: slope)
          let f0 = V(f[0])
          let f1 = V(f[c])
          let f2 = V(f[2 &* c])
          let f3 = V(f[3 &* c])
          h0 = V.fma(f0, v, h0)
          d0 = V.fma(f0, s, d0)
          h1 = V.fma(f1, v, h1)
          d1 = V.fma(f1, s, d1)
          h2 = V.fma(f2, v, h2)
          d2 = V.fma(f2, s, d2)
          h3 = V.fma(f3, v, h3)
          d3 = V.fma(f3, s, d3)
          f += 1
          value += stride
          slope += stride
        }
        h0.store(out)
        h1.store(out + w)
        h2.store(out + 2 &* w)
        h3.store(out + 3 &* w)
        out += 4 &* w
        radial = V.fma(d0, V(load: row), radial)
        radial = V.fma(d1, V(load: row + stride), radial)
        radial = V.fma(d2, V(load: row + 2 &* stride), radial)
        radial = V.fma(d3, V(load: row + 3 &* stride), radial)
        row += 4 &* stride
      }
      let x = V(load: ux + p)
      let y = V(load: uy + p)
      let z = V(load: uz + p)
      let v = harmonicGradient(x, y, z, h)
      let along = V.fma(x, v.x, V.fma(y, v.y, z * v.z))
      let inverse = V(1) / V(load: r + p)
      V.fma(V.fma(V.zero - x, along, v.x), inverse, x * radial).store(px + p)
      V.fma(V.fma(V.zero - y, along, v.y), inverse, y * radial).store(py + p)
      V.fma(V.fma(V.zero - z, along, v.z), inverse, z * radial).store(pz + p)
    }
  }

  /// Adds half of each ZBL pair to p.
  /// - Returns: its energy, in eV
  private func repulsion(
    _ species: Int, _ count: Int, _ pairSpecies: UnsafePointer<Int32>,
    _ rawX: UnsafePointer<Double>, _ rawY: UnsafePointer<Double>, _ rawZ: UnsafePointer<Double>,
    _ rawR: UnsafePointer<Double>, _ px: UnsafeMutablePointer<Double>, _ py: UnsafeMutablePointer<Double>,
    _ pz: UnsafeMutablePointer<Double>
  ) -> Double {
    var energy = 0.0
    for p in 0..<count {
      let pair = species * speciesCount + Int(pairSpecies[p])
      let outer = zbl[pair].outer
      guard rawR[p] < outer * outer, rawR[p] < angularReachSquared.pointer[pair] else { continue }
      let r = rawR[p].squareRoot()
      let v = zbl[pair].evaluate(r)
      energy += v.value / 2
      let factor = v.slope / (2 * r)
      px[p] += factor * rawX[p]
      py[p] += factor * rawY[p]
      pz[p] += factor * rawZ[p]
    }
    return energy
  }

  /// Ξ = −Σ r ⊗ p over the pairs of atom i.
  @inline(never)
  private func accumulateVirial(
    _ i: Int, _ stride: Int, _ rawX: UnsafePointer<Double>, _ rawY: UnsafePointer<Double>,
    _ rawZ: UnsafePointer<Double>, _ px: UnsafePointer<Double>, _ py: UnsafePointer<Double>,
    _ pz: UnsafePointer<Double>, _ virials: UnsafeMutablePointer<Double>, _ atoms: Int
  ) {
    typealias D = DoubleLanes
    var xx = D.zero
    var xy = D.zero
    var xz = D.zero
    var yx = D.zero
    var yy = D.zero
    var yz = D.zero
    var zx = D.zero
    var zy = D.zero
    var zz = D.zero
    for p in Swift.stride(from: 0, to: stride, by: D.width) {
      let x = D(load: rawX + p)
      let y = D(load: rawY + p)
      let z = D(load: rawZ + p)
      let fx = D(load: px + p)
      let fy = D(load: py + p)
      let fz = D(load: pz + p)
      xx = D.fma(x, fx, xx)
      xy = D.fma(x, fy, xy)
      xz = D.fma(x, fz, xz)
      yx = D.fma(y, fx, yx)
      yy = D.fma(y, fy, yy)
      yz = D.fma(y, fz, yz)
      zx = D.fma(z, fx, zx)
      zy = D.fma(z, fy, zy)
      zz = D.fma(z, fz, zz)
    }
    var out = virials + i
    out[0] = -xx.sum()
    out += atoms
    out[0] = -xy.sum()
    out += atoms
    out[0] = -xz.sum()
    out += atoms
    out[0] = -yx.sum()
    out += atoms
    out[0] = -yy.sum()
    out += atoms
    out[0] = -yz.sum()
    out += atoms
    out[0] = -zx.sum()
    out += atoms
    out[0] = -zy.sum()
    out += atoms
    out[0] = -zz.sum()
  }
}
