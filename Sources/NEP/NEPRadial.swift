import Matter

/// The radial part of a model: q_n = Σ_j Σ_k c_nk f_k and its gradients, always in double precision.
/// Its terms are large and alternate in sign, and it is a small part of the work.
struct NEPRadial: ~Copyable, Sendable {
  typealias V = DoubleLanes

  let functionCount, basisCount, tableLength: Int
  /// [I][J]: cutoffs and their inverses.
  let cutoff, inverseCutoff: AlignedBuffer<Double>
  /// c^R as [I][n][k][J].
  private let table: AlignedBuffer<Double>
  /// c^R as [k][n], n in whole vectors, for a single species.
  private let byBasis: AlignedBuffer<Double>
  private let columns: Int

  init(_ m: NEPModel, tableLength: Int) {
    functionCount = m.radialCount
    basisCount = m.radialBasis
    self.tableLength = tableLength
    cutoff = m.byPair(m.radialCutoffs, tableLength)
    inverseCutoff = m.byPair(m.radialCutoffs.map { 1 / $0 }, tableLength)
    table = m.bySpecies(m.radialCoefficients, tableLength)
    let columns = (m.radialCount + 7) / 8 * 8
    self.columns = columns
    byBasis = AlignedBuffer(count: m.radialBasis * columns)
    for n in 0..<m.radialCount {
      for k in 0..<m.radialBasis {
        byBasis.pointer[k * columns + n] = m.radialCoefficients[0][n * m.radialBasis + k]
      }
    }
  }

  /// q_n = Σ_j Σ_k c_nk f_k for the radial part.
  @inline(never)
  func descriptor<L: SpeciesTable>(
    _: L.Type, _ species: Int, _ stride: Int, _ pairSpecies: UnsafePointer<Int32>,
    _ f: UnsafePointer<Double>, _ sums: UnsafeMutablePointer<Double>,
    _ q: UnsafeMutablePointer<Double>
  ) {
    if L.isSingle {
      // One species: f_k is summed over pairs before the contraction.
      var row = f
      for k in 0..<basisCount {
        var sum = V.zero
        for p in Swift.stride(from: 0, to: stride, by: V.width) { sum = sum + V(load: row + p) }
        sums[k] = sum.sum()
        row += stride
      }
      for n in Swift.stride(from: 0, to: columns, by: V.width) {
        var sum = V.zero
        var c = byBasis.pointer + n
        for k in 0..<basisCount {
          sum = V.fma(V(sums[k]), V(load: c), sum)
          c += columns
        }
        sum.store(q + n, lanes: min(V.width, functionCount &- n))
      }
      return
    }
    var row = table.pointer + species &* functionCount &* basisCount &* tableLength
    for n in 0..<functionCount {
      var sum = V.zero
      var other = V.zero
      for p in Swift.stride(from: 0, to: stride, by: V.width) {
        contract(L.self, row, pairSpecies + p, f + p, stride, &sum, &other)
      }
      q[n] = (sum + other).sum()
      row += basisCount &* tableLength
    }
  }

  /// Adds the radial part u Σ_n P_n dg_n/dr to p.
  @inline(never)
  func addGradients<L: SpeciesTable>(
    _: L.Type, _ species: Int, _ stride: Int, _ pairSpecies: UnsafePointer<Int32>,
    _ ux: UnsafePointer<Double>, _ uy: UnsafePointer<Double>, _ uz: UnsafePointer<Double>,
    _ fSlope: UnsafePointer<Double>, _ slope: UnsafePointer<Double>,
    _ contracted: UnsafeMutablePointer<Double>,
    _ px: UnsafeMutablePointer<Double>, _ py: UnsafeMutablePointer<Double>,
    _ pz: UnsafeMutablePointer<Double>
  ) {
    // Σ_n P_n c_nk for every neighbour species, then one sum over k for each pair.
    let length = basisCount &* tableLength
    let table = self.table.pointer + species &* functionCount &* length
    for x in Swift.stride(from: 0, to: length, by: V.width) {
      var sum = V.zero
      var c = table + x
      for n in 0..<functionCount {
        sum = V.fma(V(slope[n]), V(load: c), sum)
        c += length
      }
      sum.store(contracted + x)
    }
    for p in Swift.stride(from: 0, to: stride, by: V.width) {
      var sum = V.zero
      var other = V.zero
      contract(L.self, contracted, pairSpecies + p, fSlope + p, stride, &sum, &other)
      sum = sum + other
      V.fma(sum, V(load: ux + p), V(load: px + p)).store(px + p)
      V.fma(sum, V(load: uy + p), V(load: py + p)).store(py + p)
      V.fma(sum, V(load: uz + p), V(load: pz + p)).store(pz + p)
    }
  }

  /// Adds Σ_k c_k f_k of a vector of pairs to two sums, which hide each other's latency; c_k is
  /// looked up by the species of the neighbour, f advances by `stride`.
  @inline(__always)
  private func contract<L: SpeciesTable>(
    _: L.Type, _ table: UnsafePointer<Double>, _ species: UnsafePointer<Int32>,
    _ f: UnsafePointer<Double>, _ stride: Int, _ sum: inout V, _ other: inout V
  ) {
    var c = table
    var value = f
    for _ in 0..<basisCount / 2 {
      sum = V.fma(L.look(V.self, species, c), V(load: value), sum)
      c += tableLength
      value += stride
      other = V.fma(L.look(V.self, species, c), V(load: value), other)
      c += tableLength
      value += stride
    }
    if basisCount & 1 == 1 { sum = V.fma(L.look(V.self, species, c), V(load: value), sum) }
  }
}

extension NEPModel {
  /// Values by pair of species as [I][J], rows padded to `length`.
  func byPair<T: BinaryFloatingPoint & BitwiseCopyable>(
    _ values: [Double], _ length: Int
  ) -> AlignedBuffer<T> {
    let nt = elements.count
    let buffer = AlignedBuffer<T>(count: nt * length)
    for i in 0..<nt {
      for j in 0..<length { buffer.pointer[i * length + j] = T(values[i * nt + min(j, nt - 1)]) }
    }
    return buffer
  }

  /// Coefficients [I·Nt + J][nk] as [I][nk][J], rows padded to `length`.
  func bySpecies<T: BinaryFloatingPoint & BitwiseCopyable>(
    _ coefficients: [[Double]], _ length: Int
  ) -> AlignedBuffer<T> {
    let nt = elements.count
    let nk = coefficients[0].count
    let buffer = AlignedBuffer<T>(count: nt * nk * length)
    for i in 0..<nt {
      for x in 0..<nk {
        for j in 0..<nt {
          buffer.pointer[(i * nk + x) * length + j] = T(coefficients[i * nt + j][x])
        }
      }
    }
    return buffer
  }
}
