import CHost
import Matter
import Parallel

/// Densities ρ_A(q) = Σ e^{iq·r} and currents j_A(q) = Σ v e^{iq·r} of one frame after the other,
/// e^{+iq·r} as in dynasor.
///
/// At lattice points phases are products of three tables, one for each cell vector, or all sums come
/// from a `GridTransform`, as the method says. A result depends on its point, the cell, its atoms and
/// the method only: not on the other points nor on the threads.
final class DensityEngine {
  /// The number of complex numbers of one point: for each species the density and, with currents,
  /// the longitudinal current and the three components of the transverse one, in Å/fs.
  let channelCount: Int
  /// Complex numbers of one frame, channel by channel, point by point.
  var valueCount: Int { 2 * channelCount * pointCount }

  private let points: WaveVectors
  private let pointCount: Int
  private var channelsPerSpecies: Int { hasCurrents ? 5 : 1 }
  private let hasCurrents: Bool
  private let team: ThreadTeam
  private let tiles: LatticeTiles?
  private let grid: GridTransform?
  private let freeChunk = 64
  /// Blocks of atoms: for each the species and the atoms, at most `blockAtoms`.
  private let blocks: [Block]
  private let speciesBlocks: [Range<Int>]
  private let rows: SIMD3<Int>
  private let tables: AlignedBuffer<Double>
  private let velocities: AlignedBuffer<Double>
  private let inside: AlignedBuffer<Double>
  private let sums: AlignedBuffer<Double>
  private let products: AlignedBuffer<Double>
  /// Of the atoms of a species, for the grid: fractional coordinates and velocities; and the three
  /// components of their currents.
  private let fractions, currents: AlignedBuffer<Double>
  private let sumStride, tableStride: Int

  /// What a task reads of a frame.
  private struct Frame {
    let x, y, z, vx, vy, vz: UnsafeMutablePointer<Double>
    let speedUnit: Double
    let inverse: Matrix3
    let q: [SIMD3<Double>]
  }

  private struct Block: Sendable {
    let atoms: [Int]
    var vectors: Int { (atoms.count + 7) / 8 }
  }

  /// Densities of the analysed atoms of a map at points, with currents where asked for.
  /// - Parameter method: not `.automatic`
  init(
    points: WaveVectors, species: SpeciesMap, hasCurrents: Bool, method: DensityMethod,
    team: ThreadTeam
  ) {
    self.points = points
    pointCount = points.count
    self.hasCurrents = hasCurrents
    self.team = team
    channelCount = species.names.count * (hasCurrents ? 5 : 1)
    var blocks: [Block] = []
    speciesBlocks = species.names.indices.map { s in
      let atoms = species.atoms(of: s)
      let first = blocks.count
      for i in stride(from: 0, to: atoms.count, by: blockAtoms) {
        blocks.append(Block(atoms: Array(atoms[i..<min(i + blockAtoms, atoms.count)])))
      }
      return first..<blocks.count
    }
    self.blocks = blocks
    var sumsPerWorker: Int
    let counts = species.names.indices.map { species.atoms(of: $0).count }
    let capacity = counts.max() ?? 0
    if case .transform(let largest) = method, let list = points.integers {
      let shape = DensityCost.gridShape(
        largest: SIMD3<Int>(truncatingIfNeeded: largest), atomCounts: counts)
      grid = GridTransform(points: list, shape: shape, atomCapacity: capacity, team: team)
      tiles = nil
      rows = .zero
      sumsPerWorker = 0
    } else if let list = points.integers {
      // Sums of a chunk and the table of a block share the second-level cache.
      let share = (list.count + team.count - 1) / team.count
      let tiles = LatticeTiles(
        points: list, entriesPerChunk: max(64, min(hasCurrents ? 256 : 2048, share)),
        allowsStrips: !hasCurrents)
      self.tiles = tiles
      grid = nil
      rows = tiles.largest &+ SIMD3(repeating: 1)
      sumsPerWorker = tiles.chunks.map(\.entryCount).max() ?? 0
      sumsPerWorker *= hasCurrents ? 128 : 32
    } else {
      tiles = nil
      grid = nil
      rows = .zero
      sumsPerWorker = freeChunk * (hasCurrents ? 64 : 16)
    }
    sumStride = sumsPerWorker + 16
    let strengths = grid == nil ? 0 : hasCurrents ? 6 : 3
    fractions = AlignedBuffer(count: strengths * capacity)
    currents = AlignedBuffer(count: strengths == 6 ? 6 * points.count : 0)
    // A table of a block: rows of h, of |k| and of |l|; for free vectors three coordinates.
    tableStride = (tiles == nil ? 2 : rows.x + rows.y + rows.z) * rowLength
    tables = AlignedBuffer(count: team.count * tableStride)
    velocities = AlignedBuffer(count: hasCurrents ? team.count * 3 * blockAtoms : 0)
    inside = AlignedBuffer(count: blocks.count * blockAtoms)
    for (b, block) in blocks.enumerated() {
      for i in block.atoms.indices { inside[b * blockAtoms + i] = 1 }
    }
    sums = AlignedBuffer(count: team.count * sumStride)
    products = AlignedBuffer(count: team.count * 2 * rowLength)
  }

