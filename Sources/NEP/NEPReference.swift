import Foundation
import Matter
import Neighbors
import Parallel
import Potentials

/// NEP as its equations stand (docs/theory.md, "NEP"): double precision, one atom after the other,
/// no trick. The oracle for `NEPPotential`.
public final class NEPReference: Potential {
  private let model: NEPModel
  private let harmonics: [SolidHarmonic]
  private let polynomials: [[Monomial]]

  /// A reference evaluator of a model.
  public init(_ model: NEPModel) {
    self.model = model
    harmonics = SolidHarmonic.all(upTo: model.degree)
    polynomials = model.channels.map(Monomial.expansion(of:))
  }

  /// The species of the model.
  public var elements: [Element]? { model.elements }
  /// The largest cutoff, in Å.
  public var cutoff: Double { model.cutoff }

  /// See `Potential`.
  public func evaluate(
    _ configuration: borrowing Configuration, _ neighbors: NeighborList, needing: Requirements,
    team: ThreadTeam, into result: inout Evaluation
  ) throws(ModelError) {
    let species = try model.species(of: configuration)
    var forces = [SIMD3<Double>](repeating: .zero, count: configuration.count)
    var virial = Matrix3.zero
    for i in 0..<configuration.count {
      var pairs: [(j: Int, r: SIMD3<Double>)] = []
      for k in Int(neighbors.rowStart[i])..<Int(neighbors.rowStart[i + 1]) {
        let r = neighbors.vector(from: i, pair: k, in: configuration)
        let j = Int(neighbors.neighbor[k])
        guard dot(r, r) > 1e-12 else {
          throw ModelError("atoms \(i + 1) and \(j + 1) are at the same place", atoms: [i, j])
        }
        if dot(r, r) < cutoff * cutoff { pairs.append((j, r)) }
      }
      let (energy, gradients) = atom(species[i], pairs.map { (species[$0.j], $0.r) })
      result.energies[i] = energy
      for ((j, r), p) in zip(pairs, gradients) {
        forces[i] += p
        forces[j] -= p
        virial.x -= r.x * p
        virial.y -= r.y * p
        virial.z -= r.z * p
      }
    }
    for i in 0..<configuration.count { result.forces[i] = forces[i] }
    result.virial = virial
    result.energy = DeterministicSum.sum(result.energies.pointer, count: configuration.count)
  }

  /// Energy of an atom of species I and its gradients p = ∂U/∂r with respect to the vectors to its
  /// neighbours.
  private func atom(
    _ I: Int, _ pairs: [(species: Int, r: SIMD3<Double>)]
  ) -> (Double, [SIMD3<Double>]) {
    let m = model
    let nt = m.elements.count
    let lmCount = m.harmonicCount
    var q = [Double](repeating: 0, count: m.descriptorCount)
    var s = [[Double]](
      repeating: [Double](repeating: 0, count: lmCount), count: m.angularCount)
    var energy = 0.0
    var gradients = [SIMD3<Double>](repeating: .zero, count: pairs.count)

    for (index, (J, r)) in pairs.enumerated() {
      let distance = dot(r, r).squareRoot()
      let u = r / distance
      let pair = I * nt + J
      if distance < m.radialCutoffs[pair] {
        let f = Self.basis(distance, m.radialCutoffs[pair], m.radialBasis)
        for n in 0..<m.radialCount {
          for k in 0..<m.radialBasis {
            q[n] += m.radialCoefficients[pair][n * m.radialBasis + k] * f[k].value
          }
        }
      }
      if distance < m.angularCutoffs[pair] {
        let g = angularFunctions(distance, pair)
        for lm in 0..<lmCount {
          let b = harmonics[lm].value(u)
          for n in 0..<m.angularCount { s[n][lm] += g[n].value * b }
        }
      }
      if let zbl = m.zbl?[pair], distance < m.angularCutoffs[pair] {
        let v = zbl.evaluate(distance)
        energy += v.value / 2
        gradients[index] += u * (v.slope / 2)
      }
    }

    for n in 0..<m.angularCount {
      for l in 1...m.degree {
        for lm in l * l - 1..<(l + 1) * (l + 1) - 1 {
          q[m.radialCount + (l - 1) * m.angularCount + n] += harmonics[lm].weight * s[n][lm] * s[n][lm]
        }
      }
      for (c, polynomial) in polynomials.enumerated() {
        q[m.radialCount + (m.degree + c) * m.angularCount + n] =
          polynomial.reduce(0) { $0 + $1.value(s[n]) }
      }
    }

    let network = m.networks[I]
    var slopes = [Double](repeating: 0, count: m.descriptorCount)
    energy -= network.bias
    for neuron in 0..<m.neuronCount {
      var sum = -network.b0[neuron]
      for v in 0..<m.descriptorCount {
        sum += network.w0[neuron * m.descriptorCount + v] * q[v] * m.scaler[v]
      }
      let h = tanh(sum)
      energy += network.w1[neuron] * h
      for v in 0..<m.descriptorCount {
        slopes[v] +=
          network.w1[neuron] * (1 - h * h) * network.w0[neuron * m.descriptorCount + v]
          * m.scaler[v]
      }
    }

    // ∂U/∂s
    var phi = [[Double]](
      repeating: [Double](repeating: 0, count: lmCount), count: m.angularCount)
    for n in 0..<m.angularCount {
      for l in 1...m.degree {
        for lm in l * l - 1..<(l + 1) * (l + 1) - 1 {
          phi[n][lm] +=
            slopes[m.radialCount + (l - 1) * m.angularCount + n] * 2 * harmonics[lm].weight
            * s[n][lm]
        }
      }
      for (c, polynomial) in polynomials.enumerated() {
        let slope = slopes[m.radialCount + (m.degree + c) * m.angularCount + n]
        for monomial in polynomial { monomial.addGradient(s[n], times: slope, to: &phi[n]) }
      }
    }

    for (index, (J, r)) in pairs.enumerated() {
      let distance = dot(r, r).squareRoot()
      let u = r / distance
      let pair = I * nt + J
      if distance < m.radialCutoffs[pair] {
        let f = Self.basis(distance, m.radialCutoffs[pair], m.radialBasis)
        for n in 0..<m.radialCount {
          for k in 0..<m.radialBasis {
            gradients[index] +=
              u * (slopes[n] * m.radialCoefficients[pair][n * m.radialBasis + k] * f[k].slope)
          }
        }
      }
      if distance < m.angularCutoffs[pair] {
        let g = angularFunctions(distance, pair)
        for lm in 0..<lmCount {
          let b = harmonics[lm].value(u)
          let v = harmonics[lm].gradient(u)
          let across = (v - u * dot(u, v)) / distance
          for n in 0..<m.angularCount {
            gradients[index] += phi[n][lm] * (u * (g[n].slope * b) + across * g[n].value)
          }
        }
      }
    }
    return (energy, gradients)
  }

