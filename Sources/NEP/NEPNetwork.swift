import Matter

/// The networks of all species, U = Σ_μ w1_μ tanh(Σ_ν W0_μν y_ν − b0_μ) − bias, always in double
/// precision: the energy of an atom is a small difference of large terms.
///
/// Neurons fill vectors of eight; vectors are taken four at a time (a group), the rest one by one.
struct NEPNetwork: ~Copyable, Sendable {
  typealias V = DoubleLanes

  private let inputCount, vectorCount: Int
  /// [species][group][ν][neuron of the group], with q_scaler multiplied in.
  private let w0: AlignedBuffer<Double>
  /// [species][neuron].
  private let b0, w1: AlignedBuffer<Double>
  private let bias: [Double]

  init(_ m: NEPModel) {
    let d = m.descriptorCount
    let vectors = (m.neuronCount + 7) / 8
    let nt = m.elements.count
    inputCount = d
    vectorCount = vectors
    w0 = AlignedBuffer(count: nt * vectors * 8 * d)
    b0 = AlignedBuffer(count: nt * vectors * 8)
    w1 = AlignedBuffer(count: nt * vectors * 8)
    bias = m.networks.map(\.bias)
    for (i, network) in m.networks.enumerated() {
      for neuron in 0..<m.neuronCount {
        let vector = neuron / 8
        let grouped = vector < vectors / 4 * 4
        let first = grouped ? vector / 4 * 4 : vector
        let width = grouped ? 32 : 8
        for v in 0..<d {
          w0.pointer[(i * vectors + first) * 8 * d + v * width + neuron - 8 * first] =
            network.w0[neuron * d + v] * m.scaler[v]
        }
        b0.pointer[i * vectors * 8 + neuron] = network.b0[neuron]
        w1.pointer[i * vectors * 8 + neuron] = network.w1[neuron]
      }
    }
  }

  /// Working memory that `evaluate` needs, in values.
  var scratchCount: Int { inputCount * 8 }

  /// The energy, in eV, and P_ν = ∂U/∂q_ν into `slope`.
  @inline(never)
  func evaluate(
    _ species: Int, _ q: UnsafePointer<Double>, _ slope: UnsafeMutablePointer<Double>,
    _ columns: UnsafeMutablePointer<Double>
  ) -> Double {
    let d = inputCount
    var weights = w0.pointer + species &* vectorCount &* 8 &* d
    var input = b0.pointer + species &* vectorCount &* 8
    var output = w1.pointer + species &* vectorCount &* 8
    var energy = V.zero
    var isFirst = true
    for _ in 0..<vectorCount / 4 {
      var a0 = V.zero - V(load: input)
      var a1 = V.zero - V(load: input + 8)
      var a2 = V.zero - V(load: input + 16)
      var a3 = V.zero - V(load: input + 24)
      var row = weights
      for v in 0..<d {
        let x = V(q[v])
        a0 = V.fma(x, V(load: row), a0)
        a1 = V.fma(x, V(load: row + 8), a1)
        a2 = V.fma(x, V(load: row + 16), a2)
        a3 = V.fma(x, V(load: row + 24), a3)
        row += 32
      }
      let g0 = Self.activate(a0, V(load: output), &energy)
      let g1 = Self.activate(a1, V(load: output + 8), &energy)
      let g2 = Self.activate(a2, V(load: output + 16), &energy)
      let g3 = Self.activate(a3, V(load: output + 24), &energy)
      row = weights
      var column = columns
      for _ in 0..<d {
        let sum =
          V.fma(g0, V(load: row), g1 * V(load: row + 8))
          + V.fma(g2, V(load: row + 16), g3 * V(load: row + 24))
        (isFirst ? sum : sum + V(load: column)).store(column)
        row += 32
        column += 8
      }
      isFirst = false
      weights = row
      input += 32
      output += 32
    }
    for _ in 0..<vectorCount & 3 {
      var a0 = V.zero - V(load: input)
      var a1 = V.zero
      var row = weights
      for v in 0..<d / 2 {
        a0 = V.fma(V(q[2 &* v]), V(load: row), a0)
        a1 = V.fma(V(q[2 &* v &+ 1]), V(load: row + 8), a1)
        row += 16
      }
      if d & 1 == 1 { a0 = V.fma(V(q[d &- 1]), V(load: row), a0) }
      let g = Self.activate(a0 + a1, V(load: output), &energy)
      row = weights
      var column = columns
      for _ in 0..<d {
        let term = g * V(load: row)
        (isFirst ? term : term + V(load: column)).store(column)
        row += 8
        column += 8
      }
      isFirst = false
      weights = row
      input += 8
      output += 8
    }
    for v in 0..<d { slope[v] = V(load: columns + 8 &* v).sum() }
    return energy.sum() - bias[species]
  }

  /// Adds w1·h to the energy and returns w1·(1 − h²), h = tanh(a).
  @inline(__always)
  private static func activate(_ a: V, _ w1: V, _ energy: inout V) -> V {
    let h = V.tanh(a)
    energy = V.fma(h, w1, energy)
    return w1 * V.fma(V.zero - h, h, V(1))
  }
}