  /// The bytes of tables and sums.
  var memory: Int {
    8 * (tables.count + velocities.count + sums.count + inside.count + currents.count)
      + (grid?.memory ?? 0)
  }

  /// Fills `values` (`valueCount` doubles) from a frame. Velocities, in Å/fs times `speedUnit`, are
  /// read only for currents.
  func evaluate(
    cell: Cell, positions: borrowing Vectors, velocities v: borrowing Vectors, speedUnit: Double,
    into values: UnsafeMutablePointer<Double>
  ) {
    let frame = Frame(
      x: positions.x, y: positions.y, z: positions.z, vx: v.x, vy: v.y, vz: v.z,
      speedUnit: speedUnit, inverse: points.fractionalMatrix(in: cell),
      q: hasCurrents || points.integers == nil ? points.cartesian(in: cell) : [])
    if let grid {
      sumGrid(grid, frame, into: values)
      return
    }
    // Each task writes the values of its own points.
    if let tiles {
      team.run(tiles.chunks.count, chunkSize: 1) { range, worker in
        for c in range { sumLattice(tiles.chunks[c], frame, worker, into: values) }
      }
    } else {
      team.run(points.count, chunkSize: freeChunk) { range, worker in
        sumFree(range, frame, worker, into: values)
      }
    }
  }

  /// Velocities of a block, in Å/fs.
  private func fillVelocities(
    _ block: Block, _ frame: Frame, into w: UnsafeMutablePointer<Double>
  ) {
    for (i, atom) in block.atoms.enumerated() {
      w[i] = frame.vx[atom] * frame.speedUnit
      w[blockAtoms + i] = frame.vy[atom] * frame.speedUnit
      w[2 * blockAtoms + i] = frame.vz[atom] * frame.speedUnit
    }
  }

  /// The rows of a chunk for the atoms of a block.
  private func fillTable(
    _ b: Int, _ chunk: LatticeTiles.Chunk, _ frame: Frame,
    into table: UnsafeMutablePointer<Double>
  ) {
    let block = blocks[b]
    let starts = [0, rows.x * rowLength, (rows.x + rows.y) * rowLength]
    let vectors = block.vectors
    for d in 0..<3 {
      let first = table + starts[d]
      // Row 0 holds the fractions until the base phases are made.
      let m = d == 0 ? frame.inverse.x : d == 1 ? frame.inverse.y : frame.inverse.z
      for (i, atom) in block.atoms.enumerated() {
        first[16 * (i / 8) + i % 8] =
          frame.x[atom] * m.x + frame.y[atom] * m.y + frame.z[atom] * m.z
      }
      for i in block.atoms.count..<8 * vectors { first[16 * (i / 8) + i % 8] = 0 }
      let scale = inside.pointer + b * blockAtoms
      for v in 0..<vectors {
        let o = 16 * v
        let s = f64x8_load(first + o)
        let (c, n) = phase(ofTurns: s - f64x8_round(s))
        // Padding counts as 0, through the factor of h.
        let one = d == 0 ? f64x8_load(scale + 8 * v) : SIMD8(repeating: 1)
        f64x8_store(first + o, one)
        f64x8_store(first + 8 + o, .zero)
        if rows[d] > 1 {
          f64x8_store(first + rowLength + o, c * one)
          f64x8_store(first + rowLength + 8 + o, n * one)
        }
      }
      for n in chunk.rows[d] {
        // e^{inφ} = e^{i⌊n/2⌋φ} e^{i⌈n/2⌉φ}: the rounding error grows with log n.
        storeProduct(
          first + n / 2 * rowLength, first + (n - n / 2) * rowLength, k: n, vectors: vectors,
          into: first + n * rowLength)
      }
    }
  }

