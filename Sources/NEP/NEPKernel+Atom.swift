import CHost
import Matter

// The stages of one atom's energy and pair gradients. Lanes run over neighbours wherever a quantity
// belongs to a pair, and over n where it belongs to the atom. All sums run over the pairs within the
// cutoff in row order, so they do not depend on the skin of the list.
extension NEPKernel {
  /// Energy and virial of atom i, and p = ∂U_i/∂r of every pair of its row (zero beyond the
  /// cutoff) into `pairGradients`, four values a pair.
  /// - Returns: the atom that lies at the same place as i, or −1
  @inline(never)
  func atom(
    _ i: Int, _ task: NEPTask, _ scratch: borrowing NEPScratch<V>,
    pairGradients: UnsafeMutablePointer<T>
  ) -> Int {
    let w = V.width
    let species = Int(task.species[i])
    let row = Int(task.rowStart[i])
    let rowLength = Int(task.rowStart[i + 1]) - row
    let capacity = scratch.capacity
    var free = scratch.values.pointer
    func take(_ count: Int) -> UnsafeMutablePointer<T> {
      defer { free += (count + 15) / 16 * 16 }
      return free
    }

    // Pairs within reach, packed.
    let rawX = scratch.raw.pointer
    let rawY = rawX + capacity
    let rawZ = rawY + capacity
    let rawR = rawZ + capacity
    let slots = scratch.integers.pointer
    let pairSpecies = slots + capacity
    let count = pack(i, row, rowLength, reachSquared[species], task, rawX, rawY, rawZ, rawR, slots)
    let stride = (count + w - 1) / w * w
    let far = 2 * reachSquared[species].squareRoot()
    for p in count..<stride {
      rawX[p] = far
      rawY[p] = 0
      rawZ[p] = 0
      rawR[p] = far * far
      pairSpecies[p] = 0
    }
    for p in 0..<count {
      let j = task.neighbor[row + Int(slots[p])]
      pairSpecies[p] = task.species[Int(j)]
      if rawR[p] < 1e-12 { return Int(j) }
    }

    // Unit vectors and distances.
    let ux = take(stride)
    let uy = take(stride)
    let uz = take(stride)
    let r = take(stride)
    let px = take(stride)
    let py = take(stride)
    let pz = take(stride)
    var p = 0
    while p < stride {
      let distance = V(doubles: rawR + p).squareRoot()
      let inverse = V(1) / distance
      (V(doubles: rawX + p) * inverse).store(ux + p)
      (V(doubles: rawY + p) * inverse).store(uy + p)
      (V(doubles: rawZ + p) * inverse).store(uz + p)
      distance.store(r + p)
      V.zero.store(px + p)
      V.zero.store(py + p)
      V.zero.store(pz + p)
      p += w
    }

    // Radial basis and descriptor.
    let tableOffset = species * tableLength
    let basisCount = sharesBasis ? max(radialBasis, angularBasis) : radialBasis
    let f = take(basisCount * stride)
    let fSlope = take(basisCount * stride)
    basis(
      basisCount, stride, r, pairSpecies, radialCutoff.pointer + tableOffset,
      radialInverse.pointer + tableOffset, f, fSlope)
    let q = take(descriptorCount + 2 * w)
    radialDescriptor(species, stride, pairSpecies, f, q)

    // The pairs of the angular part: all of them, or a packed part.
    var angularStride = stride
    var vx = ux
    var vy = uy
    var vz = uz
    var vr = r
    var angularSpecies = pairSpecies
    var fA = f
    var fASlope = fSlope
    var angularCountOfPairs = count
    let chosen = slots + 2 * capacity
    if !sharesBasis {
      let limit = angularReachSquared.pointer + species * speciesCount
      var m = 0
      for p in 0..<count {
        chosen[m] = Int32(p)
        m += rawR[p] < limit[Int(pairSpecies[p])] ? 1 : 0
      }
      angularCountOfPairs = m
      angularStride = (m + w - 1) / w * w
      vx = take(angularStride)
      vy = take(angularStride)
      vz = take(angularStride)
      vr = take(angularStride)
      angularSpecies = slots + 3 * capacity
      for k in 0..<m {
        let p = Int(chosen[k])
        vx[k] = ux[p]
        vy[k] = uy[p]
        vz[k] = uz[p]
        vr[k] = r[p]
        angularSpecies[k] = pairSpecies[p]
      }
      for k in m..<angularStride {
        vx[k] = 1
        vy[k] = 0
        vz[k] = 0
        vr[k] = T(far)
        angularSpecies[k] = 0
      }
      fA = take(angularBasis * angularStride)
      fASlope = take(angularBasis * angularStride)
      basis(
        angularBasis, angularStride, vr, angularSpecies, angularCutoff.pointer + tableOffset,
        angularInverse.pointer + tableOffset, fA, fASlope)
    }

    // g_n of every pair in two layouts, harmonics, and their sums s.
    let g = take(angularCount * angularStride)
    let gSlope = take(angularCount * angularStride)
    angularFunctions(species, angularStride, angularSpecies, fA, fASlope, g, gSlope)
    let gByPair = take(angularColumns * max(1, angularCountOfPairs))
    functionsByPair(species, angularCountOfPairs, angularStride, angularSpecies, fA, gByPair)
    let b = take(harmonicRows * angularStride)
    harmonics(angularStride, vx, vy, vz, b)
    let s = take(harmonicRows * angularColumns)
    accumulate(angularCountOfPairs, angularStride, gByPair, b, s)

    // Invariants, network, and the derivatives of the energy.
    invariants(s, q)
    let slope = take(descriptorCount + 2 * w)
    let columns = take(descriptorCount * w)
    var energy = network(species, q, slope, columns)
    let phi = take(harmonicRows * angularColumns)
    derivatives(s, slope, phi)

    // Pair gradients: angular part, then radial part on top.
    let hBuffer = take((harmonicRows + 8) * w)
    if sharesBasis {
      angularGradients(stride, vx, vy, vz, vr, g, gSlope, b, phi, hBuffer, px, py, pz)
    } else {
      let ax = take(angularStride)
      let ay = take(angularStride)
      let az = take(angularStride)
      angularGradients(angularStride, vx, vy, vz, vr, g, gSlope, b, phi, hBuffer, ax, ay, az)
      for k in 0..<angularCountOfPairs {
        let p = Int(chosen[k])
        px[p] = ax[k]
        py[p] = ay[k]
        pz[p] = az[k]
      }
    }
    let table = take(radialBasis * tableLength)
    radialGradients(species, stride, pairSpecies, ux, uy, uz, fSlope, slope, table, px, py, pz)
    if hasZBL {
      energy += repulsion(
        species, count, pairSpecies, rawX, rawY, rawZ, rawR, px, py, pz)
    }
    task.energies[i] = energy

    if let virials = task.virials {
      accumulateVirial(i, stride, count, rawX, rawY, rawZ, px, py, pz, virials, task.count)
    }
    let out = pairGradients + 4 * row
    for k in 0..<4 * rowLength { out[k] = 0 }
    for p in 0..<count {
      let o = out + 4 * Int(slots[p])
      o[0] = px[p]
      o[1] = py[p]
      o[2] = pz[p]
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

  /// f_k and df_k/dr for k < count: f[k·stride + pair].
  @inline(__always)
  private func basis(
    _ count: Int, _ stride: Int, _ r: UnsafePointer<T>, _ species: UnsafePointer<Int32>,
    _ cutoff: UnsafePointer<T>, _ inverse: UnsafePointer<T>, _ f: UnsafeMutablePointer<T>,
    _ slope: UnsafeMutablePointer<T>
  ) {
    let one = V(1)
    let half = V(0.5)
    let two = V(2)
    var p = 0
    while p < stride {
      let distance = V(load: r + p)
      let rc = V.look(up: species + p, in: cutoff, tables)
      let scale = V.look(up: species + p, in: inverse, tables)
      // cos(πx) = −sin(π(x − ½)), sin(πx) = cos(π(x − ½)).
      let x = (distance * scale).lower(one)
      let (s, c) = V.sineCosine(x - half)
      let fc = (half - half * s).zeroUnless(distance, lessThan: rc)
      let fcSlope = (V(T(-0.5 * Double.pi)) * scale * c).zeroUnless(distance, lessThan: rc)
      let e = x - one
      let xi = V.fma(two * e, e, V(-1))
      // ½ dξ/dr f_c
      let chain = two * e * scale * fc
      fc.store(f + p)
      fcSlope.store(slope + p)
      let halfFc = half * fc
      let halfSlope = half * fcSlope
      let twoXi = xi + xi
      var t0 = one
      var t1 = xi
      var u0 = V.zero
      var u1 = one
      for k in 1..<max(2, count) where k < count {
        V.fma(t1, halfFc, halfFc).store(f + k * stride + p)
        V.fma(u1 * V(T(k)), chain, V.fma(t1, halfSlope, halfSlope)).store(slope + k * stride + p)
        let t2 = V.fma(twoXi, t1, V.zero - t0)
        t0 = t1
        t1 = t2
        let u2 = V.fma(twoXi, u1, V.zero - u0)
        u0 = u1
        u1 = u2
      }
      p += V.width
    }
  }

  /// q_n = Σ_j Σ_k c_nk f_k for the radial part.
  @inline(__always)
  private func radialDescriptor(
    _ species: Int, _ stride: Int, _ pairSpecies: UnsafePointer<Int32>, _ f: UnsafePointer<T>,
    _ q: UnsafeMutablePointer<T>
  ) {
    let table = radialTable.pointer + species * radialCount * radialBasis * tableLength
    if tables == .one {
      // One species: sum f_k over pairs before the contraction.
      for n in 0..<radialCount { q[n] = 0 }
      for k in 0..<radialBasis {
        var sum = V.zero
        var p = 0
        while p < stride {
          sum = sum + V(load: f + k * stride + p)
          p += V.width
        }
        let total = sum.sum()
        for n in 0..<radialCount { q[n] += table[n * radialBasis + k] * total }
      }
      return
    }
    for n in 0..<radialCount {
      var sum = V.zero
      var other = V.zero
      var p = 0
      while p < stride {
        var k = 0
        let c = table + n * radialBasis * tableLength
        while k + 1 < radialBasis {
          sum = V.fma(
            V.look(up: pairSpecies + p, in: c + k * tableLength, tables),
            V(load: f + k * stride + p), sum)
          other = V.fma(
            V.look(up: pairSpecies + p, in: c + (k + 1) * tableLength, tables),
            V(load: f + (k + 1) * stride + p), other)
          k += 2
        }
        if k < radialBasis {
          sum = V.fma(
            V.look(up: pairSpecies + p, in: c + k * tableLength, tables),
            V(load: f + k * stride + p), sum)
        }
        p += V.width
      }
      q[n] = (sum + other).sum()
    }
  }

  /// g_n and dg_n/dr: g[n·stride + pair].
  @inline(__always)
  private func angularFunctions(
    _ species: Int, _ stride: Int, _ pairSpecies: UnsafePointer<Int32>, _ f: UnsafePointer<T>,
    _ fSlope: UnsafePointer<T>, _ g: UnsafeMutablePointer<T>, _ gSlope: UnsafeMutablePointer<T>
  ) {
    let rowSize = angularBasis * tableLength
    let table = angularTable.pointer + species * angularCount * rowSize
    var p = 0
    while p < stride {
      var n = 0
      while n < angularCount {
        // Two n at a time share the loads of f; an odd last one is done twice.
        let m = min(n + 1, angularCount - 1)
        let c0 = table + n * rowSize
        let c1 = table + m * rowSize
        var a0 = V.zero
        var a1 = V.zero
        var d0 = V.zero
        var d1 = V.zero
        for k in 0..<angularBasis {
          let value = V(load: f + k * stride + p)
          let slope = V(load: fSlope + k * stride + p)
          let x0 = V.look(up: pairSpecies + p, in: c0 + k * tableLength, tables)
          let x1 = V.look(up: pairSpecies + p, in: c1 + k * tableLength, tables)
          a0 = V.fma(x0, value, a0)
          d0 = V.fma(x0, slope, d0)
          a1 = V.fma(x1, value, a1)
          d1 = V.fma(x1, slope, d1)
        }
        a0.store(g + n * stride + p)
        d0.store(gSlope + n * stride + p)
        a1.store(g + m * stride + p)
        d1.store(gSlope + m * stride + p)
        n += 2
      }
      p += V.width
    }
  }

  /// g_n with n contiguous: out[pair·columns + n].
  @inline(__always)
  private func functionsByPair(
    _ species: Int, _ count: Int, _ stride: Int, _ pairSpecies: UnsafePointer<Int32>,
    _ f: UnsafePointer<T>, _ out: UnsafeMutablePointer<T>
  ) {
    let blockSize = angularBasis * angularColumns
    let first = angularByPair.pointer + species * speciesCount * blockSize
    for p in 0..<count {
      let c = first + Int(pairSpecies[p]) * blockSize
      var n = 0
      while n < angularColumns {
        var a = V.zero
        var b = V.zero
        var k = 0
        while k + 1 < angularBasis {
          a = V.fma(V(f[k * stride + p]), V(load: c + k * angularColumns + n), a)
          b = V.fma(V(f[(k + 1) * stride + p]), V(load: c + (k + 1) * angularColumns + n), b)
          k += 2
        }
        if k < angularBasis {
          a = V.fma(V(f[k * stride + p]), V(load: c + k * angularColumns + n), a)
        }
        (a + b).store(out + p * angularColumns + n)
        n += V.width
      }
    }
  }

  /// s[lm·columns + n] = Σ_j g_n b_lm.
  @inline(__always)
  private func accumulate(
    _ count: Int, _ stride: Int, _ g: UnsafePointer<T>, _ b: UnsafePointer<T>,
    _ s: UnsafeMutablePointer<T>
  ) {
    var n = 0
    while n < angularColumns {
      var lm = 0
      while lm < harmonicRows {
        // Eight sums in registers.
        var s0 = V.zero
        var s1 = V.zero
        var s2 = V.zero
        var s3 = V.zero
        var s4 = V.zero
        var s5 = V.zero
        var s6 = V.zero
        var s7 = V.zero
        let b0 = b + lm * stride
        for p in 0..<count {
          let value = V(load: g + p * angularColumns + n)
          let row = b0 + p
          s0 = V.fma(V(row[0]), value, s0)
          s1 = V.fma(V(row[stride]), value, s1)
          s2 = V.fma(V(row[2 * stride]), value, s2)
          s3 = V.fma(V(row[3 * stride]), value, s3)
          s4 = V.fma(V(row[4 * stride]), value, s4)
          s5 = V.fma(V(row[5 * stride]), value, s5)
          s6 = V.fma(V(row[6 * stride]), value, s6)
          s7 = V.fma(V(row[7 * stride]), value, s7)
        }
        let out = s + lm * angularColumns + n
        s0.store(out)
        s1.store(out + angularColumns)
        s2.store(out + 2 * angularColumns)
        s3.store(out + 3 * angularColumns)
        s4.store(out + 4 * angularColumns)
        s5.store(out + 5 * angularColumns)
        s6.store(out + 6 * angularColumns)
        s7.store(out + 7 * angularColumns)
        lm += 8
      }
      n += V.width
    }
  }

  /// The angular components of the descriptor from s. Lanes past n of a channel are overwritten by
  /// the next channel.
  @inline(__always)
  private func invariants(_ s: UnsafePointer<T>, _ q: UnsafeMutablePointer<T>) {
    for l in 1...degree {
      var n = 0
      while n < angularColumns {
        var sum = V.zero
        for lm in l * l - 1..<(l + 1) * (l + 1) - 1 {
          let value = V(load: s + lm * angularColumns + n)
          sum = V.fma(V(weights[lm]) * value, value, sum)
        }
        put(sum, q, l - 1, n)
        n += V.width
      }
    }
    for (c, polynomial) in polynomials.enumerated() {
      var n = 0
      while n < angularColumns {
        var sum = V.zero
        if let polynomial {
          for term in polynomial {
            let ab =
              V(load: s + term.a * angularColumns + n) * V(load: s + term.b * angularColumns + n)
            sum = V.fma(
              ab * V(term.coefficient), V(load: s + term.c * angularColumns + n), sum)
          }
        } else {
          sum = firstInvariant(s, n)
          sum = sum * sum * V(T(7.0 / 15))
        }
        put(sum, q, degree + c, n)
        n += V.width
      }
    }
  }

  /// Σ_m |A_1m|² for the lanes from n on.
  @inline(__always)
  private func firstInvariant(_ s: UnsafePointer<T>, _ n: Int) -> V {
    var sum = V.zero
    for lm in 0..<3 {
      let value = V(load: s + lm * angularColumns + n)
      sum = V.fma(V(weights[lm]) * value, value, sum)
    }
    return sum
  }

  /// Stores the lanes of a channel that exist.
  @inline(__always)
  private func put(_ value: V, _ q: UnsafeMutablePointer<T>, _ channel: Int, _ n: Int) {
    value.store(q + radialCount + channel * angularCount + n)
  }

  /// Network energy, and P_ν = ∂U/∂q_ν.
  @inline(__always)
  private func network(
    _ species: Int, _ q: UnsafePointer<T>, _ slope: UnsafeMutablePointer<T>,
    _ columns: UnsafeMutablePointer<T>
  ) -> Double {
    let w = V.width
    let d = descriptorCount
    var energy = -bias[species]
    for block in 0..<neuronBlocks {
      let weights = w0.pointer + (species * neuronBlocks + block) * d * w
      let neuron = (species * neuronBlocks + block) * w
      var a0 = V.zero - V(load: b0.pointer + neuron)
      var a1 = V.zero
      var a2 = V.zero
      var a3 = V.zero
      var v = 0
      while v + 3 < d {
        a0 = V.fma(V(q[v]), V(load: weights + v * w), a0)
        a1 = V.fma(V(q[v + 1]), V(load: weights + (v + 1) * w), a1)
        a2 = V.fma(V(q[v + 2]), V(load: weights + (v + 2) * w), a2)
        a3 = V.fma(V(q[v + 3]), V(load: weights + (v + 3) * w), a3)
        v += 4
      }
      while v < d {
        a0 = V.fma(V(q[v]), V(load: weights + v * w), a0)
        v += 1
      }
      let h = V.tanh((a0 + a1) + (a2 + a3))
      let output = V(load: w1.pointer + neuron)
      energy += Double((h * output).sum())
      let back = output * V.fma(V.zero - h, h, V(1))
      if block == 0 {
        for v in 0..<d { (back * V(load: weights + v * w)).store(columns + v * w) }
      } else {
        for v in 0..<d {
          V.fma(back, V(load: weights + v * w), V(load: columns + v * w)).store(columns + v * w)
        }
      }
    }
    for v in 0..<d { slope[v] = V(load: columns + v * w).sum() }
    return energy
  }

  /// Φ[lm·columns + n] = ∂U/∂s_{n,lm}.
  @inline(__always)
  private func derivatives(
    _ s: UnsafePointer<T>, _ slope: UnsafePointer<T>, _ phi: UnsafeMutablePointer<T>
  ) {
    let c = angularColumns
    for lm in harmonicCount..<harmonicRows {
      var n = 0
      while n < c {
        V.zero.store(phi + lm * c + n)
        n += V.width
      }
    }
    var n = 0
    while n < c {
      for l in 1...degree {
        let p = V(load: slope + radialCount + (l - 1) * angularCount + n)
        for lm in l * l - 1..<(l + 1) * (l + 1) - 1 {
          (V(2 * weights[lm]) * p * V(load: s + lm * c + n)).store(phi + lm * c + n)
        }
      }
      for (channel, polynomial) in polynomials.enumerated() {
        let p = V(load: slope + radialCount + (degree + channel) * angularCount + n)
        if let polynomial {
          for term in polynomial {
            let x = V(load: s + term.a * c + n)
            let y = V(load: s + term.b * c + n)
            let z = V(load: s + term.c * c + n)
            let factor = p * V(term.coefficient)
            add(factor * y * z, to: phi + term.a * c + n)
            add(factor * x * z, to: phi + term.b * c + n)
            add(factor * x * y, to: phi + term.c * c + n)
          }
        } else {
          let factor = p * V(T(28.0 / 15)) * firstInvariant(s, n)
          for lm in 0..<3 {
            add(factor * V(weights[lm]) * V(load: s + lm * c + n), to: phi + lm * c + n)
          }
        }
      }
      n += V.width
    }
  }

  @inline(__always)
  private func add(_ value: V, to pointer: UnsafeMutablePointer<T>) {
    (V(load: pointer) + value).store(pointer)
  }

  /// The angular part of p: u Σ_lm H'_lm b_lm + [v − u(u·v)]/r with H = Σ_n g_n Φ_n, v = Σ H ∇b.
  @inline(__always)
  private func angularGradients(
    _ stride: Int, _ ux: UnsafePointer<T>, _ uy: UnsafePointer<T>, _ uz: UnsafePointer<T>,
    _ r: UnsafePointer<T>, _ g: UnsafePointer<T>, _ gSlope: UnsafePointer<T>,
    _ b: UnsafePointer<T>, _ phi: UnsafePointer<T>, _ h: UnsafeMutablePointer<T>,
    _ px: UnsafeMutablePointer<T>, _ py: UnsafeMutablePointer<T>, _ pz: UnsafeMutablePointer<T>
  ) {
    let w = V.width
    let c = angularColumns
    var p = 0
    while p < stride {
      var radial = V.zero
      var lm = 0
      while lm < harmonicCount {
        var h0 = V.zero
        var h1 = V.zero
        var h2 = V.zero
        var h3 = V.zero
        var d0 = V.zero
        var d1 = V.zero
        var d2 = V.zero
        var d3 = V.zero
        let f = phi + lm * c
        for n in 0..<angularCount {
          let value = V(load: g + n * stride + p)
          let slope = V(load: gSlope + n * stride + p)
          let f0 = V(f[n])
          let f1 = V(f[c + n])
          let f2 = V(f[2 * c + n])
          let f3 = V(f[3 * c + n])
          h0 = V.fma(f0, value, h0)
          d0 = V.fma(f0, slope, d0)
          h1 = V.fma(f1, value, h1)
          d1 = V.fma(f1, slope, d1)
          h2 = V.fma(f2, value, h2)
          d2 = V.fma(f2, slope, d2)
          h3 = V.fma(f3, value, h3)
          d3 = V.fma(f3, slope, d3)
        }
        h0.store(h + lm * w)
        h1.store(h + (lm + 1) * w)
        h2.store(h + (lm + 2) * w)
        h3.store(h + (lm + 3) * w)
        let row = b + lm * stride + p
        radial = V.fma(d0, V(load: row), radial)
        radial = V.fma(d1, V(load: row + stride), radial)
        radial = V.fma(d2, V(load: row + 2 * stride), radial)
        radial = V.fma(d3, V(load: row + 3 * stride), radial)
        lm += 4
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
      p += w
    }
  }

  /// Adds the radial part u Σ_n P_n dg_n/dr to p.
  @inline(__always)
  private func radialGradients(
    _ species: Int, _ stride: Int, _ pairSpecies: UnsafePointer<Int32>, _ ux: UnsafePointer<T>,
    _ uy: UnsafePointer<T>, _ uz: UnsafePointer<T>, _ fSlope: UnsafePointer<T>,
    _ slope: UnsafePointer<T>, _ contracted: UnsafeMutablePointer<T>,
    _ px: UnsafeMutablePointer<T>, _ py: UnsafeMutablePointer<T>, _ pz: UnsafeMutablePointer<T>
  ) {
    // Σ_n P_n c_nk for every neighbour species, then one sum over k for each pair.
    let length = radialBasis * tableLength
    let table = radialTable.pointer + species * radialCount * length
    for x in 0..<length { contracted[x] = 0 }
    for n in 0..<radialCount {
      let p = slope[n]
      for x in 0..<length { contracted[x] += p * table[n * length + x] }
    }
    var p = 0
    while p < stride {
      var sum = V.zero
      var other = V.zero
      var k = 0
      while k + 1 < radialBasis {
        sum = V.fma(
          V.look(up: pairSpecies + p, in: contracted + k * tableLength, tables),
          V(load: fSlope + k * stride + p), sum)
        other = V.fma(
          V.look(up: pairSpecies + p, in: contracted + (k + 1) * tableLength, tables),
          V(load: fSlope + (k + 1) * stride + p), other)
        k += 2
      }
      if k < radialBasis {
        sum = V.fma(
          V.look(up: pairSpecies + p, in: contracted + k * tableLength, tables),
          V(load: fSlope + k * stride + p), sum)
      }
      sum = sum + other
      V.fma(sum, V(load: ux + p), V(load: px + p)).store(px + p)
      V.fma(sum, V(load: uy + p), V(load: py + p)).store(py + p)
      V.fma(sum, V(load: uz + p), V(load: pz + p)).store(pz + p)
      p += V.width
    }
  }

  /// Adds half of each ZBL pair to p.
  /// - Returns: its energy, in eV
  private func repulsion(
    _ species: Int, _ count: Int, _ pairSpecies: UnsafePointer<Int32>,
    _ rawX: UnsafePointer<Double>, _ rawY: UnsafePointer<Double>, _ rawZ: UnsafePointer<Double>,
    _ rawR: UnsafePointer<Double>, _ px: UnsafeMutablePointer<T>, _ py: UnsafeMutablePointer<T>,
    _ pz: UnsafeMutablePointer<T>
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
      px[p] += T(factor * rawX[p])
      py[p] += T(factor * rawY[p])
      pz[p] += T(factor * rawZ[p])
    }
    return energy
  }

  /// Ξ = −Σ r ⊗ p over the pairs of atom i.
  @inline(__always)
  private func accumulateVirial(
    _ i: Int, _ stride: Int, _ count: Int, _ rawX: UnsafePointer<Double>,
    _ rawY: UnsafePointer<Double>, _ rawZ: UnsafePointer<Double>, _ px: UnsafePointer<T>,
    _ py: UnsafePointer<T>, _ pz: UnsafePointer<T>, _ virials: UnsafeMutablePointer<Double>,
    _ atoms: Int
  ) {
    var xx = V.zero
    var xy = V.zero
    var xz = V.zero
    var yx = V.zero
    var yy = V.zero
    var yz = V.zero
    var zx = V.zero
    var zy = V.zero
    var zz = V.zero
    var p = 0
    while p < stride {
      let x = V(doubles: rawX + p)
      let y = V(doubles: rawY + p)
      let z = V(doubles: rawZ + p)
      let fx = V(load: px + p)
      let fy = V(load: py + p)
      let fz = V(load: pz + p)
      xx = V.fma(x, fx, xx)
      xy = V.fma(x, fy, xy)
      xz = V.fma(x, fz, xz)
      yx = V.fma(y, fx, yx)
      yy = V.fma(y, fy, yy)
      yz = V.fma(y, fz, yz)
      zx = V.fma(z, fx, zx)
      zy = V.fma(z, fy, zy)
      zz = V.fma(z, fz, zz)
      p += V.width
    }
    let out = virials + i
    out[0] = -Double(xx.sum())
    out[atoms] = -Double(xy.sum())
    out[2 * atoms] = -Double(xz.sum())
    out[3 * atoms] = -Double(yx.sum())
    out[4 * atoms] = -Double(yy.sum())
    out[5 * atoms] = -Double(yz.sum())
    out[6 * atoms] = -Double(zx.sum())
    out[7 * atoms] = -Double(zy.sum())
    out[8 * atoms] = -Double(zz.sum())
  }
}
