import Foundation
import Matter

/// The quantum correction that knows the order of each feature: the measured spectrum is multiplied
/// by the ratio of the quantum to the classical expansion of the species' own vibrations. At a
/// fundamental it is x/(1 − e^{−x}), at an overtone of n quanta about the n-th power of that of
/// E/n, and it holds the change of the Debye–Waller factor by zero-point motion.
public struct OrderResolvedCorrection: Sendable {
  /// The step of the energies, in meV.
  public let step: Double
  /// The temperature, in K.
  public let temperature: Double
  /// The expansion of the motion as the run has it.
  public let classical: MultiphononExpansion
  /// The expansion with quantum statistics.
  public let quantum: MultiphononExpansion

  /// The correction of a species.
  /// - Parameters:
  ///   - temperature: of the classical statistics, in K.
  ///   - largestQ: that will be asked for, in rad/Å.
  public init(_ spectrum: SelfSpectrum, temperature: Double, largestQ: Double) {
    step = spectrum.step
    self.temperature = temperature
    classical = MultiphononExpansion(
      spectrum, statistics: .classical, temperature: temperature, largestQ: largestQ)
    quantum = MultiphononExpansion(
      spectrum, statistics: .quantum, temperature: temperature, largestQ: largestQ)
  }

  /// The factors at the energies k·step, k = −K...K, for a spectrum at |q| in rad/Å.
  ///
  /// Where the classical expansion is below 1e-7 of its largest value (no vibration reaches there),
  /// the factor goes over into the harmonic one. At zero energy the elastic line, one step wide, is
  /// part of both.
  public func factors(q: Double) -> [Double] {
    var numerator = quantum.inelastic(q: q)
    var denominator = classical.inelastic(q: q)
    let middle = numerator.count / 2
    let floor = 1e-7 * (denominator.max() ?? 0)
    numerator[middle] += quantum.elastic(q: q) / step
    denominator[middle] += classical.elastic(q: q) / step
    let zeroPoint = quantum.elastic(q: q) / classical.elastic(q: q)
    return numerator.indices.map { i in
      let energy = Double(i - middle) * step
      let first =
        zeroPoint * QuantumFactor.harmonic.value(energy: energy, temperature: temperature)
      return denominator[i] + floor > 0
        ? (numerator[i] + floor * first) / (denominator[i] + floor) : first
    }
  }

  /// The factors of many q at once, (q, energy) with the energies k·step from `from` on: the
  /// one-sided grid for 0, both sides for −K.
  public func factors(norms: [Double], from first: Int = 0) -> [Double] {
    norms.flatMap { q in
      let all = factors(q: q)
      return all[(all.count / 2 + first)...]
    }
  }
}

extension PartialFunctions {
  /// Spectra on the energies k·step, k = 0...K, each with the correction of its species; a coherent
  /// pair takes the geometric mean of its two, which is the incoherent approximation.
  public func corrected(by corrections: [OrderResolvedCorrection]) -> PartialFunctions {
    let factors = corrections.map { $0.factors(norms: norms) }
    precondition(factors.allSatisfy { $0.count == norms.count * columns })
    var result = self
    for (pair, values) in coherent {
      let (f, g) = (factors[pair.a], factors[pair.b])
      result.coherent[pair] = values.indices.map { values[$0] * (f[$0] * g[$0]).squareRoot() }
    }
    for (index, values) in incoherent {
      result.incoherent[index] = values.indices.map { values[$0] * factors[index][$0] }
    }
    if let temperature = corrections.first?.temperature {
      result.history.append(
        "order-resolved quantum correction, T = \(Decimals.text(temperature)) K, U along one "
          + "direction classical "
          + corrections.map { Decimals.text($0.classical.meanSquare, digits: 4) }
          .joined(separator: ", ") + " and quantum "
          + corrections.map { Decimals.text($0.quantum.meanSquare, digits: 4) }
          .joined(separator: ", ") + " Å²")
    }
    return result
  }
}