  private func sumLattice(
    _ chunk: LatticeTiles.Chunk, _ frame: Frame, _ worker: Int,
    into values: UnsafeMutablePointer<Double>
  ) {
    let sums = sums.pointer + worker * sumStride
    let first = products.pointer + worker * 2 * rowLength
    let second = first + rowLength
    let size = hasCurrents ? 128 : 32
    let table = tables.pointer + worker * tableStride
    let (ks, ls) = (table + rows.x * rowLength, table + (rows.x + rows.y) * rowLength)
    for (species, range) in speciesBlocks.enumerated() {
      for b in range {
        fillTable(b, chunk, frame, into: table)
        let vectors = blocks[b].vectors
        let isFirst = b == range.lowerBound
        for strip in chunk.strips {
          storeProduct(
            table + strip.h0 * rowLength, ks + abs(strip.k0) * rowLength, k: strip.k0,
            vectors: vectors, into: first)
          storeProduct(
            table + strip.h1 * rowLength, ks + abs(strip.k1) * rowLength, k: strip.k1,
            vectors: vectors, into: second)
          var entry = strip.firstEntry
          var j = 0
          while j < strip.l.count {
            addTile(
              first, second, ls + strip.l[j] * rowLength, ls + strip.l[j + 1] * rowLength,
              vectors: vectors, isFirst: isFirst, to: sums + entry * size)
            entry += 4
            j += 2
          }
        }
        if hasCurrents {
          let w = velocities.pointer + worker * 3 * blockAtoms
          fillVelocities(blocks[b], frame, into: w)
          for one in chunk.singles {
            addCurrents(
              table + one.h * rowLength, ks + abs(one.k) * rowLength, k: one.k,
              ls + one.l * rowLength, w, vectors: vectors, isFirst: isFirst,
              to: sums + one.entry * size)
          }
        } else {
          chunk.pairs.withUnsafeBufferPointer { pairs in
            for two in pairs {
              addPair(
                table + two.h &* rowLength, ks + abs(two.k) &* rowLength, k: two.k,
                ls + two.l0 &* rowLength, ls + two.l1 &* rowLength, vectors: vectors,
                isFirst: isFirst,
                to: sums + two.entry &* 32)
            }
          }
          chunk.singles.withUnsafeBufferPointer { singles in
            for one in singles {
              addSingle(
                table + one.h &* rowLength, ks + abs(one.k) &* rowLength, k: one.k,
                ls + one.l &* rowLength, vectors: vectors, isFirst: isFirst,
                to: sums + one.entry &* 32)
            }
          }
        }
      }
      chunk.outputs.withUnsafeBufferPointer { outputs in
        // Points of one entry follow each other.
        var entry = -1
        var totals = SIMD4<Double>.zero
        for output in outputs {
          let s = sums + output.entry &* size
          if output.entry != entry {
            entry = output.entry
            totals = Self.totals(s)
          }
          let place = values + 2 &* (species &* channelsPerSpecies &* pointCount &+ output.point)
          let rho = Self.number(totals, output)
          if hasCurrents {
            store(
              rho,
              (
                Self.number(Self.totals(s + 32), output), Self.number(Self.totals(s + 64), output),
                Self.number(Self.totals(s + 96), output)
              ), frame.q[output.point], at: place)
          } else {
            place[0] = rho.x
            place[1] = rho.y
          }
        }
      }
    }
  }

  /// The four sums of an entry.
  @inline(__always)
  private static func totals(_ s: UnsafePointer<Double>) -> SIMD4<Double> {
    func half(_ k: Int) -> SIMD4<Double> {
      let x = f64x8_load(s + k)
      return x.lowHalf + x.highHalf
    }
    let a = SIMD8(lowHalf: half(0), highHalf: half(8))
    let b = SIMD8(lowHalf: half(16), highHalf: half(24))
    let c = SIMD8(lowHalf: a.evenHalf + a.oddHalf, highHalf: b.evenHalf + b.oddHalf)
    return c.evenHalf + c.oddHalf
  }

  /// The sum at a point from the four sums of its entry.
  @inline(__always)
  private static func number(
    _ t: SIMD4<Double>, _ output: LatticeTiles.Output
  ) -> SIMD2<Double> {
    let sign = output.isBelow ? -1.0 : 1.0
    let im = t.w + sign * t.z
    return SIMD2(t.x - sign * t.y, output.isConjugate ? -im : im)
  }

