import CHost
import Matter

/// The fast evaluator's parameters in one precision, laid out for it, and its work on one atom
/// (`NEPKernel+Atom.swift`).
///
/// Layouts: `I` central species, `J` neighbour species, `n` radial function, `k` basis function,
/// `lm` harmonic, in the order of docs/theory.md.
struct NEPKernel<V: Lanes>: ~Copyable, Sendable {
  typealias T = V.Scalar

  let speciesCount, radialCount, angularCount, radialBasis, angularBasis: Int
  let degree, descriptorCount, neuronCount: Int
  /// Harmonics, and their number padded to a multiple of 8.
  let harmonicCount, harmonicRows: Int
  /// `angularCount` padded to whole vectors.
  let angularColumns: Int
  /// Neurons in whole vectors.
  let neuronBlocks: Int
  let tables: TableKind
  /// The padded length of a table over J.
  let tableLength: Int
  /// Whether every pair has the same cutoff for radial and angular parts, so that they share pairs
  /// and basis functions.
  let sharesBasis: Bool
  let hasZBL: Bool

  /// [I]: the square of the largest cutoff of any pair.
  let reachSquared: [Double]
  /// [I·Nt + J], squares.
  let angularReachSquared: AlignedBuffer<Double>
  /// [I][J]: cutoffs and their inverses.
  let radialCutoff, radialInverse, angularCutoff, angularInverse: AlignedBuffer<T>
  /// c^R and c^A as [I][n][k][J].
  let radialTable, angularTable: AlignedBuffer<T>
  /// c^A as [I][J][k][n], n in whole vectors.
  let angularByPair: AlignedBuffer<T>
  /// W0·q_scaler as [I][block][ν][lane]; b0 and w1 as [I][neuron].
  let w0, b0, w1: AlignedBuffer<T>
  let bias: [Double]
  /// Weights of s² in the three-body invariants, by lm.
  let weights: [T]
  /// Many-body channels in order: nil for q1111, else monomials of three factors.
  let polynomials: [[Cubic]?]
  let zbl: [NEPModel.ZBL]
  /// Z_lm of harmonics with l > 4: coefficients, lowest first.
  let highHarmonics: [SolidHarmonic]

  /// coefficient · s_a s_b s_c
  struct Cubic: Sendable {
    let coefficient: T
    let a, b, c: Int
  }

