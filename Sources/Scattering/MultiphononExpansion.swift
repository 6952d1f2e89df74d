import Foundation
import Matter

/// The orders of a self spectrum in the Gaussian approximation: order n is
/// e^{−q²U} q^{2n}/n! · s∗…∗s (n times), with the classical s or the quantum one,
/// s(E) x/(1 − e^{−x}), U being the integral of the s used.
public struct MultiphononExpansion: Sendable {
  /// The statistics of the motion.
  public enum Statistics: Sendable {
    /// Equipartition, as in molecular dynamics.
    case classical
    /// Bose–Einstein statistics, zero-point motion included.
    case quantum
  }

  /// The step of the energies, in meV.
  public let step: Double
  /// The mean square displacement along one direction, in Å².
  public let meanSquare: Double
  /// s∗…∗s/n! for n = 1..., each at the energies k·step, k = −K...K, in Å^{2n}/meV.
  public let orders: [[Double]]

  /// The orders up to one that adds less than 1e-7 of the whole at the largest q, and at most 60.
  public init(
    _ spectrum: SelfSpectrum, statistics: Statistics, temperature: Double, largestQ: Double
  ) {
    let k = spectrum.classical.count - 1
    // Twice the range, so that paths that leave it by a sum and return by a difference count.
    let reach = 2 * k
    let step = spectrum.step
    let single = (-k...k).map { i in
      let s = spectrum.classical[abs(i)]
      guard statistics == .quantum else { return s }
      return s * QuantumFactor.harmonic.value(energy: Double(i) * step, temperature: temperature)
    }
    let meanSquare = step * single.reduce(0, +)
    var current = [Double](repeating: 0, count: 2 * reach + 1)
    for i in -k...k { current[reach + i] = single[k + i] }
    var orders: [[Double]] = []
    let argument = largestQ * largestQ * meanSquare
    var term = 1.0
    var rest = exp(argument) - 1
    for n in 1...60 {
      orders.append(Array(current[reach - k...reach + k]))
      term *= argument / Double(n)
      rest -= term
      if rest < 1e-7 * exp(argument) { break }
      current = Self.convolved(current, with: single, step: step / Double(n + 1))
    }
    self.step = step
    self.meanSquare = meanSquare
    self.orders = orders
  }

  /// The elastic part e^{−q²U}.
  public func elastic(q: Double) -> Double { exp(-q * q * meanSquare) }

  /// One order (from 1) at the energies −K...K, in 1/meV.
  public func intensity(order: Int, q: Double) -> [Double] {
    guard order <= orders.count else { return [Double](repeating: 0, count: orders[0].count) }
    let factor = elastic(q: q) * pow(q * q, Double(order))
    return orders[order - 1].map { $0 * factor }
  }

  /// All orders from 1 together, at the energies −K...K, in 1/meV.
  public func inelastic(q: Double) -> [Double] {
    var sum = [Double](repeating: 0, count: orders[0].count)
    var factor = elastic(q: q)
    for order in orders {
      factor *= q * q
      for i in sum.indices { sum[i] += factor * order[i] }
    }
    return sum
  }

  /// (f ∗ g)·step within the range of f; g is shorter.
  private static func convolved(_ f: [Double], with g: [Double], step: Double) -> [Double] {
    let half = g.count / 2
    var result = [Double](repeating: 0, count: f.count)
    for (j, weight) in g.enumerated() where weight != 0 {
      let offset = j - half
      let low = max(0, offset)
      let high = min(f.count, f.count + offset)
      let factor = weight * step
      for i in low..<high { result[i] += factor * f[i - offset] }
    }
    return result
  }
}
