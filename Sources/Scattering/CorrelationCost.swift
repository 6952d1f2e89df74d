import Foundation
import Matter

/// What densities of one frame cost, in ns of one thread: sums of operations, times constants of one machine
/// (docs/performance.md).
struct DensityCost: Sendable {
  /// By products of phases.
  let products: Double
  /// By a transform.
  let transform: Double
  /// The bytes of the lines of its grid.
  let transformMemory: Int
  /// The largest |h|, |k|, |l|.
  let largest: SIMD3<Int>

  // Of one atom and entry: among at least four of one (h, k), or fewer; with currents; of one atom
  // and row of a table.
  private static let dense = 0.24
  private static let scattered = 0.6
  private static let currents = 1.0
  private static let row = 0.4
  // Of one atom, of its taps in one task, of one vector of grid values it adds to; of one double of the
  // grid; of one value and factor 2 of the length of a transform.
  private static let atom = 85.0
  private static let visit = 80.0
  private static let tap = 1.7
  private static let cell = 2.6
  private static let butterfly = 1.4
  private static let tolerance = 1e-10

  /// The costs of lattice points for so many atoms of each species.
  init(points: [SIMD3<Int32>], atomCounts: [Int], hasCurrents: Bool) {
    var largest = SIMD3<Int>.zero
    var entries: [SIMD3<Int32>] = []
    entries.reserveCapacity(points.count)
    var lines: [SIMD2<Int32>] = []
    lines.reserveCapacity(points.count)
    for p in points {
      largest = [
        max(largest.x, Int(abs(p.x))), max(largest.y, Int(abs(p.y))), max(largest.z, Int(abs(p.z))),
      ]
      let isInverse = p.x < 0 || (p.x == 0 && (p.y < 0 || (p.y == 0 && p.z < 0)))
      entries.append(isInverse ? [-p.x, -p.y, abs(p.z)] : [p.x, p.y, abs(p.z)])
      lines.append(p.z < 0 ? [-p.y, -p.z] : [p.y, p.z])
    }
    entries.sort { ($0.x, $0.y, $0.z) < ($1.x, $1.y, $1.z) }
    lines.sort { ($0.y, $0.x) < ($1.y, $1.x) }
    var (dense, scattered, column, lineCount, layerCount, planeCount) = (0, 0, 0, 0, 0, 0)
    for (i, e) in entries.enumerated() where i == 0 || e != entries[i - 1] {
      if i > 0, e.x == entries[i - 1].x, e.y == entries[i - 1].y {
        column += 1
      } else {
        if column < 4 { scattered += column } else { dense += column }
        column = 1
        if i == 0 || e.x != entries[i - 1].x { planeCount += 1 }
      }
    }
    if column < 4 { scattered += column } else { dense += column }
    for (i, line) in lines.enumerated() where i == 0 || line != lines[i - 1] {
      lineCount += 1
      if i == 0 || line.y != lines[i - 1].y { layerCount += 1 }
    }
    self.largest = largest
    let atoms = Double(atomCounts.reduce(0, +))
    let chunks = 1 + (dense + scattered) / (hasCurrents ? 256 : 2048)
    products =
      atoms
      * ((hasCurrents
        ? Self.currents * Double(dense + scattered)
        : Self.dense * Double(dense) + Self.scattered * Double(scattered))
        + Self.row * Double(planeCount + chunks * (min(largest.y + 1, lineCount) + layerCount)))
    let shape = Self.gridShape(largest: largest, atomCounts: atomCounts)
    transform =
      (hasCurrents ? 4 : 1)
      * Self.transform(shape, atomCounts: atomCounts, lines: lineCount, layers: layerCount)
    transformMemory = 16 * shape.n.x * lineCount
  }

  /// The grid on which a transform of all points up to `largest` costs least.
  static func gridShape(largest: SIMD3<Int>, atomCounts: [Int]) -> GridTransform.Shape {
    let shapes = [1.35, 1.5, 2].compactMap {
      GridTransform.Shape(largest: largest, tolerance: tolerance, oversampling: $0)
    }
    func cost(_ shape: GridTransform.Shape) -> Double {
      transform(
        shape, atomCounts: atomCounts, lines: (2 * largest.y + 1) * (largest.z + 1),
        layers: largest.z + 1)
    }
    guard let best = shapes.min(by: { cost($0) < cost($1) }) else {
      preconditionFailure("no kernel of \(tolerance)")
    }
    return best
  }

  private static func transform(
    _ shape: GridTransform.Shape, atomCounts: [Int], lines: Int, layers: Int
  ) -> Double {
    let (n, width) = (shape.n, Double(shape.kernel.width))
    let atoms = Double(atomCounts.reduce(0, +))
    let visits = 1 + (width - 1) / Double(shape.planesPerTask)
    func logarithm(_ n: Int) -> Double { Double(Int.bitWidth - n.leadingZeroBitCount) }
    let values =
      0.5 * Double(n.x * n.y * n.z) * logarithm(n.z)
      + Double(n.x * layers * n.y) * logarithm(n.y) + Double(lines * n.x) * logarithm(n.x)
    // Two vectors, or three where taps begin late in a vector.
    let vectors = 2 + max(0, width - 9) / 8
    return atoms * (atom + visit * visits + tap * vectors * width * width)
      + Double(atomCounts.count)
      * (cell * Double(n.x * shape.planeStride) + butterfly * values)
  }
}

