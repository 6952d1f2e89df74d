import Foundation
import Matter

/// An intensity over energy transfer, and the list of what was done to it.
public struct Spectrum: Sendable {
  /// The energies, in meV, rising and evenly spaced; positive is energy given to the sample.
  public var energies: [Double]
  /// The intensity; NaN where it cannot be measured.
  public var values: [Double]
  /// Its unit.
  public var unit: String
  /// What was done, in order.
  public var history: [String]

  /// A spectrum of values on energies.
  public init(energies: [Double], values: [Double], unit: String, history: [String] = []) {
    precondition(energies.count == values.count)
    self.energies = energies
    self.values = values
    self.unit = unit
    self.history = history
  }

  /// How a Gaussian is put on a grid.
  public enum GaussianSampling: Sendable {
    /// Its integral over each bin: keeps areas however narrow it is.
    case binned
    /// Its value at each energy times the step: only for σ above the step.
    case sampled
  }

  /// On evenly spaced energies from the first on, by linear interpolation; constant beyond the end.
  public func resampled(step: Double, count: Int) -> Spectrum {
    var result = self
    let grid = energies.count > 1 ? energies[1] - energies[0] : 1
    result.energies = (0..<count).map { energies[0] + Double($0) * step }
    result.values = (0..<count).map { i in
      let position = Double(i) * step / grid
      let base = Int(position)
      guard base + 1 < values.count else { return values[values.count - 1] }
      let u = position - Double(base)
      return u == 0 ? values[base] : (1 - u) * values[base] + u * values[base + 1]
    }
    return result
  }

  /// Broadened by a Gaussian whose σ (meV) is that of the true energy, not of the one it lands on:
  /// out(E_j) = Σ_i in(E_i) ΔE N(E_j; E_i, σ(E_i)). NaN counts as no intensity, and stays NaN.
  public func broadened(
    by resolution: Resolution, sampling: GaussianSampling = .binned
  ) -> Spectrum {
    guard energies.count > 1 else { return self }
    let step = energies[1] - energies[0]
    var result = self
    result.values = [Double](repeating: 0, count: values.count)
    for (i, energy) in energies.enumerated() where values[i] != 0 && !values[i].isNaN {
      guard let sigma = resolution.sigma(energy), sigma > 0 else {
        result.values[i] += values[i]
        continue
      }
      // Beyond 9σ less than 1e-18 of the peak is left.
      let reach = Int((9 * sigma / step).rounded(.up)) + 1
      for j in max(0, i - reach)...min(energies.count - 1, i + reach) {
        let d = energies[j] - energy
        let weight =
          switch sampling {
          case .binned:
            0.5
              * (erf((d + step / 2) / (sigma * 2.squareRoot()))
                - erf((d - step / 2) / (sigma * 2.squareRoot())))
          case .sampled:
            step / ((2 * Double.pi).squareRoot() * sigma) * exp(-0.5 * (d / sigma) * (d / sigma))
          }
        result.values[j] += values[i] * weight
      }
    }
    for i in values.indices where values[i].isNaN { result.values[i] = .nan }
    result.history.append("resolution: " + resolution.description)
    return result
  }

  /// With a quantum factor.
  public func corrected(by factor: QuantumFactor, temperature: Double) -> Spectrum {
    var result = self
    for (i, energy) in energies.enumerated() {
      result.values[i] *= factor.value(energy: energy, temperature: temperature)
    }
    result.history.append(
      "quantum factor \(factor.rawValue), T = \(Decimals.text(temperature)) K")
    return result
  }
}