  private func angularFunctions(_ r: Double, _ pair: Int) -> [(value: Double, slope: Double)] {
    let f = Self.basis(r, model.angularCutoffs[pair], model.angularBasis)
    return (0..<model.angularCount).map { n in
      var g = (value: 0.0, slope: 0.0)
      for k in 0..<model.angularBasis {
        let c = model.angularCoefficients[pair][n * model.angularBasis + k]
        g.value += c * f[k].value
        g.slope += c * f[k].slope
      }
      return g
    }
  }

  /// f_k(r) = ½[T_k(ξ) + 1] f_c(r) and df_k/dr, ξ = 2(r/r_c − 1)² − 1.
  private static func basis(
    _ r: Double, _ cutoff: Double, _ count: Int
  ) -> [(value: Double, slope: Double)] {
    let x = r / cutoff
    let xi = 2 * (x - 1) * (x - 1) - 1
    let slope = 4 * (x - 1) / cutoff
    let fc = 0.5 * (1 + cos(.pi * x))
    let fcSlope = -0.5 * .pi / cutoff * sin(.pi * x)
    var t = [1.0, xi]
    var u = [1.0, 2 * xi]
    for k in 2..<max(3, count) {
      t.append(2 * xi * t[k - 1] - t[k - 2])
      u.append(2 * xi * u[k - 1] - u[k - 2])
    }
    return (0..<count).map { k in
      if k == 0 { return (fc, fcSlope) }
      return (
        0.5 * (t[k] + 1) * fc,
        0.5 * Double(k) * u[k - 1] * slope * fc + 0.5 * (t[k] + 1) * fcSlope
      )
    }
  }
}

extension NEPModel {
  /// The species of every atom, in the order of the model.
  /// - Throws: `ModelError` for an element that the model lacks
  func species(of configuration: borrowing Configuration) throws(ModelError) -> [Int] {
    var index: [Element: Int] = [:]
    for (i, element) in elements.enumerated() { index[element] = i }
    var result: [Int] = []
    result.reserveCapacity(configuration.count)
    for (atom, element) in configuration.elements.enumerated() {
      guard let i = index[element] else {
        throw ModelError(
          "element \(element) (atom \(atom + 1)) is not in the model (\(elements.map(\.symbol).joined(separator: " ")))",
          atoms: [atom])
      }
      result.append(i)
    }
    return result
  }
}

extension NEPModel.ZBL {
  /// V(r) and dV/dr, in eV and eV/Å.
  func evaluate(_ r: Double) -> (value: Double, slope: Double) {
    guard r < outer else { return (0, 0) }
    var phi = 0.0
    var phiSlope = 0.0
    for a in 0..<4 {
      let e = amplitudes[a] * exp(-rates[a] * screening * r)
      phi += e
      phiSlope -= rates[a] * screening * e
    }
    var s = 1.0
    var sSlope = 0.0
    if r >= inner {
      let w = .pi / (outer - inner)
      s = 0.5 * (1 + cos(w * (r - inner)))
      sSlope = -0.5 * w * sin(w * (r - inner))
    }
    let coulomb = charge / r
    return (
      coulomb * phi * s, coulomb * (phiSlope * s + phi * sSlope - phi * s / r)
    )
  }
}
