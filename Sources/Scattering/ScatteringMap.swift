import Foundation
import Matter

/// An intensity over |q| and energy transfer, (q, energy) with the energies of a q together, and the
/// list of what was done to it.
public struct ScatteringMap: Sendable {
  /// |q| of the rows, in rad/Å: of points or of shells.
  public var norms: [Double]
  /// The energies, in meV, rising and evenly spaced; positive is energy given to the sample.
  public var energies: [Double]
  /// The intensity; NaN where it cannot be measured.
  public var values: [Double]
  /// Its unit.
  public var unit: String
  /// What was done, in order.
  public var history: [String]

  /// A map of values (q, energy).
  public init(
    norms: [Double], energies: [Double], values: [Double], unit: String, history: [String] = []
  ) {
    precondition(values.count == norms.count * energies.count)
    self.norms = norms
    self.energies = energies
    self.values = values
    self.unit = unit
    self.history = history
  }

  /// dynasor's S(q,ω), a transform in fs without 1/2π on frequencies ω ≥ 0 (rad/fs), as a density
  /// in energy: S_E = S_ω/2πħ, in `unit`/meV.
  public init(
    norms: [Double], omega: [Double], values: [Double], unit: String, history: [String] = []
  ) {
    let scale = 1 / (2 * Double.pi * Units.excitationEnergy)
    self.init(
      norms: norms, energies: omega.map { $0 * Units.excitationEnergy },
      values: values.map { $0 * scale }, unit: unit + "/meV", history: history)
  }

  /// The step of the energies, in meV.
  public var step: Double { energies.count > 1 ? energies[1] - energies[0] : 0 }

  /// The even classical spectrum on both sides of zero energy, from that on E ≥ 0.
  public func mirrored() -> ScatteringMap {
    let n = energies.count
    var result = self
    result.energies = energies.dropFirst().reversed().map { -$0 } + energies
    result.values = norms.indices.flatMap { q in
      let row = values[q * n..<(q + 1) * n]
      return row.dropFirst().reversed() + row
    }
    return result
  }

  /// With a quantum factor.
  public func corrected(by factor: QuantumFactor, temperature: Double) -> ScatteringMap {
    scaled("quantum factor \(factor.rawValue), T = \(Decimals.text(temperature)) K") { _, energy in
      factor.value(energy: energy, temperature: temperature)
    }
  }

  /// Over q², as the one-phonon intensity grows; the row of q = 0 becomes NaN.
  public func dividedByQSquare() -> ScatteringMap {
    scaled("divided by q²") { q, _ in q > 0 ? 1 / (q * q) : .nan }
  }

  /// Over exp(−q²U/3), U = ⟨|r − ⟨r⟩|²⟩ in Å².
  public func dividedByDebyeWaller(meanSquare: Double) -> ScatteringMap {
    scaled("divided by the Debye-Waller factor, U = \(Decimals.text(meanSquare)) Å²") { q, _ in
      1 / DebyeWaller.factor(q: q, meanSquare: meanSquare)
    }
  }

  /// Times ω², for display: E² in meV².
  public func timesFrequencySquare() -> ScatteringMap {
    scaled("times ω² (E² in meV²)") { _, energy in energy * energy }
  }

  /// The mean of rows that show the same point of the zone, as `QPath` lists them: zone by zone.
  /// Rows with NaN in them (q = 0 after a division by q²) are left out.
  public func averagedOverZones(_ zoneCount: Int) -> ScatteringMap {
    precondition(zoneCount > 0 && norms.count % zoneCount == 0)
    let rows = norms.count / zoneCount
    let n = energies.count
    var result = self
    result.norms = Array(norms[0..<rows])
    result.values = (0..<rows).flatMap { r -> [Double] in
      var sum = [Double](repeating: 0, count: n)
      var count = 0.0
      for z in 0..<zoneCount {
        let row = values[(z * rows + r) * n..<(z * rows + r + 1) * n]
        if row.contains(where: \.isNaN) { continue }
        count += 1
        for (c, v) in row.enumerated() { sum[c] += v }
      }
      return sum.map { count > 0 ? $0 / count : .nan }
    }
    result.history.append("mean over \(zoneCount) zones")
    return result
  }

  /// ∫ S dq at each energy by the trapezoidal rule over the rows, whose |q| rise.
  public func integratedOverQ() -> Spectrum {
    let n = energies.count
    var sum = [Double](repeating: 0, count: n)
    for q in norms.indices.dropFirst() {
      let half = 0.5 * (norms[q] - norms[q - 1])
      for c in 0..<n { sum[c] += half * (values[(q - 1) * n + c] + values[q * n + c]) }
    }
    return Spectrum(
      energies: energies, values: sum, unit: unit + "/angstrom",
      history: history
        + [
          "integrated over |q| from \(Decimals.text(norms.first ?? 0)) to "
            + "\(Decimals.text(norms.last ?? 0)) 1/Å"
        ])
  }

  private func scaled(_ step: String, _ factor: (Double, Double) -> Double) -> ScatteringMap {
    var result = self
    for (i, q) in norms.enumerated() {
      for (c, energy) in energies.enumerated() {
        result.values[i * energies.count + c] *= factor(q, energy)
      }
    }
    result.history.append(step)
    return result
  }
}
