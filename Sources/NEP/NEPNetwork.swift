import Matter

/// The networks of all species, U = Σ_μ w1_μ tanh(Σ_ν W0_μν y_ν − b0_μ) − bias. The energy is
/// computed in double for both precisions, a small difference of large terms; its derivatives in
/// the precision V.
///
/// Neurons fill vectors, and groups of sixteen are read once forward and, still in the first-level
/// cache, once backward.
struct NEPNetwork<V: Lanes>: ~Copyable, Sendable {
  typealias T = V.Scalar
  private typealias D = DoubleLanes

  private let inputCount, groupCount: Int
  /// [species][group][ν][16 neurons], with q_scaler multiplied in; the last group may be padded.
  private let forward: AlignedBuffer<Double>
  private let backward: AlignedBuffer<T>
  /// [species][neuron].
  private let b0, w1: AlignedBuffer<Double>
  private let bias: [Double]

  init(_ m: NEPModel) {
    let d = m.descriptorCount
    let groups = (m.neuronCount + 15) / 16
    let nt = m.elements.count
    inputCount = d
    groupCount = groups
    forward = AlignedBuffer(count: nt * groups * 16 * d)
    backward = AlignedBuffer(count: nt * groups * 16 * d)
    b0 = AlignedBuffer(count: nt * groups * 16)
    w1 = AlignedBuffer(count: nt * groups * 16)
    bias = m.networks.map(\.bias)
    for (i, network) in m.networks.enumerated() {
      for neuron in 0..<m.neuronCount {
        for v in 0..<d {
          let at = ((i * groups + neuron / 16) * d + v) * 16 + neuron % 16
          let weight = network.w0[neuron * d + v] * m.scaler[v]
          forward.pointer[at] = weight
          backward.pointer[at] = T(weight)
        }
        b0.pointer[i * groups * 16 + neuron] = network.b0[neuron]
        w1.pointer[i * groups * 16 + neuron] = network.w1[neuron]
      }
    }
  }

  /// Working memory that `evaluate` needs, in values.
  var scratchCount: Int { inputCount * V.width + 16 }

  /// The energy, in eV, and P_ν = ∂U/∂q_ν into `slope`.
  @inline(never)
  func evaluate(
    _ species: Int, _ q: UnsafePointer<Double>, _ slope: UnsafeMutablePointer<T>,
    _ scratch: UnsafeMutablePointer<T>
  ) -> Double {
    let d = inputCount
    let offset = species &* groupCount &* 16
    var row = UnsafePointer(forward.pointer + offset &* d)
    var back = UnsafePointer(backward.pointer + offset &* d)
    let columns = scratch + 16
    var energy = D.zero
    for group in 0..<groupCount {
      let neuron = offset &+ group &* 16
      var a0 = D.zero - D(load: b0.pointer + neuron)
      var a1 = D.zero - D(load: b0.pointer + neuron + 8)
      var c0 = D.zero
      var c1 = D.zero
      for v in 0..<d / 2 {
        let x = D(q[2 &* v])
        let y = D(q[2 &* v &+ 1])
        a0 = D.fma(x, D(load: row), a0)
        a1 = D.fma(x, D(load: row + 8), a1)
        c0 = D.fma(y, D(load: row + 16), c0)
        c1 = D.fma(y, D(load: row + 24), c1)
        row += 32
      }
      if d & 1 == 1 {
        let x = D(q[d &- 1])
        a0 = D.fma(x, D(load: row), a0)
        a1 = D.fma(x, D(load: row + 8), a1)
        row += 16
      }
      V.narrow(
        Self.activate(a0 + c0, D(load: w1.pointer + neuron), &energy),
        Self.activate(a1 + c1, D(load: w1.pointer + neuron + 8), &energy), scratch)
      // The two halves of a group add up in one column where a vector holds eight.
      var column = columns
      if V.width == 16 {
        let g = V(load: scratch)
        for _ in 0..<d {
          let term = g * V(load: back)
          (group == 0 ? term : term + V(load: column)).store(column)
          back += 16
          column += V.width
        }
      } else {
        let g0 = V(load: scratch)
        let g1 = V(load: scratch + 8)
        for _ in 0..<d {
          let term = V.fma(g0, V(load: back), g1 * V(load: back + 8))
          (group == 0 ? term : term + V(load: column)).store(column)
          back += 16
          column += V.width
        }
      }
    }
    var column = columns
    for v in 0..<d {
      slope[v] = V(load: column).sum()
      column += V.width
    }
    return energy.sum() - bias[species]
  }

  /// Adds w1·h to the energy and returns w1·(1 − h²), h = tanh(a).
  @inline(__always)
  private static func activate(_ a: D, _ w1: D, _ energy: inout D) -> D {
    let h = D.tanh(a)
    energy = D.fma(h, w1, energy)
    return w1 * D.fma(D.zero - h, h, D(1))
  }
}
