import Foundation
import Matter

/// Factors Q(x), x = E/k_BT, that turn the even spectrum of classical motion into one with detailed
/// balance, Q(−x) = e^{−x} Q(x). E > 0 is energy given to the sample; T is the temperature of the
/// classical statistics of the run.
public enum QuantumFactor: String, Sendable, CaseIterable {
  /// x/(1 − e^{−x}): exact for one quantum of a harmonic system (first-order Stokes, Kubo).
  case harmonic
  /// e^{x/2}: for recoil and quasi-elastic scattering only.
  case schofield
  /// 2/(1 + e^{−x}): detailed balance and no more.
  case standard
  /// e^{x/4} √(x/(1 − e^{−x})): between the first two.
  case harmonicSchofield = "harmonic-schofield"

  /// The factor at an energy transfer in meV and a temperature in K.
  public func value(energy: Double, temperature: Double) -> Double {
    let x = energy / (Units.boltzmannMilli * temperature)
    return switch self {
    case .harmonic: Self.bose(x)
    case .schofield: exp(x / 2)
    case .standard: 2 / (1 + exp(-x))
    case .harmonicSchofield: exp(x / 4) * Self.bose(x).squareRoot()
    }
  }

  /// x/(1 − e^{−x}), 1 at x = 0.
  static func bose(_ x: Double) -> Double { x == 0 ? 1 : x / -expm1(-x) }
}

/// The correction of Egelstaff, Adv. Phys. 11, 203 (1962): S(ω) = e^{x/2} FT[F(√(t² + (βħ/2)²))].
public enum EgelstaffCorrection {
  /// The corrected spectrum of one function of time, by dynasor's transform.
  /// - Parameters:
  ///   - function: F at lags 0...W; between them it is interpolated by cubics, beyond them kept at
  ///     its last value. Trust it only where F is smooth on the scale of the lags and its noise is
  ///     below e^{−x/2}.
  ///   - timestep: between lags, in fs.
  ///   - temperature: in K.
  /// - Returns: S in fs at the energies ±ħω_k, ω_k = 2πk/((2W + 1)Δt), in order from −W to W.
  public static func spectrum(
    of function: [Double], timestep: Double, temperature: Double
  ) -> [Double] {
    let last = function.count - 1
    let shift = Units.excitationEnergy / (2 * Units.boltzmannMilli * temperature) / timestep
    let shifted = (0...last).map { l in
      interpolate(function, at: (Double(l) * Double(l) + shift * shift).squareRoot())
    }
    let even = CosineTransform(lags: last).spectrum(of: shifted, timestep: timestep)
    let step = 2 * Double.pi / (Double(2 * last + 1) * timestep) * Units.excitationEnergy
    return (-last...last).map { k in
      even[abs(k)] * exp(Double(k) * step / (2 * Units.boltzmannMilli * temperature))
    }
  }

  private static func interpolate(_ f: [Double], at position: Double) -> Double {
    let last = f.count - 1
    guard position < Double(last), last >= 3 else { return f[last] }
    // Even about lag 0: F(−l) = F(l).
    let base = Int(position)
    let u = position - Double(base)
    func value(_ l: Int) -> Double { f[min(abs(l), last)] }
    let (p, q, r, s) = (value(base - 1), value(base), value(base + 1), value(base + 2))
    return p * (-u * (u - 1) * (u - 2) / 6) + q * ((u + 1) * (u - 1) * (u - 2) / 2)
      + r * (-(u + 1) * u * (u - 2) / 2) + s * ((u + 1) * u * (u - 1) / 6)
  }
}
