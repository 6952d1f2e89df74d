import Foundation
import Matter

/// The spherical average of functions of q over points of the reciprocal lattice, by one of
/// dynasor's kernels: ⟨Z⟩(q) = Σ_i w_i Z_i/Σ w_i with w_i a function of q − |q_i|. Functions are
/// arrays (point, column) with the columns of a point together.
public struct ShellAverage: Sendable {
  /// How a point's weight falls with its distance from the shell.
  public enum Kernel: Sendable, Equatable {
    /// exp(−(q − |q_i|)²/2σ²), σ in rad/Å. A shell far from every point takes the nearest.
    case gaussian(width: Double)
    /// 1/((q − |q_i|)² + γ²), γ in rad/Å.
    case lorentzian(width: Double)
    /// Bins of equal width, the first and the last centred on the smallest and largest |q|; an
    /// empty one gives NaN.
    case bins(count: Int)
  }

  /// What the weights of a shell add up to.
  public enum Normalization: Sendable {
    /// 1.
    case mean
    /// The sum of the kernel, of unit area in q, over points; for bins the number of points.
    case sum
  }

  /// |q| of the shells, in rad/Å.
  public let shells: [Double]
  /// |q| of the points, in rad/Å.
  public let norms: [Double]
  private let kernel: Kernel
  private let edges: [Double]
  private let shift: [Double]
  private var scale: [Double]

  /// Weights of points at `norms` for shells at `shells`, both in rad/Å; bins place their own
  /// shells.
  /// - Throws: for no points, a width that is not positive, or bins that cannot be made.
  public init(
    norms: [Double], shells: [Double] = [], kernel: Kernel, normalization: Normalization = .mean
  ) throws(InputError) {
    guard let low = norms.min(), let high = norms.max() else {
      throw InputError("a spherical average over no q-points", remedy: "Give q-points")
    }
    self.norms = norms
    self.kernel = kernel
    var area = 1.0
    switch kernel {
    case .gaussian(let width), .lorentzian(let width):
      guard width > 0, width.isFinite else {
        throw InputError(
          "the width of the shells is \(Decimals.text(width)) 1/Å", remedy: "Give a width above 0")
      }
      self.shells = shells
      edges = []
      if case .gaussian = kernel {
        area = width * (2 * Double.pi).squareRoot()
        let distances = Self.distances(of: shells, to: norms)
        // The largest exponent is taken off, so that a far shell is not 0/0.
        shift = distances.map { normalization == .mean ? 0.5 * ($0 / width) * ($0 / width) : 0 }
      } else {
        area = .pi / width
        shift = shells.map { _ in 0 }
      }
    case .bins(let count):
      guard count >= 2, high - low > 1e-12 else {
        throw InputError(
          "\(count) bins between |q| = \(Decimals.text(low)) and \(Decimals.text(high)) 1/Å",
          remedy: "Give at least two bins, and points of at least two |q|")
      }
      let width = (high - low) / Double(count - 1)
      let first = low - width / 2
      let step = (high + width / 2 - first) / Double(count)
      let edges = (0...count).map { first + Double($0) * step }
      self.edges = edges
      self.shells = (0..<count).map { 0.5 * (edges[$0] + edges[$0 + 1]) }
      shift = self.shells.map { _ in 0 }
    }
    scale = self.shells.map { _ in 1 / area }
    if normalization == .mean {
      for s in self.shells.indices {
        scale[s] = 1 / norms.reduce(0) { $0 + unscaled(s, $1) }
      }
    }
  }

  /// The kernel, for the history of a result.
  public var description: String {
    switch kernel {
    case .gaussian(let width): "Gaussian of σ = \(Decimals.text(width)) 1/Å"
    case .lorentzian(let width): "Lorentzian of γ = \(Decimals.text(width)) 1/Å"
    case .bins(let count): "\(count) bins"
    }
  }

  /// Shells from the smallest to the largest |q| of points, a step of `width` apart.
  public static func grid(norms: [Double], step: Double) -> [Double] {
    guard let low = norms.min(), let high = norms.max(), step > 0 else { return [] }
    let count = Int(((high - low) / step).rounded(.up))
    return (0...count).map { low + Double($0) * step }
  }

  /// The weight of a point in a shell.
  public func weight(shell: Int, point: Int) -> Double {
    let w = unscaled(shell, norms[point])
    return w == 0 ? 0 : w * scale[shell]
  }

  /// The averages (shell, column) of functions (point, column).
  public func average(_ values: [Double], columns: Int) -> [Double] {
    precondition(values.count == norms.count * columns)
    var result = [Double](repeating: 0, count: shells.count * columns)
    accumulate(values, points: 0..<norms.count, columns: columns, into: &result)
    return result
  }

  /// Adds the part of some points, whose functions (point, column) are given, to averages (shell,
  /// column) that began as zeros: the whole average once every point has been added.
  public func accumulate(
    _ values: [Double], points: Range<Int>, columns: Int, into result: inout [Double]
  ) {
    precondition(values.count == points.count * columns && result.count == shells.count * columns)
    for s in shells.indices {
      if scale[s].isInfinite {
        for c in 0..<columns { result[s * columns + c] = .nan }
        continue
      }
      for p in points {
        let w = weight(shell: s, point: p)
        if w == 0 { continue }
        let row = (p - points.lowerBound) * columns
        for c in 0..<columns { result[s * columns + c] += w * values[row + c] }
      }
    }
  }

  /// Along a line in (q, column): column c is averaged at |q| = line[c], with the Gaussian of a
  /// width (rad/Å). NaN where the line has no q.
  /// - Throws: as the initializer.
  public static func alongLine(
    _ line: [Double?], values: [Double], norms: [Double], width: Double
  ) throws(InputError) -> [Double] {
    let columns = line.count
    precondition(values.count == norms.count * columns)
    let average = try ShellAverage(
      norms: norms, shells: line.map { $0 ?? 0 }, kernel: .gaussian(width: width))
    return line.indices.map { c in
      guard line[c] != nil else { return .nan }
      return norms.indices.reduce(0) {
        $0 + average.weight(shell: c, point: $1) * values[$1 * columns + c]
      }
    }
  }

  private func unscaled(_ s: Int, _ norm: Double) -> Double {
    switch kernel {
    case .gaussian(let width):
      let x = (shells[s] - norm) / width
      let exponent = shift[s] - 0.5 * x * x
      return exponent < -700 ? 0 : exp(exponent)
    case .lorentzian(let width):
      let d = shells[s] - norm
      return 1 / (d * d + width * width)
    case .bins: return norm >= edges[s] && norm < edges[s + 1] ? 1 : 0
    }
  }

  private static func distances(of shells: [Double], to norms: [Double]) -> [Double] {
    let sorted = norms.sorted()
    return shells.map { shell in
      var (low, high) = (0, sorted.count)
      while low < high {
        let middle = (low + high) / 2
        if sorted[middle] < shell { low = middle + 1 } else { high = middle }
      }
      let above = low < sorted.count ? sorted[low] - shell : .infinity
      let below = low > 0 ? shell - sorted[low - 1] : .infinity
      return min(above, below)
    }
  }
}
