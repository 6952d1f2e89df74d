import CHost
import Matter
import Parallel

/// Why a neighbour list could not be built.
public struct NeighborError: Error, Sendable, CustomStringConvertible {
  /// What happened and what to do.
  public let description: String
  /// The atoms concerned, 0-based.
  public let atoms: [Int]
}

/// All ordered pairs (i → j, image) within cutoff + skin, every periodic image a neighbour of its
/// own.
///
/// Rows are sorted by (j, image), and pair vectors are r = (x_j − x_i) + S·h with integer S from
/// unwrapped positions. Neither depends on when or with which skin the list was built, so a
/// potential that sums over the pairs within its cutoff in row order gives the same bits after any
/// rebuild.
public final class NeighborList {
  /// The distance up to which all pairs are present, in Å.
  public let cutoff: Double
  /// The distance kept beyond the cutoff, in Å.
  public let skin: Double
  /// The number of atoms.
  public private(set) var count = 0
  /// The number of ordered pairs.
  public private(set) var pairCount = 0
  /// The largest number of pairs of one atom.
  public private(set) var longestRow = 0
  /// How often the list was built.
  public private(set) var buildCount = 0

  private var rows = AlignedBuffer<Int32>(count: 1)
  private var columns = AlignedBuffer<Int32>(count: 0)
  private var images = AlignedBuffer<Int32>(count: 0)
  private var reverses = AlignedBuffer<Int32>(count: 0)
  private var reference = Vectors(count: 0)
  private var referenceCell: Cell?

  /// The first pair of each atom; `count` + 1 values.
  public var rowStart: UnsafePointer<Int32> { UnsafePointer(rows.pointer) }
  /// The atom j of each pair.
  public var neighbor: UnsafePointer<Int32> { UnsafePointer(columns.pointer) }
  /// The image S of each pair, packed by `pack`.
  public var image: UnsafePointer<Int32> { UnsafePointer(images.pointer) }
  /// The pair (j → i, −S) of each pair (i → j, S).
  public var reverse: UnsafePointer<Int32> { UnsafePointer(reverses.pointer) }

  /// An empty list.
  public init(cutoff: Double, skin: Double) {
    precondition(cutoff >= 0 && skin >= 0)
    self.cutoff = cutoff
    self.skin = skin
  }

  /// Three integers in −512..<512 in one word, 10 bits each: (S_a << 20 | S_b << 10 | S_c).
  @inline(__always)
  public static func pack(_ a: Int, _ b: Int, _ c: Int) -> Int32 {
    Int32((a & 1023) << 20 | (b & 1023) << 10 | (c & 1023))
  }

  /// The integers of a packed image.
  @inlinable @inline(__always)
  public static func unpack(_ s: Int32) -> SIMD3<Int> {
    // An array literal here costs an allocation per call.
    SIMD3(Int((s << 2) >> 22), Int((s << 12) >> 22), Int((s << 22) >> 22))
  }

  /// The vector from atom i to its neighbour of a pair, in Å.
  public func vector(
    from i: Int, pair: Int, in configuration: borrowing Configuration
  ) -> SIMD3<Double> {
    let s = Self.unpack(image[pair])
    let h = configuration.cell
    let d = configuration.positions[Int(neighbor[pair])] - configuration.positions[i]
    return d + (h.a * Double(s.x) + h.b * Double(s.y) + h.c * Double(s.z))
  }

  /// Rebuilds the list if a pair could have come within the cutoff since it was built.
  /// - Throws: `NeighborError` for non-finite positions or atoms more than 511 cells from each other
  public func update(
    _ configuration: borrowing Configuration, team: ThreadTeam
  ) throws(NeighborError) {
    if isCurrent(configuration) { return }
    try build(configuration, team: team)
  }

