import CHost
import Matter
import Parallel

/// Densities ρ_A(q) = Σ e^{iq·r} and currents j_A(q) = Σ v e^{iq·r} of one frame after the other,
/// e^{+iq·r} as in dynasor.
///
/// At lattice points phases are products of three tables, one for each cell vector. A result
/// depends on its point, the cell and its atoms only: not on the other points nor on the threads.
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
  init(points: WaveVectors, species: SpeciesMap, hasCurrents: Bool, team: ThreadTeam) {
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
    if let list = points.integers {
      // Sums of a chunk and the table of a block share the second-level cache.
      let share = (list.count + team.count - 1) / team.count
      let tiles = LatticeTiles(
        points: list, entriesPerChunk: max(64, min(hasCurrents ? 256 : 2048, share)),
        allowsStrips: !hasCurrents)
      self.tiles = tiles
      rows = tiles.largest &+ SIMD3(repeating: 1)
      sumsPerWorker = tiles.chunks.map(\.entryCount).max() ?? 0
      sumsPerWorker *= hasCurrents ? 128 : 32
    } else {
      tiles = nil
      rows = .zero
      sumsPerWorker = freeChunk * (hasCurrents ? 64 : 16)
    }
    sumStride = sumsPerWorker + 16
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
  var memory: Int { 8 * (tables.count + velocities.count + sums.count + inside.count) }

  /// Fills `values` (`valueCount` doubles) from a frame. Velocities, in Å/fs times `speedUnit`, are
  /// read only for currents.
  func evaluate(
    cell: Cell, positions: borrowing Vectors, velocities v: borrowing Vectors, speedUnit: Double,
    into values: UnsafeMutablePointer<Double>
  ) {
    let frame = Frame(
      x: positions.x, y: positions.y, z: positions.z, vx: v.x, vy: v.y, vz: v.z,
      speedUnit: speedUnit, inverse: points.fractionalMatrix(in: cell),
      q: points.cartesian(in: cell))
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
        first[i] = frame.x[atom] * m.x + frame.y[atom] * m.y + frame.z[atom] * m.z
      }
      for i in block.atoms.count..<8 * vectors { first[i] = 0 }
      let scale = inside.pointer + b * blockAtoms
      for v in 0..<vectors {
        let o = 8 * v
        let s = f64x8_load(first + o)
        let (c, n) = phase(ofTurns: s - f64x8_round(s))
        // Padding counts as 0, through the factor of h.
        let one = d == 0 ? f64x8_load(scale + o) : SIMD8(repeating: 1)
        f64x8_store(first + o, one)
        f64x8_store(first + blockAtoms + o, .zero)
        if rows[d] > 1 {
          f64x8_store(first + rowLength + o, c * one)
          f64x8_store(first + rowLength + blockAtoms + o, n * one)
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
      sums.update(repeating: 0, count: chunk.entryCount * size)
      for b in range {
        fillTable(b, chunk, frame, into: table)
        let vectors = blocks[b].vectors
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
              vectors: vectors, to: sums + entry * size)
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
              ls + one.l * rowLength, w, vectors: vectors, to: sums + one.entry * size)
          }
        } else {
          chunk.pairs.withUnsafeBufferPointer { pairs in
            for two in pairs {
              addPair(
                table + two.h &* rowLength, ks + abs(two.k) &* rowLength, k: two.k,
                ls + two.l0 &* rowLength, ls + two.l1 &* rowLength, vectors: vectors,
                to: sums + two.entry &* 32)
            }
          }
          chunk.singles.withUnsafeBufferPointer { singles in
            for one in singles {
              addSingle(
                table + one.h &* rowLength, ks + abs(one.k) &* rowLength, k: one.k,
                ls + one.l &* rowLength, vectors: vectors, to: sums + one.entry &* 32)
            }
          }
        }
      }
      chunk.outputs.withUnsafeBufferPointer { outputs in
        for output in outputs {
          let s = sums + output.entry &* size
          let place = values + 2 &* (species &* channelsPerSpecies &* pointCount &+ output.point)
          if hasCurrents {
            store(
              Self.number(s, output),
              (
                Self.number(s + 32, output), Self.number(s + 64, output),
                Self.number(s + 96, output)
              ), frame.q[output.point], at: place)
          } else {
            let rho = Self.number(s, output)
            place[0] = rho.x
            place[1] = rho.y
          }
        }
      }
    }
  }

  /// The sum at a point from the four sums of its entry.
  @inline(__always)
  private static func number(
    _ s: UnsafePointer<Double>, _ output: LatticeTiles.Output
  ) -> SIMD2<Double> {
    let sign = output.isBelow ? 1.0 : -1.0
    let re = f64x8_sum(f64x8_fma(f64x8_load(s + 8), SIMD8(repeating: sign), f64x8_load(s)))
    let im = f64x8_sum(f64x8_fma(f64x8_load(s + 16), SIMD8(repeating: -sign), f64x8_load(s + 24)))
    return SIMD2(re, output.isConjugate ? -im : im)
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
