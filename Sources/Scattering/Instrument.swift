import Foundation
import Matter

/// A neutron spectrometer: which q it sees at an energy transfer, and how sharply.
/// Q² = k_i² + k_f² − 2k_i k_f cos 2θ, k² = E/2.0721 meV Å².
public struct Instrument: Sendable {
  /// Which of the two energies is fixed.
  public enum Geometry: Sendable, Equatable {
    /// The final energy, in meV; the incident one is scanned.
    case indirect(finalEnergy: Double)
    /// The incident energy, in meV; the final one is measured.
    case direct(incidentEnergy: Double)
  }

  /// Detectors at an angle or over a range of angles.
  public struct Bank: Sendable, Equatable {
    /// The name.
    public let name: String
    /// 2θ in degrees; a single angle sees a line in (q, E).
    public let angles: ClosedRange<Double>

    /// A bank of angles in degrees.
    public init(name: String, angles: ClosedRange<Double>) {
      self.name = name
      self.angles = angles
    }
    /// A bank at one angle.
    public init(name: String, angle: Double) { self.init(name: name, angles: angle...angle) }
  }

  /// The name.
  public let name: String
  /// The geometry.
  public let geometry: Geometry
  /// The banks.
  public let banks: [Bank]
  /// The resolution; nil where none is known.
  public let resolution: Resolution?

  /// An instrument of one's own.
  /// - Throws: for energies or angles that cannot be.
  public init(
    name: String, geometry: Geometry, banks: [Bank], resolution: Resolution?
  ) throws(InputError) {
    let (energy, word) =
      switch geometry {
      case .indirect(let e): (e, "final")
      case .direct(let e): (e, "incident")
      }
    guard energy > 0, energy.isFinite else {
      throw InputError(
        "the \(word) energy of \(name) is \(Decimals.text(energy)) meV",
        remedy: "Give an energy above 0")
    }
    guard !banks.isEmpty,
      banks.allSatisfy({ $0.angles.lowerBound >= -180 && $0.angles.upperBound <= 180 })
    else {
      throw InputError(
        "\(name) has no detector between -180 and 180 degrees", remedy: "Give angles 2θ in degrees")
    }
    self.init(checked: name, geometry, banks, resolution)
  }

  init(checked name: String, _ geometry: Geometry, _ banks: [Bank], _ resolution: Resolution?) {
    self.name = name
    self.geometry = geometry
    self.banks = banks
    self.resolution = resolution
  }

  /// Whether every bank is one angle, so that a spectrum is taken along lines.
  public var isLine: Bool { banks.allSatisfy { $0.angles.lowerBound == $0.angles.upperBound } }

  /// |Q| in 1/Å at an energy transfer (meV) and an angle (degrees); nil where no neutron can have
  /// lost or gained that much.
  public func momentum(energy: Double, angle: Double) -> Double? {
    momentum(energy: energy, cosine: cos(angle * .pi / 180))
  }

  /// The smallest and the largest |Q| in 1/Å that a bank sees at an energy transfer (meV); nil where
  /// it sees nothing.
  public func limits(_ bank: Bank, energy: Double) -> ClosedRange<Double>? {
    let (low, high) = (bank.angles.lowerBound, bank.angles.upperBound)
    var cosines = [cos(low * .pi / 180), cos(high * .pi / 180)]
    for extreme in [-180.0, 0, 180] where bank.angles.contains(extreme) {
      cosines.append(extreme == 0 ? 1 : -1)
    }
    guard let most = cosines.max(), let least = cosines.min(),
      let near = momentum(energy: energy, cosine: most),
      let far = momentum(energy: energy, cosine: least)
    else { return nil }
    return near...far
  }

  private func momentum(energy: Double, cosine: Double) -> Double? {
    let (initial, final) =
      switch geometry {
      case .indirect(let e): (e + energy, e)
      case .direct(let e): (e, e - energy)
      }
    guard initial >= 0, final >= 0 else { return nil }
    let (ki, kf) = (initial / Units.neutron, final / Units.neutron)
    return max(0, ki + kf - 2 * (ki * kf).squareRoot() * cosine).squareRoot()
  }

  /// Whether bins of |q| with the given edges (rising, one more than bins) are seen at an energy:
  /// those that overlap the range of some bank, so that a single angle sees a bin too.
  public func mask(edges: [Double], energy: Double) -> [Bool] {
    let ranges = banks.compactMap { limits($0, energy: energy) }
    return (0..<max(0, edges.count - 1)).map { b in
      ranges.contains { edges[b + 1] >= $0.lowerBound && edges[b] <= $0.upperBound }
    }
  }

  /// A map with NaN where the instrument does not see. Rows are bins around rising |q|, with edges
  /// half way between.
  public func masked(_ map: ScatteringMap) -> ScatteringMap {
    var result = map
    let edges = Self.edges(of: map.norms)
    let n = map.energies.count
    for (c, energy) in map.energies.enumerated() {
      for (q, isSeen) in mask(edges: edges, energy: energy).enumerated() where !isSeen {
        result.values[q * n + c] = .nan
      }
    }
    result.history.append("kinematic limits of \(name)")
    return result
  }

  /// Edges of bins around rising |q|, half way between them and as far beyond the ends.
  static func edges(of norms: [Double]) -> [Double] {
    guard norms.count > 1 else { return norms.flatMap { [$0, $0] } }
    let inner = zip(norms, norms.dropFirst()).map { 0.5 * ($0 + $1) }
    let first = norms[0] - (inner[0] - norms[0])
    let last = norms[norms.count - 1] + (norms[norms.count - 1] - inner[inner.count - 1])
    return [first] + inner + [last]
  }
}
