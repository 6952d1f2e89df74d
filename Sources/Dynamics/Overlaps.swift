import Matter
import Neighbors
import Parallel

/// Pairs of atoms that are closer than atoms can be.
public struct Overlaps: Sendable {
  /// Two atoms, images included.
  public struct Pair: Sendable, Equatable {
    /// The atoms, 0-based.
    public let first, second: Int
    /// In Å.
    public let distance: Double
  }
  /// Pairs closer than 0.6 of the sum of their covalent radii, closest first.
  public let pairs: [Pair]
  /// The closest pair of all; nil where no two atoms are within 4 Å.
  public let closest: Pair?
  /// The mean over atoms of the distance to their nearest neighbor, in Å, of those within 4 Å.
  public let meanNearest: Double?

  /// Whether two atoms stand at one place.
  public var areCoincident: Bool { (pairs.first?.distance ?? 1) < 1e-6 }

  /// Examines a configuration; throws what the neighbour search refuses.
  public init(
    _ configuration: borrowing Configuration, team: ThreadTeam
  ) throws(NeighborError) {
    let list = NeighborList(cutoff: 4, skin: 0)
    try list.build(configuration, team: team)
    var found: [Pair] = []
    var nearestSum = 0.0
    var withNeighbor = 0
    var best: Pair?
    let elements = configuration.elements
    for i in 0..<list.count {
      var nearest = Double.infinity
      for k in Int(list.rowStart[i])..<Int(list.rowStart[i + 1]) {
        let r = list.vector(from: i, pair: k, in: configuration)
        let distance = dot(r, r).squareRoot()
        nearest = min(nearest, distance)
        let j = Int(list.neighbor[k])
        guard j >= i else { continue }
        let pair = Pair(first: i, second: j, distance: distance)
        if distance < best?.distance ?? .infinity { best = pair }
        if distance < 0.6 * (elements[i].covalentRadius + elements[j].covalentRadius) {
          // An atom and its own image are found from both sides.
          if j != i || Int(list.reverse[k]) > k { found.append(pair) }
        }
      }
      if nearest < .infinity {
        nearestSum += nearest
        withNeighbor += 1
      }
    }
    pairs = found.sorted { ($0.distance, $0.first, $0.second) < ($1.distance, $1.first, $1.second) }
    closest = best
    meanNearest = withNeighbor > 0 ? nearestSum / Double(withNeighbor) : nil
  }

  /// `atoms 3 (C) and 17 (I) at 0.51 Å`.
  public static func describe(_ pair: Pair, _ elements: [Element]) -> String {
    let image = pair.first == pair.second ? " and its own image" : ""
    let second =
      pair.first == pair.second ? "" : " and \(pair.second + 1) (\(elements[pair.second]))"
    return
      "atom\(second.isEmpty ? "" : "s") \(pair.first + 1) (\(elements[pair.first]))\(second)\(image) at \(Decimal.fixed(pair.distance, 3)) Å"
  }
}