/// What correlation functions cost, in ns of one thread: as `DensityCost`, within a factor of two.
struct CorrelationCost: Sendable {
  /// Of the densities of one frame.
  let densities: Double
  /// From the densities of all frames to the functions, for one point.
  let series: Double
  /// Of the incoherent functions of one point.
  let atoms: Double
  /// From sums to functions and spectra, for one row of the result.
  let row: Double

  // One value and factor 2 of the length of a transform; one value of a product of spectra; one value of a
  // series on its way there; one phase; one pair of frames of an atom; one atom and free vector; one value
  // and its place in the spectrum, for new memory.
  private static let butterfly = 0.37
  private static let product = 0.5
  private static let value = 24.0
  private static let phase = 2.5
  private static let pair = 0.2
  private static let free = 2.2
  private static let result = 5.0

  /// The costs of a plan.
  init(plan: CorrelationPlan, species: SpeciesMap, frameCount: Int) {
    let set = FunctionSet(kinds: plan.kinds, species: species.names)
    let hasCurrents = plan.kinds.contains(.currents)
    let counts = species.names.indices.map { species.atoms(of: $0).count }
    let atomCount = Double(counts.reduce(0, +))
    let channels = set.collective.isEmpty ? 0.0 : Double(counts.count * (hasCurrents ? 5 : 1))
    if set.collective.isEmpty {
      densities = 0
    } else if let list = plan.points.integers {
      let cost = DensityCost(points: list, atomCounts: counts, hasCurrents: hasCurrents)
      densities =
        plan.densityMethod(for: species) == .products ? cost.products : cost.transform
    } else {
      densities = Self.free * (hasCurrents ? 2 : 1) * atomCount * Double(plan.points.count)
    }
    let origins = OriginBlocks(
      frameCount: max(1, frameCount), maximumLag: plan.maximumLag, stride: plan.originStride,
      blocks: plan.blocks)
    let blocks = Double(origins.blocks.count)
    let length = Double(origins.transformLength)
    let transform = Self.butterfly * length * log2(length)
    let orders = set.terms.joined().reduce(0) {
      $0 + (origins.isPlain || $1.first == $1.second ? 1 : 2)
    }
    series =
      blocks
      * ((origins.isPlain ? 1 : 2) * channels * transform + Self.product * length * Double(orders)
        + 0.5 * transform * Double(set.terms.count))
      + Self.value * channels * Double(frameCount)
    let lags = Double(2 * origins.lagCount - 1)
    row =
      Self.result * lags + 0.5 * (blocks > 1 ? 1 + blocks : 1) * Self.butterfly * lags
      * max(1, log2(lags))
    if plan.kinds.contains(.incoherent) {
      let pairs = Self.pair * origins.totals.reduce(0, +)
      let transforms = blocks * (origins.isPlain ? 1.3 : 3) * transform
      atoms = atomCount * (Self.phase * Double(frameCount) + min(pairs, transforms))
    } else {
      atoms = 0
    }
  }
}

extension CorrelationAccumulator {
  /// The seconds that frames and the result take beside reading, within a factor of two on the
  /// machine of docs/performance.md.
  public static func seconds(
    plan: CorrelationPlan, species: SpeciesMap, frameCount: Int, threads: Int
  ) -> Double {
    let cost = CorrelationCost(plan: plan, species: species, frameCount: frameCount)
    let rows = FunctionSet(kinds: plan.kinds, species: species.names).members.count
    let point = cost.series + cost.atoms + cost.row * Double(rows)
    return 1e-9 * (cost.densities * Double(frameCount) + point * Double(plan.points.count))
      / Double(threads)
  }
}

extension ShellAccumulator {
  /// The seconds that `result` of so many frames takes, as `CorrelationAccumulator.seconds`.
  /// - Parameter plan: its points are one of each ±q
  public static func seconds(
    plan: CorrelationPlan, species: SpeciesMap, frameCount: Int, threads: Int,
    memory: Int = defaultMemory
  ) -> Double {
    let passes = passes(plan: plan, species: species, frameCount: frameCount, memory: memory)
    var plan = plan
    plan.densities = plan.densityMethod(for: species, passes: passes)
    let cost = CorrelationCost(plan: plan, species: species, frameCount: frameCount)
    let times = plan.densities == .products ? 1 : passes
    return 1e-9
      * (cost.densities * Double(frameCount * times) + cost.series * Double(plan.points.count))
      / Double(threads)
  }
}