  private func sumFree(
    _ range: Range<Int>, _ frame: Frame, _ worker: Int,
    into values: UnsafeMutablePointer<Double>
  ) {
    let sums = sums.pointer + worker * sumStride
    let size = hasCurrents ? 64 : 16
    for (species, blockRange) in speciesBlocks.enumerated() {
      sums.update(repeating: 0, count: range.count * size)
      for b in blockRange {
        let table = tables.pointer + worker * tableStride
        for (i, atom) in blocks[b].atoms.enumerated() {
          table[i] = frame.x[atom]
          table[blockAtoms + i] = frame.y[atom]
          table[2 * blockAtoms + i] = frame.z[atom]
        }
        let w = hasCurrents ? velocities.pointer + worker * 3 * blockAtoms : nil
        if let w { fillVelocities(blocks[b], frame, into: w) }
        for (n, point) in range.enumerated() {
          addFree(
            table, inside.pointer + b * blockAtoms, w,
            turns: frame.q[point] / (2 * Double.pi), vectors: blocks[b].vectors, to: sums + n * size
          )
        }
      }
      for (n, point) in range.enumerated() {
        let s = sums + n * size
        func number(_ k: Int) -> SIMD2<Double> {
          SIMD2(f64x8_sum(f64x8_load(s + 16 * k)), f64x8_sum(f64x8_load(s + 16 * k + 8)))
        }
        let rho = number(0)
        let place = values + 2 * (species * channelsPerSpecies * pointCount + point)
        if hasCurrents {
          store(rho, (number(1), number(2), number(3)), frame.q[point], at: place)
        } else {
          place[0] = rho.x
          place[1] = rho.y
        }
      }
    }
  }

  /// All points species by species.
  private func sumGrid(
    _ grid: GridTransform, _ frame: Frame, into values: UnsafeMutablePointer<Double>
  ) {
    let capacity = fractions.count / (hasCurrents ? 6 : 3)
    let s = (0..<6).map { fractions.pointer + min($0, hasCurrents ? 5 : 2) * capacity }
    let m = frame.inverse
    for (species, range) in speciesBlocks.enumerated() {
      var count = 0
      for b in range {
        for atom in blocks[b].atoms {
          let r = SIMD3(frame.x[atom], frame.y[atom], frame.z[atom])
          let t = m * r
          (s[0][count], s[1][count], s[2][count]) = (t.x, t.y, t.z)
          if hasCurrents {
            s[3][count] = frame.vx[atom] * frame.speedUnit
            s[4][count] = frame.vy[atom] * frame.speedUnit
            s[5][count] = frame.vz[atom] * frame.speedUnit
          }
          count += 1
        }
      }
      grid.place(s[0], s[1], s[2], count: count)
      let target = values + 2 * species * channelsPerSpecies * pointCount
      grid.sums(strengths: nil, into: target)
      guard hasCurrents else { continue }
      let j = (0..<3).map { currents.pointer + 2 * $0 * pointCount }
      for d in 0..<3 { grid.sums(strengths: s[3 + d], into: j[d]) }
      for point in 0..<pointCount {
        func number(_ x: UnsafePointer<Double>) -> SIMD2<Double> {
          SIMD2(x[2 * point], x[2 * point + 1])
        }
        store(
          number(target), (number(j[0]), number(j[1]), number(j[2])), frame.q[point],
          at: target + 2 * point)
      }
    }
  }

  /// Stores the five channels of a species; at q = 0 the whole current is transverse.
  private func store(
    _ rho: SIMD2<Double>, _ j: (SIMD2<Double>, SIMD2<Double>, SIMD2<Double>), _ q: SIMD3<Double>,
    at place: UnsafeMutablePointer<Double>
  ) {
    let length = dot(q, q).squareRoot()
    let n = length > 0 ? q / length : .zero
    let along = j.0 * n.x + j.1 * n.y + j.2 * n.z
    func put(_ channel: Int, _ value: SIMD2<Double>) {
      place[2 * channel * pointCount] = value.x
      place[2 * channel * pointCount + 1] = value.y
    }
    put(0, rho)
    put(1, along)
    put(2, j.0 - along * n.x)
    put(3, j.1 - along * n.y)
    put(4, j.2 - along * n.z)
  }
}
