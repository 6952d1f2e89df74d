import Foundation

/// Spherical shells in |q| and the weight of each point in them.
public struct Shells: Sendable, Equatable {
  /// How points count.
  public enum Kernel: Sendable, Equatable {
    /// Each point counts 1 in the bin of this width about a center, lower edge included.
    case bin(width: Double)
    /// exp(−(q − center)²/2σ²), left out beyond 8σ.
    case gaussian(sigma: Double)
  }
  /// The centers, ascending, in rad/Å.
  public let centers: [Double]
  /// How points count.
  public let kernel: Kernel

  /// Shells of centers and a kernel.
  public init(centers: [Double], kernel: Kernel) {
    self.centers = centers
    self.kernel = kernel
  }

  /// Centers a width apart, the first at half of it, up to the one that holds `maximum`.
  public static func bins(width: Double, maximum: Double) -> Shells {
    let count = max(1, Int((maximum / width).rounded(.up)))
    return Shells(
      centers: (0..<count).map { (Double($0) + 0.5) * width }, kernel: .bin(width: width))
  }

  /// Where a point of length `norm` counts, and how much.
  func weights(of norm: Double) -> [(shell: Int, weight: Double)] {
    let reach: Double
    switch kernel {
    case .bin(let width): reach = width / 2
    case .gaussian(let sigma): reach = 8 * sigma
    }
    // The first center not below norm − reach.
    var (low, high) = (0, centers.count)
    while low < high {
      let middle = (low + high) / 2
      if centers[middle] < norm - reach { low = middle + 1 } else { high = middle }
    }
    var result: [(shell: Int, weight: Double)] = []
    while low < centers.count, centers[low] <= norm + reach {
      let d = norm - centers[low]
      switch kernel {
      case .bin: if d >= -reach && d < reach { result.append((low, 1)) }
      case .gaussian(let sigma): result.append((low, exp(-0.5 * d * d / (sigma * sigma))))
      }
      low += 1
    }
    return result
  }
}
