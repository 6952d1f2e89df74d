import Foundation
import Matter

/// The wave vectors of a calculation.
public enum WaveVectors: Sendable, Equatable {
  /// Integer multiples (h, k, l) of the reciprocal vectors of the instantaneous cell.
  case lattice([SIMD3<Int32>])
  /// Integer multiples (h, k, l) of given vectors, the rows of a matrix in rad/Å, the same in every
  /// frame: points that belong to a lattice a little beside that of the cell.
  case multiples([SIMD3<Int32>], of: Matrix3)
  /// Cartesian vectors, in rad/Å, the same in every frame. Positions must not be wrapped unless the
  /// vectors belong to the reciprocal lattice.
  case free([SIMD3<Double>])

  /// The number of vectors.
  public var count: Int {
    switch self {
    case .lattice(let points), .multiples(let points, _): points.count
    case .free(let points): points.count
    }
  }

  /// The vectors in the reciprocal lattice of a cell, in rad/Å.
  public func cartesian(in cell: Cell) -> [SIMD3<Double>] {
    switch self {
    case .free(let points): return points
    case .lattice(let points):
      return Self.vectors(points, of: cell.reciprocal)
    case .multiples(let points, let basis):
      return Self.vectors(points, of: basis)
    }
  }

  private static func vectors(_ points: [SIMD3<Int32>], of b: Matrix3) -> [SIMD3<Double>] {
    points.map { b.x * Double($0.x) + b.y * Double($0.y) + b.z * Double($0.z) }
  }

  /// Cartesian vectors of a constant cell as they were given, which may lie a little beside its
  /// lattice because other programs keep cells in single precision: multiples of common vectors
  /// where these reproduce them to 1e-12, free vectors otherwise.
  /// - Parameter tolerance: how far q·a/2π may be from an integer
  /// - Returns: nil if one is farther
  public static func commensurate(
    _ vectors: [SIMD3<Double>], in cell: Cell, tolerance: Double = 1e-5
  ) -> WaveVectors? {
    var points: [SIMD3<Int32>] = []
    for q in vectors {
      let v = q / (2 * Double.pi)
      let n = SIMD3(dot(v, cell.a), dot(v, cell.b), dot(v, cell.c))
      let nearest = n.rounded(.toNearestOrEven)
      let miss = n - nearest
      guard abs(nearest.x) < 1e9, abs(nearest.y) < 1e9, abs(nearest.z) < 1e9,
        max(abs(miss.x), abs(miss.y), abs(miss.z)) < tolerance
      else { return nil }
      points.append(SIMD3<Int32>(nearest))
    }
    // Least squares for what the vectors miss the lattice by; directions without points keep it.
    let start = cell.reciprocal
    var (normal, right) = (Matrix3.zero, Matrix3.zero)
    for (p, q) in zip(points, vectors) {
      let n = SIMD3<Double>(p)
      let miss = q - (start.x * n.x + start.y * n.y + start.z * n.z)
      normal = normal + Matrix3(n * n.x, n * n.y, n * n.z)
      right = right + Matrix3(miss * n.x, miss * n.y, miss * n.z)
    }
    let basis =
      start + (normal + Matrix3.identity * (1e-12 * max(1, normal.trace))).inverse * right
    let largest = vectors.map { dot($0, $0).squareRoot() }.max() ?? 0
    let isExact = zip(Self.vectors(points, of: basis), vectors).allSatisfy { a, b in
      dot(a - b, a - b).squareRoot() <= 1e-12 * largest
    }
    return isExact ? .multiples(points, of: basis) : .free(vectors)
  }

  /// The vectors of a range of indices.
  public subscript(range: Range<Int>) -> WaveVectors {
    switch self {
    case .lattice(let points): .lattice(Array(points[range]))
    case .multiples(let points, let basis): .multiples(Array(points[range]), of: basis)
    case .free(let points): .free(Array(points[range]))
    }
  }
}

extension WaveVectors {
  /// The integers, where there are any.
  var integers: [SIMD3<Int32>]? {
    switch self {
    case .lattice(let points), .multiples(let points, _): points
    case .free: nil
    }
  }

  /// What takes positions in a cell to fractional coordinates s with q·r = 2π(h, k, l)·s.
  func fractionalMatrix(in cell: Cell) -> Matrix3 {
    if case .multiples(_, let basis) = self { return basis * (0.5 / Double.pi) }
    return cell.fractionalMatrix
  }
}

extension Cell {
  /// The reciprocal vectors as rows, a_i·b_j = 2πδ_ij, in rad/Å.
  public var reciprocal: Matrix3 { fractionalMatrix * (2 * Double.pi) }
}

/// What multiplies F(t) before its transform to S(ω).
public enum Taper: Sendable, Equatable {
  /// Nothing, as in dynasor.
  case none
  /// ½[1 + cos(πl/(W+1))] at lag l of W.
  case hann
  /// exp(−t²/2σ²) with σ in fs: a Gaussian of 1/σ in ω.
  case gaussian(sigma: Double)

