import CHost
import Foundation
import Matter
import Parallel

/// Sums Σ c e^{2πi(h,k,l)·s} over many atoms at lattice points by a non-uniform Fourier transform of
/// type 1: atoms are spread over a grid (`SpreadingKernel`), transformed, and divided by the
/// transform of the kernel. Strengths c are real, so the grid is; only the lines of the grid that the
/// points lie on are transformed in the second and third direction.
///
/// Contributions to a grid point are added in the order of the atoms' places, whatever task does it:
/// results do not depend on threads. They depend on the grid, hence on `largest`, but not on which
/// points within it are asked for.
package final class GridTransform {
  /// The size of a grid and what spreads over it.
  struct Shape: Sendable {
    let n: SIMD3<Int>
    let kernel: SpreadingKernel

    /// A grid for indices up to `largest`; nil where the kernel were too wide.
    init?(largest: SIMD3<Int>, tolerance: Double, oversampling: Double) {
      guard let kernel = SpreadingKernel(tolerance: tolerance, oversampling: oversampling) else {
        return nil
      }
      self.kernel = kernel
      func length(_ largest: Int) -> Int {
        let modes = (Double(2 * largest + 1) * oversampling).rounded(.up)
        return Self.smoothLength(max(Int(modes), 2 * SpreadingKernel.lanes))
      }
      n = [length(largest.x), length(largest.y), length(largest.z)]
    }

    /// Doubles from one line along the third direction to the next: room for what atoms spread
    /// beyond its end, and for the transform in place; an odd number of cache lines, so that the
    /// lines of an atom do not share places in the cache. From one plane to the next the same.
    var lineStride: Int { ((n.z + 3 * SpreadingKernel.lanes / 2 + 7) / 8 | 1) * 8 }
    var planeStride: Int { (n.y * lineStride / 8 | 1) * 8 + 16 }
    /// Planes of a task: with fewer, atoms are spread by more tasks; with more, the task leaves the
    /// cache.
    var planesPerTask: Int { max(4, min(16, (2 << 20) / (8 * planeStride))) }

    /// The least even length without prime factors above 5.
    private static func smoothLength(_ count: Int) -> Int {
      var best = Int.max
      var five = 1
      while five < 2 * count {
        var three = five
        while three < 2 * count {
          var n = 2 * three
          while n < count { n *= 2 }
          best = min(best, n)
          three *= 3
        }
        five *= 5
      }
      return best
    }
  }

  /// Where the sum of a point comes from: h in a line along the first direction.
  private struct Output: Sendable {
    let line, point, place: Int
    let factor: Double
    let isInverse: Bool
  }
  /// Lines of one l, and their k.
  private struct Layer: Sendable {
    let l: Int
    var lines: [(k: Int, line: Int)]
  }

  private let shape: Shape
  private let team: ThreadTeam
  private let outputs: [Output]
  /// The outputs of each line.
  private let lineOutputs: [Range<Int>]
  private let layers: [Layer]
  private let alongX, alongY: FourierTransform
  private let alongZ: LineTransforms
  private let lines, work: AlignedBuffer<Double>
  private let workStride: Int
  /// Atoms in the order of their places: fractions of a step in three directions.
  private let fractions: AlignedBuffer<Double>
  private let atomCapacity: Int
  /// In the same order: their indices, and the lines and places where they begin.
  private let order, firstY, firstZ: AlignedBuffer<Int32>
  /// The first atom of each `band` lines of the grid where atoms begin; then their number.
  private let starts: AlignedBuffer<Int32>
  private var atomCount = 0
  /// Lines whose atoms follow each other along z, so that one finds in the cache what the one before
  /// has touched.
  private static let band = 4
  private let bands: Int
  /// Layers that are transformed together.
  private static let batch = 8

  /// A transform for points.
  /// - Parameters:
  ///   - largest: the indices that the grid is made for; those of all points lie within
  ///   - atomCapacity: the largest number of atoms
  ///   - tolerance: the error relative to the root of Σ c², about
  package convenience init(
    points: [SIMD3<Int32>], largest: SIMD3<Int>, atomCapacity: Int, team: ThreadTeam,
    tolerance: Double, oversampling: Double
  ) {
    guard let shape = Shape(largest: largest, tolerance: tolerance, oversampling: oversampling)
    else { preconditionFailure("no kernel of \(tolerance) at \(oversampling)") }
    self.init(points: points, shape: shape, atomCapacity: atomCapacity, team: team)
  }

  init(points: [SIMD3<Int32>], shape: Shape, atomCapacity: Int, team: ThreadTeam) {
    self.shape = shape
    self.team = team
    self.atomCapacity = atomCapacity
    let (n, kernel) = (shape.n, shape.kernel)
    func factors(_ d: Int) -> [Double] {
      (0...n[d] / 2).map { 1 / kernel.transform($0, length: n[d]) }
    }
    let scales = (factors(0), factors(1), factors(2))
    var requests: [(l: Int, k: Int, h: Int, point: Int, isInverse: Bool)] = []
    requests.reserveCapacity(points.count)
    for (number, point) in points.enumerated() {
      let isInverse = point.z < 0
      let p = isInverse ? 0 &- point : point
      requests.append((Int(p.z), Int(p.y), Int(p.x), number, isInverse))
    }
    requests.sort { ($0.l, $0.k, $0.h, $0.point) < ($1.l, $1.k, $1.h, $1.point) }
    var layers: [Layer] = []
    var outputs: [Output] = []
    outputs.reserveCapacity(points.count)
    var lineStarts: [Int] = []
    for r in requests {
      precondition(2 * abs(r.h) < n.x && 2 * abs(r.k) < n.y && 2 * r.l < n.z)
      if layers.last?.l != r.l { layers.append(Layer(l: r.l, lines: [])) }
      if layers[layers.count - 1].lines.last?.k != r.k {
        layers[layers.count - 1].lines.append((r.k, lineStarts.count))
        lineStarts.append(outputs.count)
      }
      outputs.append(
        Output(
          line: lineStarts.count - 1, point: r.point, place: r.h < 0 ? r.h + n.x : r.h,
          factor: scales.0[abs(r.h)] * scales.1[abs(r.k)] * scales.2[r.l], isInverse: r.isInverse))
    }
    self.layers = layers
    self.outputs = outputs
    lineOutputs = lineStarts.indices.map {
      lineStarts[$0]..<($0 + 1 < lineStarts.count ? lineStarts[$0 + 1] : outputs.count)
    }
    alongX = FourierTransform(.complex, length: n.x)
    alongY = FourierTransform(.complex, length: n.y)
    alongZ = LineTransforms(length: n.z, count: n.y, stride: shape.lineStride)
    lines = AlignedBuffer(count: 2 * n.x * lineStarts.count)
    let planes = shape.planesPerTask
    workStride =
      (max(
        planes * shape.planeStride + 2 * n.y * (1 + planes * Self.batch), 2 * n.x)
        + 4 * SpreadingKernel.lanes + 7) / 8 * 8
    work = AlignedBuffer(count: team.count * workStride)
    fractions = AlignedBuffer(count: 3 * atomCapacity)
    order = AlignedBuffer(count: atomCapacity)
    firstY = AlignedBuffer(count: atomCapacity)
    firstZ = AlignedBuffer(count: atomCapacity)
    bands = (n.y + Self.band - 1) / Self.band
    starts = AlignedBuffer(count: n.x * bands + 1)
  }

  /// The bytes of grids and lines.
  var memory: Int { 8 * (lines.count + work.count + fractions.count + 2 * atomCapacity) }

  /// Takes atoms at fractional coordinates s, each of `count` values.
  package func place(
    _ s0: UnsafePointer<Double>, _ s1: UnsafePointer<Double>, _ s2: UnsafePointer<Double>,
    count: Int
  ) {
    precondition(count <= atomCapacity)
    atomCount = count
    let n = shape.n
    let half = 0.5 * Double(shape.kernel.width)
    func first(_ s: Double, _ n: Int) -> (Int, Double) {
      let x = (s - s.rounded(.down)) * Double(n) - half
      let up = x.rounded(.up)
      let i = Int(up)
      return (i < 0 ? i + n : i >= n ? i - n : i, up - x)
    }
    let (starts, order) = (starts.pointer, order.pointer)
    let number = n.x * bands
    starts.update(repeating: 0, count: number + 1)
    var keys = [Int32](repeating: 0, count: count)
    var alongZ = [Int32](repeating: 0, count: n.z + 1)
    for i in 0..<count {
      let key = first(s0[i], n.x).0 * bands + first(s1[i], n.y).0 / Self.band
      keys[i] = Int32(key)
      starts[key + 1] += 1
      alongZ[first(s2[i], n.z).0 + 1] += 1
    }
    for k in 1...number { starts[k] += starts[k - 1] }
    for k in 1...n.z { alongZ[k] += alongZ[k - 1] }
    // By z, then stably by plane and band.
    var byZ = [Int32](repeating: 0, count: count)
    for i in 0..<count {
      let z = first(s2[i], n.z).0
      byZ[Int(alongZ[z])] = Int32(i)
      alongZ[z] += 1
    }
    var next = Array(UnsafeBufferPointer(start: starts, count: number))
    let f = fractions.pointer
    for atom in byZ {
      let i = Int(atom)
      let p = Int(next[Int(keys[i])])
      next[Int(keys[i])] += 1
      order[p] = atom
      let (y, z) = (first(s1[i], n.y), first(s2[i], n.z))
      firstY.pointer[p] = Int32(y.0)
      firstZ.pointer[p] = Int32(z.0)
      f[p] = first(s0[i], n.x).1
      f[atomCapacity + p] = y.1
      f[2 * atomCapacity + p] = z.1
    }
  }

  /// The sums of the atoms placed last, of strengths 1 where none are given; 2 doubles for each
  /// point.
  package func sums(
    strengths: UnsafePointer<Double>?, into values: UnsafeMutablePointer<Double>
  ) {
    // Each task writes the values of its planes in all lines.
    team.run(shape.n.x, chunkSize: shape.planesPerTask) { planes, worker in
      let grid = work.pointer + worker * workStride
      spread(planes, strengths, into: grid)
      transformPlanes(planes, grid)
    }
    // Each task writes the points of its lines.
    let n = shape.n.x
    team.run(lineOutputs.count, chunkSize: 16) { range, worker in
      let spectrum = work.pointer + worker * workStride
      for line in range {
        alongX.execute(lines.pointer + 2 * n * line, to: spectrum)
        for output in outputs[lineOutputs[line]] {
          let (re, im) = (spectrum[2 * output.place], spectrum[2 * output.place + 1])
          values[2 * output.point] = re * output.factor
          // The transform is one with e^{−iq·r}.
          values[2 * output.point + 1] = (output.isInverse ? im : -im) * output.factor
        }
      }
    }
  }

  /// Spreads all atoms that touch a range of planes.
  private func spread(
    _ planes: Range<Int>, _ strengths: UnsafePointer<Double>?,
    into grid: UnsafeMutablePointer<Double>
  ) {
    let (n, kernel) = (shape.n, shape.kernel)
    let (width, lineStride, planeStride) = (kernel.width, shape.lineStride, shape.planeStride)
    grid.update(repeating: 0, count: planes.count * planeStride)
    // Taps in x, in y, and in z from the vector of the line on where they begin.
    let taps = grid + workStride - 4 * SpreadingKernel.lanes
    let f = fractions.pointer
    let (starts, order) = (starts.pointer, order.pointer)
    let (firstY, firstZ) = (firstY.pointer, firstZ.pointer)
    kernel.withCoefficients { coefficients in
      // First planes before 0 are those of atoms near the end, which reach around.
      for start in planes.lowerBound - width + 1..<planes.upperBound {
        let home = ((start % n.x) + n.x) % n.x
        let touched = max(0, planes.lowerBound - start)..<min(width, planes.upperBound - start)
        for p in Int(starts[home * bands])..<Int(starts[(home + 1) * bands]) {
          let x = kernel.taps(f[p], coefficients)
          let y = kernel.taps(f[atomCapacity + p], coefficients)
          let z = kernel.taps(f[2 * atomCapacity + p], coefficients)
          f64x8_store(taps, x.0)
          f64x8_store(taps + 8, x.1)
          f64x8_store(taps + 16, y.0)
          f64x8_store(taps + 24, y.1)
          let z0 = Int(firstZ[p])
          for k in [32, 40, 48] { f64x8_store(taps + k, .zero) }
          f64x8_store(taps + 32 + z0 % 8, z.0)
          f64x8_store(taps + 40 + z0 % 8, z.1)
          let strength = strengths.map { $0[Int(order[p])] } ?? 1
          let y0 = Int(firstY[p])
          let below = min(width, n.y - y0)
          for dx in touched {
            let c = strength * taps[dx]
            let plane = grid + (start + dx - planes.lowerBound) * planeStride + z0 / 8 * 8
            if z0 % 8 + width <= 16 {
              add(c, taps, 0..<below, vectors: 2, stride: lineStride, to: plane + y0 * lineStride)
              add(c, taps, below..<width, vectors: 2, stride: lineStride, to: plane)
            } else {
              add(c, taps, 0..<below, vectors: 3, stride: lineStride, to: plane + y0 * lineStride)
              add(c, taps, below..<width, vectors: 3, stride: lineStride, to: plane)
            }
          }
        }
      }
    }
    // What lies beyond the end of a line belongs to its begin.
    for p in 0..<planes.count {
      for y in 0..<n.y {
        let line = grid + p * planeStride + y * lineStride
        for k in [0, 8, 16] {
          f64x8_store(line + k, f64x8_load(line + k) + f64x8_load(line + n.z + k))
        }
      }
    }
  }

  /// Adds taps of some y to their lines, the first of which is given.
  @inline(__always)
  private func add(
    _ c: Double, _ taps: UnsafePointer<Double>, _ range: Range<Int>, vectors: Int, stride: Int,
    to first: UnsafeMutablePointer<Double>
  ) {
    let (z0, z1, z2) = (f64x8_load(taps + 32), f64x8_load(taps + 40), f64x8_load(taps + 48))
    var row = first
    for dy in range {
      let v = SIMD8(repeating: c * taps[16 + dy])
      f64x8_store(row, f64x8_fma(v, z0, f64x8_load(row)))
      f64x8_store(row + 8, f64x8_fma(v, z1, f64x8_load(row + 8)))
      if vectors == 3 { f64x8_store(row + 16, f64x8_fma(v, z2, f64x8_load(row + 16))) }
      row += stride
    }
  }

  /// Transforms planes along z and y, and puts what lines need of them into the lines.
  private func transformPlanes(_ planes: Range<Int>, _ grid: UnsafeMutablePointer<Double>) {
    let n = shape.n
    let (lineStride, planeStride) = (shape.lineStride, shape.planeStride)
    let column = grid + shape.planesPerTask * planeStride
    let columns = column + 2 * n.y
    for p in 0..<planes.count { alongZ.execute(grid + p * planeStride) }
    for first in stride(from: 0, to: layers.count, by: Self.batch) {
      let present = layers[first..<min(layers.count, first + Self.batch)]
      for p in 0..<planes.count {
        for (j, layer) in present.enumerated() {
          let source = grid + p * planeStride + 2 * layer.l
          for y in 0..<n.y {
            column[2 * y] = source[y * lineStride]
            column[2 * y + 1] = source[y * lineStride + 1]
          }
          alongY.execute(column, to: columns + 2 * n.y * (j * planes.count + p))
        }
      }
      for (j, layer) in present.enumerated() {
        for (k, line) in layer.lines {
          let source = columns + 2 * (n.y * j * planes.count + (k < 0 ? k + n.y : k))
          let target = lines.pointer + 2 * (line * n.x + planes.lowerBound)
          for p in 0..<planes.count {
            target[2 * p] = source[2 * n.y * p]
            target[2 * p + 1] = source[2 * n.y * p + 1]
          }
        }
      }
    }
  }
}