  init(_ m: NEPModel) {
    let nt = m.elements.count
    let w = V.width
    speciesCount = nt
    radialCount = m.radialCount
    angularCount = m.angularCount
    radialBasis = m.radialBasis
    angularBasis = m.angularBasis
    degree = m.degree
    descriptorCount = m.descriptorCount
    neuronCount = m.neuronCount
    harmonicCount = m.harmonicCount
    harmonicRows = (m.harmonicCount + 7) / 8 * 8
    let columns = (m.angularCount + w - 1) / w * w
    angularColumns = columns
    let blocks = (m.neuronCount + w - 1) / w
    neuronBlocks = blocks
    tables = TableKind(species: nt)
    let length = tables.padded(nt)
    tableLength = length
    sharesBasis = Set(m.radialCutoffs + m.angularCutoffs).count == 1
    hasZBL = m.zbl != nil
    zbl = m.zbl ?? []
    reachSquared = (0..<nt).map { i in
      let reach = (0..<nt).map { max(m.radialCutoffs[i * nt + $0], m.angularCutoffs[i * nt + $0]) }
      return (reach.max() ?? 0) * (reach.max() ?? 0)
    }
    angularReachSquared = AlignedBuffer(m.angularCutoffs.map { $0 * $0 })
    func byPair(_ values: [Double], _ map: (Double) -> Double) -> AlignedBuffer<T> {
      let buffer = AlignedBuffer<T>(count: nt * length)
      for i in 0..<nt {
        for j in 0..<length { buffer.pointer[i * length + j] = T(map(values[i * nt + min(j, nt - 1)])) }
      }
      return buffer
    }
    radialCutoff = byPair(m.radialCutoffs) { $0 }
    radialInverse = byPair(m.radialCutoffs) { 1 / $0 }
    angularCutoff = byPair(m.angularCutoffs) { $0 }
    angularInverse = byPair(m.angularCutoffs) { 1 / $0 }
    func table(_ c: [[Double]], _ nk: Int) -> AlignedBuffer<T> {
      let buffer = AlignedBuffer<T>(count: nt * nk * length)
      for i in 0..<nt {
        for x in 0..<nk {
          for j in 0..<nt { buffer.pointer[(i * nk + x) * length + j] = T(c[i * nt + j][x]) }
        }
      }
      return buffer
    }
    radialTable = table(m.radialCoefficients, m.radialCount * m.radialBasis)
    angularTable = table(m.angularCoefficients, m.angularCount * m.angularBasis)
    angularByPair = AlignedBuffer(count: nt * nt * m.angularBasis * columns)
    for p in 0..<nt * nt {
      for n in 0..<m.angularCount {
        for k in 0..<m.angularBasis {
          angularByPair.pointer[(p * m.angularBasis + k) * columns + n] =
            T(m.angularCoefficients[p][n * m.angularBasis + k])
        }
      }
    }
    let d = m.descriptorCount
    w0 = AlignedBuffer(count: nt * blocks * d * w)
    b0 = AlignedBuffer(count: nt * blocks * w)
    w1 = AlignedBuffer(count: nt * blocks * w)
    for (i, network) in m.networks.enumerated() {
      for neuron in 0..<m.neuronCount {
        let block = neuron / w
        let lane = neuron % w
        for v in 0..<d {
          w0.pointer[((i * blocks + block) * d + v) * w + lane] =
            T(network.w0[neuron * d + v] * m.scaler[v])
        }
        b0.pointer[(i * blocks + block) * w + lane] = T(network.b0[neuron])
        w1.pointer[(i * blocks + block) * w + lane] = T(network.w1[neuron])
      }
    }
    bias = m.networks.map(\.bias)
    let harmonics = SolidHarmonic.all(upTo: m.degree)
    weights =
      harmonics.map { T($0.weight) }
      + [T](repeating: 0, count: harmonicRows - harmonics.count)
    highHarmonics = harmonics.filter { $0.l > 4 }
    polynomials = m.channels.map { channel in
      channel == .q1111
        ? nil
        : Monomial.expansion(of: channel).map {
          Cubic(
            coefficient: T($0.coefficient), a: $0.indices[0], b: $0.indices[1], c: $0.indices[2])
        }
    }
  }
}

/// Working memory of one thread, for rows of up to `capacity` pairs.
struct NEPScratch<V: Lanes>: ~Copyable {
  typealias T = V.Scalar
  let capacity: Int
  let raw: AlignedBuffer<Double>
  let integers: AlignedBuffer<Int32>
  let values: AlignedBuffer<T>

  /// Room for the pair vectors, basis functions, g and b of `capacity` pairs.
  init(_ kernel: borrowing NEPKernel<V>, rowLength: Int) {
    capacity = (rowLength + 32 + 15) / 16 * 16
    raw = AlignedBuffer(count: 4 * capacity)
    integers = AlignedBuffer(count: 4 * capacity)
    let basis = max(kernel.radialBasis, kernel.angularBasis)
    let perPair =
      11 + 2 * basis + 2 * kernel.angularBasis + 2 * kernel.angularCount + kernel.angularColumns
      + kernel.harmonicRows
    let perAtom =
      2 * kernel.harmonicRows * kernel.angularColumns + 4 * (kernel.descriptorCount + 64)
      + kernel.descriptorCount * V.width
      + (kernel.harmonicRows + 8 + kernel.radialCount + 4 * (kernel.degree + 2)) * V.width
      + kernel.radialBasis * kernel.tableLength
    values = AlignedBuffer(count: perPair * capacity + perAtom + 1024)
  }
}

/// What one evaluation reads and writes; pointers live as long as the buffers they come from.
struct NEPTask {
  let x, y, z: UnsafePointer<Double>
  let species: UnsafePointer<Int32>
  let rowStart, neighbor, image: UnsafePointer<Int32>
  let a, b, c: SIMD3<Double>
  let energies: UnsafeMutablePointer<Double>
  /// Nine components by atom: component · count + atom; nil when not needed.
  let virials: UnsafeMutablePointer<Double>?
  let count: Int
}
