import Foundation
import Matter

/// The one-quantum self spectrum s(E) of a species: in the Gaussian approximation its incoherent
/// function is F(q,t) = exp(−q²[s̃(0) − s̃(t)]), s̃(t) = ∫ s(E) e^{−iEt/ħ} dE, and s̃(0) is the mean
/// square displacement U along one direction. In classical statistics s is even in E.
public struct SelfSpectrum: Sendable {
  /// The step of the energies, in meV.
  public let step: Double
  /// Classical s at the energies k·step, k = 0...K, in Å²/meV.
  public let classical: [Double]

  /// The classical mean square displacement along one direction, in Å².
  public var meanSquare: Double {
    step * (classical[0] + 2 * classical.dropFirst().reduce(0, +))
  }

  /// The spectrum of a vibrational density of states g(E), of any norm, of atoms of one mass:
  /// s = (k_BT ħ²/m) g/(2E²) for ∫₀^∞ g dE = 1.
  /// - Parameters:
  ///   - density: at the energies k·step; a density at zero energy (diffusion) is left out.
  ///   - step: in meV.
  ///   - mass: in amu.
  ///   - temperature: in K.
  public init(density: [Double], step: Double, mass: Double, temperature: Double) {
    let norm = step * density.dropFirst().reduce(0) { $0 + max(0, $1) }
    let scale = Units.boltzmannMilli * temperature * Units.quantumOfMass / mass / (2 * norm)
    var spectrum = density.indices.map { k in
      let energy = Double(k) * step
      return k == 0 ? 0 : max(0, density[k]) * scale / (energy * energy)
    }
    if spectrum.count > 1 { spectrum[0] = spectrum[1] }
    self.step = step
    classical = spectrum
  }

  /// The spectrum measured by incoherent functions of small q.
  ///
  /// −ln F/q² at each lag is fitted by γ(t) − q² δ(t), so that γ is the limit q → 0, where the
  /// Gaussian approximation is exact. The second difference of γ, which decays, is transformed
  /// with the square of a Hann window, whose tails fall fast enough for the division by
  /// 2(1 − cos ωΔt)/Δt² that follows; the few negative values that noise leaves are set to 0.
  /// - Parameters:
  ///   - functions: F(q, lag), divided by F(q, 0) here, on the points `norms` (rad/Å).
  ///   - timestep: between lags, in fs.
  /// - Throws: where no point has q above 0 and F above 0.3 at all lags.
  public init(functions: [Double], norms: [Double], timestep: Double) throws(InputError) {
    let columns = norms.isEmpty ? 0 : functions.count / norms.count
    precondition(columns * norms.count == functions.count)
    guard columns >= 8 else {
      throw InputError(
        "\(columns) lags are too few for a spectrum of displacements", remedy: "Give at least 8")
    }
    let usable = norms.indices.filter { i in
      norms[i] > 1e-9 && functions[i * columns] > 0
        && (0..<columns).allSatisfy { functions[i * columns + $0] > 0.3 * functions[i * columns] }
    }
    guard !usable.isEmpty else {
      throw InputError(
        "no q-point has an incoherent function that stays above 0.3 at all lags, which the "
          + "order-resolved correction takes the vibrations from",
        remedy: "Add points of smaller |q|, or shorten the lags if atoms diffuse")
    }
    let squares = usable.map { norms[$0] * norms[$0] }
    let isSpread = (squares.max() ?? 0) > 1.2 * (squares.min() ?? 0)
    let gamma = (0..<columns).map { l -> Double in
      // Weights q⁴: the error of ln F/q² falls as 1/q².
      var (w, x, xx, y, xy) = (0.0, 0.0, 0.0, 0.0, 0.0)
      for (i, q2) in zip(usable, squares) {
        let value = -log(functions[i * columns + l] / functions[i * columns]) / q2
        let weight = q2 * q2
        w += weight
        x += weight * q2
        xx += weight * q2 * q2
        y += weight * value
        xy += weight * q2 * value
      }
      return isSpread ? (xx * y - x * xy) / (w * xx - x * x) : y / w
    }
    let last = columns - 1
    let curvature = (0...last).map { l -> Double in
      guard l < last else { return 0 }
      let hann = 0.5 * (1 + cos(.pi * Double(l) / Double(last)))
      return hann * hann * (gamma[l + 1] - 2 * gamma[l] + gamma[abs(l - 1)]) / (timestep * timestep)
    }
    let power = CosineTransform(lags: last).spectrum(of: curvature, timestep: timestep)
    let period = Double(2 * last + 1)
    // A density in ω over two-sided frequencies is S/2π; per energy it is S/2πħ.
    let perEnergy = 1 / (2 * Double.pi * Units.excitationEnergy)
    var spectrum = power.indices.map { k -> Double in
      if k == 0 { return 0 }
      let difference = 2 * (1 - cos(2 * .pi * Double(k) / period)) / (timestep * timestep)
      return max(0, power[k] / difference * perEnergy)
    }
    spectrum[0] = spectrum[1]
    step = 2 * .pi / (period * timestep) * Units.excitationEnergy
    classical = spectrum
  }

  /// The same on another grid, by linear interpolation; zero beyond its end.
  public func resampled(step: Double, count: Int) -> SelfSpectrum {
    SelfSpectrum(
      step: step,
      classical: (0..<count).map { k in
        let position = Double(k) * step / self.step
        let base = Int(position)
        guard base + 1 < classical.count else {
          return base < classical.count && position == Double(base) ? classical[base] : 0
        }
        let u = position - Double(base)
        return (1 - u) * classical[base] + u * classical[base + 1]
      })
  }

  private init(step: Double, classical: [Double]) {
    self.step = step
    self.classical = classical
  }
}