  /// Whether the list still holds every pair within the cutoff.
  ///
  /// With D the deformation of the cell since the build and u the displacements beyond it, less
  /// their mean, a pair not listed is still farther than (1 − |D − 1|)·(cutoff + skin) − 2 max|u|.
  public func isCurrent(_ configuration: borrowing Configuration) -> Bool {
    guard let referenceCell, configuration.count == count, buildCount > 0 else { return false }
    let n = configuration.count
    if n == 0 { return true }
    let p = configuration.positions.x
    let q = configuration.positions.y
    let r = configuration.positions.z
    let x = reference.x
    let y = reference.y
    let z = reference.z
    var d = Matrix3.identity
    if configuration.cell != referenceCell {
      d = configuration.cell.rows.transpose * referenceCell.rows.transpose.inverse
    }
    var mean = SIMD3<Double>.zero
    for i in 0..<n {
      mean.x += p[i] - (d.x.x * x[i] + d.x.y * y[i] + d.x.z * z[i])
      mean.y += q[i] - (d.y.x * x[i] + d.y.y * y[i] + d.y.z * z[i])
      mean.z += r[i] - (d.z.x * x[i] + d.z.y * y[i] + d.z.z * z[i])
    }
    mean /= Double(n)
    var largest = 0.0
    for i in 0..<n {
      let u = p[i] - (d.x.x * x[i] + d.x.y * y[i] + d.x.z * z[i]) - mean.x
      let v = q[i] - (d.y.x * x[i] + d.y.y * y[i] + d.y.z * z[i]) - mean.y
      let w = r[i] - (d.z.x * x[i] + d.z.y * y[i] + d.z.z * z[i]) - mean.z
      let square = u * u + v * v + w * w
      largest = largest > square ? largest : square
      if !(square < .infinity) { return false }
    }
    let e = d - .identity
    let strain = (dot(e.x, e.x) + dot(e.y, e.y) + dot(e.z, e.z)).squareRoot()
    return (1 - strain) * (cutoff + skin) - 2 * largest.squareRoot() >= cutoff
  }

  /// Builds the list for a configuration.
  /// - Throws: `NeighborError` for non-finite positions or atoms more than 511 cells from each other
  public func build(
    _ configuration: borrowing Configuration, team: ThreadTeam
  ) throws(NeighborError) {
    let n = configuration.count
    let grid = try CellGrid(configuration, reach: cutoff + skin)
    count = n
    if rows.count != n + 1 {
      rows = AlignedBuffer(count: n + 1)
      reference = Vectors(count: n)
    }
    // Two passes over the grid: lengths of rows, then their sorted contents.
    let start = rows.pointer
    let chunk = 256
    team.run(n, chunkSize: chunk) { atoms, _ in
      for i in atoms {
        var found = 0
        grid.forEachPair(of: i) { _ in found += 1 }
        start[i + 1] = Int32(found)
      }
    }
    start[0] = 0
    var total = 0
    longestRow = 0
    for i in 0..<n {
      longestRow = max(longestRow, Int(start[i + 1]))
      total += Int(start[i + 1])
      guard total < Int(Int32.max) - 64 else {
        throw NeighborError(
          description:
            "more than 2^31 neighbour pairs within \(cutoff + skin) Å: the structure is too dense or too large",
          atoms: [i])
      }
      start[i + 1] = Int32(total)
    }
    if columns.count < total {
      let capacity = total + total / 16
      columns = AlignedBuffer(count: capacity)
      images = AlignedBuffer(count: capacity)
      reverses = AlignedBuffer(count: capacity)
    }
    pairCount = total
    let column = columns.pointer
    let image = images.pointer
    let reverse = reverses.pointer
    let tooFar = AlignedBuffer<Int32>(count: team.count)
    let farAtom = tooFar.pointer
    team.run(n, chunkSize: chunk) { atoms, worker in
      var keys: [UInt64] = []
      keys.reserveCapacity(256)
      for i in atoms {
        keys.removeAll(keepingCapacity: true)
        grid.forEachPair(of: i) { keys.append($0) }
        keys.sort()
        var k = Int(start[i])
        for key in keys {
          let j = Int(key >> 24)
          let s = grid.image(key, from: i, to: j)
          if max(abs(s.x), abs(s.y), abs(s.z)) > 511 { farAtom[worker] = Int32(j + 1) }
          column[k] = Int32(j)
          image[k] = Self.pack(s.x, s.y, s.z)
          k += 1
        }
      }
    }
    for w in 0..<team.count where farAtom[w] != 0 {
      throw NeighborError(
        description:
          "atom \(farAtom[w]) is more than 511 cells away from a neighbour it interacts with; wrap the positions into the cell",
        atoms: [Int(farAtom[w]) - 1])
    }
    team.run(n, chunkSize: chunk) { atoms, _ in
      for i in atoms {
        for k in Int(start[i])..<Int(start[i + 1]) {
          let s = Self.unpack(image[k])
          let opposite = Self.pack(-s.x, -s.y, -s.z)
          // Row j is sorted by neighbour: find i by halving, then the image among its few.
          var low = Int(start[Int(column[k])])
          var high = Int(start[Int(column[k]) + 1])
          while low < high {
            let middle = (low + high) / 2
            if Int(column[middle]) < i { low = middle + 1 } else { high = middle }
          }
          while image[low] != opposite { low += 1 }
          reverse[k] = Int32(low)
        }
      }
    }
    reference.copy(from: configuration.positions)
    referenceCell = configuration.cell
    buildCount += 1
  }
}
