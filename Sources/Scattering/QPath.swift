import Matter

/// Commensurate points on straight segments through the Brillouin zones of a primitive cell. All
/// coordinates are exact fractions, so a point is on the path or it is not.
public struct QPath: Sendable {
  /// An end of a segment.
  public struct End: Sendable {
    /// The name, or the coordinates as text.
    public let label: String
    /// Three fractions of the primitive cell's reciprocal vectors.
    public let coordinates: [Rational]

    /// An end with a name.
    public init(label: String, coordinates: [Rational]) {
      precondition(coordinates.count == 3)
      self.label = label
      self.coordinates = coordinates
    }
  }

  /// One point of the path in one zone.
  public struct Sample: Sendable {
    /// The index of the segment.
    public let segment: Int
    /// The index of the zone.
    public let zone: Int
    /// How far along the segment, from 0 to 1.
    public let fraction: Rational
    /// Along the whole path in its first zone, in rad/Å; the same in every zone.
    public let distance: Double
    /// The lattice point.
    public let point: QPoint
  }

  /// The segments.
  public let segments: [(from: End, to: End)]
  /// The zones: integer multiples of the primitive cell's reciprocal vectors, added to each point.
  public let zones: [SIMD3<Int>]
  /// The points, zone by zone, in each in the order of the path.
  public let samples: [Sample]
  /// Names and distances (rad/Å) of the ends of the segments.
  public let ticks: [(label: String, distance: Double)]

  /// The points that a supercell has on segments.
  /// - Parameters:
  ///   - relation: of the supercell to the primitive cell.
  ///   - lattice: of the supercell's mean cell.
  /// - Throws: where a segment has no point that the supercell can hold.
  public init(
    segments: [(from: End, to: End)], zones: [SIMD3<Int>] = [.zero], relation: SupercellRelation,
    lattice: ReciprocalLattice
  ) throws(InputErrors) {
    guard !segments.isEmpty, !zones.isEmpty else {
      throw InputErrors([
        InputError("a path without segments or zones", remedy: "Give at least one of each")
      ])
    }
    var errors: [InputError] = []
    var found: [(segment: Int, fraction: Rational, hkl: SIMD3<Int>, distance: Double)] = []
    var ticks: [(label: String, distance: Double)] = []
    var start = 0.0
    for (s, segment) in segments.enumerated() {
      let from = Self.supercell(segment.from.coordinates, relation)
      let to = Self.supercell(segment.to.coordinates, relation)
      let length = {
        let d = lattice.vector(SIMD3(to.map(\.value)) - SIMD3(from.map(\.value)))
        return dot(d, d).squareRoot()
      }()
      let fractions = Self.lattice(from: from, to: to)
      if fractions.isEmpty {
        errors.append(
          InputError(
            "the supercell holds no point of the segment \(segment.from.label)–"
              + "\(segment.to.label)",
            remedy: "Take a supercell in which one of its ends is commensurate"))
      }
      for f in fractions {
        let n = (0..<3).map { (from[$0] + f * (to[$0] - from[$0])).numerator }
        found.append((s, f, SIMD3(n[0], n[1], n[2]), start + f.value * length))
      }
      if let last = ticks.last, last.distance == start, last.label != segment.from.label {
        ticks[ticks.count - 1].label += "|" + segment.from.label
      } else if ticks.isEmpty {
        ticks.append((segment.from.label, start))
      }
      start += length
      ticks.append((segment.to.label, start))
    }
    if !errors.isEmpty { throw InputErrors(errors) }
    var samples: [Sample] = []
    for (z, zone) in zones.enumerated() {
      let shift = relation.supercellCoordinates(zone)
      samples += found.map {
        Sample(
          segment: $0.segment, zone: z, fraction: $0.fraction, distance: $0.distance,
          point: lattice.point($0.hkl &+ shift))
      }
    }
    self.segments = segments
    self.zones = zones
    self.samples = samples
    self.ticks = ticks
  }

  /// The zones of a primitive cell whose centres lie at |G| up to `maximum` (rad/Å), by |G|.
  public static func zones(of cell: Cell, maximum: Double) -> [SIMD3<Int>] {
    let lattice = ReciprocalLattice(cell)
    guard let sphere = try? QSphere(maximum: maximum) else { return [.zero] }
    return sphere.points(lattice: lattice).enumerated().sorted {
      let (a, b) = ($0.element.norm, $1.element.norm)
      return abs(a - b) > 1e-9 ? a < b : $0.offset < $1.offset
    }.map(\.element.hkl)
  }

  private static func supercell(_ f: [Rational], _ relation: SupercellRelation) -> [Rational] {
    relation.matrix.map { row in
      Rational(row.x) * f[0] + Rational(row.y) * f[1] + Rational(row.z) * f[2]
    }
  }

  /// The fractions x in [0, 1] at which all of a + x(b − a) are integers, in rising order.
  private static func lattice(from a: [Rational], to b: [Rational]) -> [Rational] {
    var fractions: [Rational]?
    for (start, end) in zip(a, b) {
      let step = end - start
      if step.numerator == 0 {
        if !start.isInteger { return [] }
      } else if let known = fractions {
        fractions = known.filter { (start + $0 * step).isInteger }
      } else {
        let (low, high) = (min(start, end), max(start, end))
        let integers =
          low.isInteger ? low.floor...high.floor : low.floor + 1...max(low.floor + 1, high.floor)
        let inside = integers.map(Rational.init).filter { $0 >= low && $0 <= high }
        fractions = inside.map { ($0 - start) / step }.sorted()
      }
    }
    return fractions ?? [Rational(0)]
  }
}