  /// The factors of lags 0...maximumLag, `timestep` fs apart.
  func factors(maximumLag: Int, timestep: Double) -> [Double] {
    (0...maximumLag).map { lag in
      switch self {
      case .none: return 1
      case .hann: return 0.5 * (1 + cos(Double.pi * Double(lag) / Double(maximumLag + 1)))
      case .gaussian(let sigma):
        let t = Double(lag) * timestep / sigma
        return exp(-0.5 * t * t)
      }
    }
  }
}

/// Which functions are asked for.
public struct CorrelationKinds: OptionSet, Sendable {
  /// The bits.
  public let rawValue: Int
  /// A set of bits.
  public init(rawValue: Int) { self.rawValue = rawValue }
  /// F_AB(q,t), S_AB(q,ω) and the static S_AB(q).
  public static let coherent = CorrelationKinds(rawValue: 1)
  /// The incoherent functions of each species.
  public static let incoherent = CorrelationKinds(rawValue: 2)
  /// Longitudinal and transverse current correlations; needs velocities.
  public static let currents = CorrelationKinds(rawValue: 4)
}

/// What is correlated, at which lags and origins.
public struct CorrelationPlan: Sendable {
  /// The wave vectors.
  public var points: WaveVectors
  /// The functions.
  public var kinds: CorrelationKinds
  /// The time between frames, in fs.
  public var timestep: Double
  /// The longest lag, in frames (dynasor's window_size). With fewer frames it is the number of
  /// frames less one.
  public var maximumLag: Int
  /// Every how many frames an origin stands, from the first frame on (dynasor's window_step).
  public var originStride: Int
  /// The number of parts of the origins whose spread gives the standard errors; 1: none.
  public var blocks: Int
  /// The window in time.
  public var taper: Taper
  /// How densities are computed.
  public var densities: DensityMethod = .automatic

  /// A plan for every origin, without a window.
  public init(
    points: WaveVectors, kinds: CorrelationKinds = [.coherent, .incoherent], timestep: Double,
    maximumLag: Int, originStride: Int = 1, blocks: Int = 5, taper: Taper = .none
  ) {
    self.points = points
    self.kinds = kinds
    self.timestep = timestep
    self.maximumLag = maximumLag
    self.originStride = originStride
    self.blocks = blocks
    self.taper = taper
  }

  /// The step of ω, 2π/((2W+1)Δt), in rad/fs.
  public var frequencyStep: Double { 2 * Double.pi / (Double(2 * maximumLag + 1) * timestep) }
  /// The Nyquist frequency π/Δt, in rad/fs; the last ω lies just below.
  public var nyquistFrequency: Double { Double.pi / timestep }

  /// - Throws: `InputError` for values that mean nothing.
  public func validate() throws(InputError) {
    func demand(_ condition: Bool, _ message: String, _ remedy: String) throws(InputError) {
      if !condition { throw InputError(message, remedy: remedy) }
    }
    try demand(points.count > 0, "there is no q-point", "Give at least one")
    try demand(!kinds.isEmpty, "no function is asked for", "Ask for coherent or incoherent")
    try demand(
      timestep > 0 && timestep.isFinite, "the time between frames is \(timestep) fs",
      "Give a positive one")
    try demand(maximumLag >= 0, "the maximum lag is \(maximumLag) frames", "Give 0 or more")
    try demand(originStride >= 1, "the origin stride is \(originStride)", "Give 1 or more")
    try demand(blocks >= 1, "the number of blocks is \(blocks)", "Give 1 or more")
    if case .gaussian(let sigma) = taper {
      try demand(
        sigma > 0 && sigma.isFinite, "the width of the Gaussian window is \(sigma) fs",
        "Give a positive one")
    }
    if case .transform(let largest) = densities {
      try demand(
        points.integers?.allSatisfy {
          abs($0.x) <= largest.x && abs($0.y) <= largest.y && abs($0.z) <= largest.z
        } ?? false, "a q-point lies outside the grid of indices up to \(largest)",
        "Make the grid for all points, which must be lattice points")
    }
    if case .free(let vectors) = points {
      try demand(
        vectors.allSatisfy { $0.x.isFinite && $0.y.isFinite && $0.z.isFinite },
        "a q-point is no finite vector", "Give three numbers in rad/Å for each")
    }
  }
}

/// The atoms in their species, in the order of the file.
public struct SpeciesMap: Sendable {
  /// The names, in alphabetical order.
  public let names: [String]
  /// The index into `names` of each atom that is analysed, nil for the others.
  public let index: [Int?]
  /// The number of all atoms, which normalizes every function.
  public var atomCount: Int { index.count }

  /// Atoms by the name of their species; nil for atoms that are left out.
  public init(_ labels: [String?]) {
    names = Set(labels.compactMap { $0 }).sorted()
    let number = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, $0) })
    index = labels.map { $0.flatMap { number[$0] } }
  }

  /// Atoms by element.
  public init(elements: [Element]) { self.init(elements.map { $0.symbol }) }

  /// The atoms of a species, ascending.
  func atoms(of species: Int) -> [Int] { index.indices.filter { index[$0] == species } }
}
