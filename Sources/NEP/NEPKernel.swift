import CHost
import Matter

/// The fast evaluator's parameters in one precision, laid out for it, and its work on one atom
/// (`NEPKernel+Atom.swift`).
///
/// Layouts: `I` central species, `J` neighbour species, `n` radial function, `k` basis function,
/// `lm` harmonic, in the order of docs/theory.md.
struct NEPKernel<V: Lanes>: ~Copyable, Sendable {
  typealias T = V.Scalar

  let speciesCount, angularCount, angularBasis: Int
  let degree, descriptorCount, channelCount: Int
  /// Harmonics, and their number padded to a multiple of 8.
  let harmonicCount, harmonicRows: Int
  /// `angularCount` padded to whole vectors.
  let angularColumns: Int
  /// The padded length of a table over J.
  let tableLength: Int
  /// Whether every pair has the same cutoff for radial and angular parts, so that they share pairs
  /// and basis functions.
  let sharesBasis: Bool
  let hasZBL: Bool

  /// [I]: the square of the largest cutoff of any pair.
  let reachSquared: AlignedBuffer<Double>
  /// [I·Nt + J], squares.
  let angularReachSquared: AlignedBuffer<Double>
  /// [I][J]: cutoffs and their inverses.
  let angularCutoff, angularInverse: AlignedBuffer<Double>
  /// c^A as [I][n][k][J].
  let angularTable: AlignedBuffer<T>
  /// c^A as [I][J][k][n], n in whole vectors.
  let angularByPair: AlignedBuffer<T>
  let radial: NEPRadial
  let network: NEPNetwork
  /// Weights of s² in the three-body invariants, by lm.
  let weights: AlignedBuffer<T>
  /// Monomials of the many-body channels, all channels in a row, and where each channel starts;
  /// q1111 has none and is computed from the first invariant.
  let cubics: AlignedBuffer<Cubic>
  let cubicStart: AlignedBuffer<Int32>
  let zbl: [NEPModel.ZBL]
  /// Z_lm of harmonics with l > 4: coefficients, lowest first.
  let highHarmonics: [SolidHarmonic]

  /// coefficient · s_a s_b s_c; a, b, c are places of rows in s.
  struct Cubic: BitwiseCopyable, Sendable {
    let coefficient: T
    let a, b, c: Int32
  }

  init(_ m: NEPModel) {
    let nt = m.elements.count
    let w = V.width
    speciesCount = nt
    angularCount = m.angularCount
    angularBasis = m.angularBasis
    degree = m.degree
    descriptorCount = m.descriptorCount
    channelCount = m.channels.count
    harmonicCount = m.harmonicCount
    harmonicRows = (m.harmonicCount + 7) / 8 * 8
    let columns = (m.angularCount + w - 1) / w * w
    angularColumns = columns
    let length = nt == 1 ? 1 : (nt + 15) / 16 * 16
    tableLength = length
    sharesBasis = Set(m.radialCutoffs + m.angularCutoffs).count == 1
    hasZBL = m.zbl != nil
    zbl = m.zbl ?? []
    reachSquared = AlignedBuffer(
      (0..<nt).map { i in
        let reach = (0..<nt).map { max(m.radialCutoffs[i * nt + $0], m.angularCutoffs[i * nt + $0]) }
        return (reach.max() ?? 0) * (reach.max() ?? 0)
      })
    angularReachSquared = AlignedBuffer(m.angularCutoffs.map { $0 * $0 })
    radial = NEPRadial(m, tableLength: length)
    angularCutoff = m.byPair(m.angularCutoffs, length)
    angularInverse = m.byPair(m.angularCutoffs.map { 1 / $0 }, length)
    angularTable = m.bySpecies(m.angularCoefficients, length)
    angularByPair = AlignedBuffer(count: nt * nt * m.angularBasis * columns)
    for p in 0..<nt * nt {
      for n in 0..<m.angularCount {
        for k in 0..<m.angularBasis {
          angularByPair.pointer[(p * m.angularBasis + k) * columns + n] =
            T(m.angularCoefficients[p][n * m.angularBasis + k])
        }
      }
    }
    network = NEPNetwork(m)
    let harmonics = SolidHarmonic.all(upTo: m.degree)
    weights = AlignedBuffer(harmonics.map { T($0.weight) })
    var terms: [Cubic] = []
    var starts: [Int32] = [0]
    for channel in m.channels {
      if channel != .q1111 {
        terms += Monomial.expansion(of: channel).map {
          Cubic(
            coefficient: T($0.coefficient), a: Int32($0.indices[0] * columns),
            b: Int32($0.indices[1] * columns), c: Int32($0.indices[2] * columns))
        }
      }
      starts.append(Int32(terms.count))
    }
    cubics = AlignedBuffer(terms)
    cubicStart = AlignedBuffer(starts)
    highHarmonics = harmonics.filter { $0.l > 4 }
  }
}

/// Working memory of one thread, for rows of up to `capacity` pairs.
struct NEPScratch<V: Lanes>: ~Copyable {
  typealias T = V.Scalar
  let capacity: Int
  let raw: AlignedBuffer<Double>
  let integers: AlignedBuffer<Int32>
  let values: AlignedBuffer<T>
  let wide: AlignedBuffer<Double>

  /// Room for the pair vectors, basis functions, g and b of `capacity` pairs.
  init(_ kernel: borrowing NEPKernel<V>, rowLength: Int) {
    capacity = (rowLength + 32 + 15) / 16 * 16
    raw = AlignedBuffer(count: 4 * capacity)
    integers = AlignedBuffer(count: 4 * capacity)
    let basis = max(kernel.radial.basisCount, kernel.angularBasis)
    let perPair =
      8 + 2 * kernel.angularBasis + 2 * kernel.angularCount + kernel.angularColumns
      + kernel.harmonicRows
    let perAtom =
      2 * kernel.harmonicRows * kernel.angularColumns + kernel.descriptorCount
      + (kernel.harmonicRows + 8) * V.width
    values = AlignedBuffer(count: perPair * capacity + perAtom + 1024)
    wide = AlignedBuffer(
      count: (12 + 2 * basis + 2 * kernel.angularBasis) * capacity + 2 * kernel.descriptorCount
        + kernel.radial.basisCount * kernel.tableLength + kernel.network.scratchCount + 1024)
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
