import Matter
import Trajectory

/// The q-points of a plan in a cell: the rows of the result in their order, and the points that
/// have to be computed for them, since q and −q have the same functions and Γ may be listed often.
public struct ScatterPoints: Sendable, Equatable {
  /// A path through the zone, row by row.
  public struct Path: Sendable, Equatable {
    /// Along the whole path in its first zone, in rad/Å.
    public var distances: [Double]
    /// The index of the zone of each row.
    public var zones: [Int]
    /// Coordinates along the reciprocal vectors of the primitive cell.
    public var coordinates: [SIMD3<Double>]
    /// Names of corners.
    public var labels: [String]
    /// Where they are, in rad/Å.
    public var ticks: [Double]
  }

  /// The rows.
  public let rows: WaveVectors
  /// The points that are computed: one of each ±q.
  public let computed: WaveVectors
  /// For each row the index in `computed`.
  public let index: [Int]
  /// What a path adds to the rows.
  public let path: Path?
  /// What a user should know.
  public let notes: [String]

  /// The points of a plan.
  /// - Parameters:
  ///   - cell: of the first frame.
  ///   - isMoving: whether the cell changes from frame to frame, so that points follow it.
  /// - Throws: a line for each point that cannot be.
  public init(
    _ points: ScatterPlan.Points, cell: Cell, atomCount: Int, isMoving: Bool
  ) throws(InputErrors) {
    let lattice = ReciprocalLattice(cell)
    var notes: [String] = []
    var path: Path?
    let rows: WaveVectors
    func integers(_ list: [QPoint]) -> WaveVectors {
      .lattice(list.map { SIMD3<Int32>(truncatingIfNeeded: $0.hkl) })
    }
    switch points {
    case .cartesian(let vectors, let snap):
      let found = try QPointList.cartesian(
        vectors, lattice: lattice, incommensurate: snap ? .snap : .refuse)
      rows =
        isMoving || snap
        ? integers(found)
        : WaveVectors.commensurate(vectors, in: cell) ?? integers(found)
      if snap {
        let moved = zip(found, vectors).map { dot($0.vector - $1, $0.vector - $1).squareRoot() }
        notes.append(
          "q-points moved to the lattice by up to \(Decimals.text(moved.max() ?? 0, digits: 3)) 1/Å"
        )
      }
    case .supercell(let list): rows = integers(QPointList.supercell(list, lattice: lattice))
    case .ofCell(let file, let list, let snap):
      let relation = try Self.relation(file, cell: cell, atomCount: atomCount).relation
      rows = integers(
        try QPointList.coordinates(
          list, of: relation, lattice: lattice, incommensurate: snap ? .snap : .refuse))
    case .sphere(let minimum, let maximum, let count, let seed):
      let sphere: QSphere
      do throws(InputError) { sphere = try QSphere(minimum: minimum, maximum: maximum) } catch {
        throw InputErrors([error])
      }
      let expected = sphere.expectedCount(lattice: lattice)
      guard expected < 3e8 else {
        throw InputErrors([
          InputError(
            "the sphere holds about \(Decimals.text(expected, digits: 2)) points of the lattice",
            remedy: "Give a smaller max")
        ])
      }
      rows = integers(
        count.map { sphere.sample($0, seed: seed, lattice: lattice) }
          ?? sphere.points(lattice: lattice))
      guard rows.count > 0 else {
        throw InputErrors([
          InputError(
            "the sphere holds no point of the lattice",
            remedy: "Give a larger max: reciprocal vectors are "
              + (0..<3).map { i in
                let b = [lattice.rows.x, lattice.rows.y, lattice.rows.z][i]
                return Decimals.text(dot(b, b).squareRoot(), digits: 3)
              }.joined(separator: ", ") + " 1/Å long")
        ])
      }
    case .paths(let paths):
      let (made, primitive) = try Self.path(paths, cell: cell, atomCount: atomCount)
      rows = integers(made.samples.map(\.point))
      path = Path(
        distances: made.samples.map(\.distance), zones: made.samples.map(\.zone),
        coordinates: made.samples.map { primitive.coordinates($0.point.hkl) },
        labels: made.ticks.map(\.label), ticks: made.ticks.map(\.distance))
    }
    self.init(rows: rows, path: path, notes: notes)
  }

  private init(rows: WaveVectors, path: Path?, notes: [String]) {
    self.rows = rows
    self.path = path
    self.notes = notes
    guard let list = rows.integers else {
      computed = rows
      index = Array(0..<rows.count)
      return
    }
    // One of ±q by its indices alone, so that parts of a list compute what the whole does.
    var places: [SIMD3<Int32>: Int] = [:]
    places.reserveCapacity(list.count)
    var distinct: [SIMD3<Int32>] = []
    index = list.map { n in
      let isUpper = n.z > 0 || (n.z == 0 && (n.y > 0 || (n.y == 0 && n.x >= 0)))
      let key = isUpper ? n : 0 &- n
      if let place = places[key] { return place }
      places[key] = distinct.count
      distinct.append(key)
      return distinct.count - 1
    }
    if case .multiples(_, let basis) = rows {
      computed = .multiples(distinct, of: basis)
    } else {
      computed = .lattice(distinct)
    }
  }

  /// A range of the rows.
  public func part(_ range: Range<Int>) -> ScatterPoints {
    ScatterPoints(
      rows: rows[range],
      path: path.map {
        Path(
          distances: Array($0.distances[range]), zones: Array($0.zones[range]),
          coordinates: Array($0.coordinates[range]), labels: $0.labels, ticks: $0.ticks)
      }, notes: notes)
  }

  // MARK: cells

  private static func relation(
    _ file: String, cell: Cell, atomCount: Int
  ) throws(InputErrors) -> (relation: SupercellRelation, cell: Cell) {
    do throws(InputError) {
      let structure = try StructureReader.first(path: file).structure
      guard let unit = structure.cell else {
        throw InputError("has no cell", remedy: "Give a periodic structure", file: file)
      }
      let isWhole = atomCount % max(1, structure.count) == 0
      do throws(InputError) {
        return (
          try SupercellRelation(
            of: cell, in: unit, cells: isWhole ? atomCount / max(1, structure.count) : nil), unit
        )
      } catch {
        throw InputError(error.message, remedy: error.remedy, file: file)
      }
    } catch {
      throw InputErrors([error])
    }
  }

  private static func path(
    _ paths: ScatterPlan.Paths, cell: Cell, atomCount: Int
  ) throws(InputErrors) -> (QPath, SupercellRelation) {
    let (relation, unit) = try relation(paths.primitive, cell: cell, atomCount: atomCount)
    var names = ZonePoints.named(of: unit)
    names.merge(paths.labels) { $1 }
    var errors: [InputError] = []
    func end(_ corner: ScatterPlan.Corner) -> QPath.End {
      switch corner {
      case .coordinates(let f):
        return QPath.End(
          label: "(" + f.map(\.description).joined(separator: " ") + ")", coordinates: f)
      case .label(let name):
        if let f = names[name] { return QPath.End(label: name, coordinates: f) }
        errors.append(
          InputError(
            "\(name) is no point of the zone of \(paths.primitive)",
            remedy: "Known are \(names.keys.sorted().joined(separator: ", ")); name others under "
              + "`labels`"))
        return QPath.End(label: name, coordinates: [Rational(0), Rational(0), Rational(0)])
      }
    }
    let segments = paths.segments.flatMap { corners in
      zip(corners, corners.dropFirst()).map { (from: end($0), to: end($1)) }
    }
    if !errors.isEmpty { throw InputErrors(errors) }
    let zones =
      switch paths.zones {
      case .list(let list): list
      case .within(let radius): QPath.zones(of: unit, maximum: radius)
      }
    let made = try QPath(
      segments: segments, zones: zones, relation: relation, lattice: ReciprocalLattice(cell))
    return (made, relation)
  }
}

extension CorrelationResult {
  /// The rows of points that were computed once for several.
  /// - Parameters:
  ///   - index: for each row its point
  ///   - rows: the wave vectors of the rows
  func expanded(_ index: [Int], rows: WaveVectors) -> CorrelationResult {
    var result = self
    let isSame = index.count == points.count && index.indices.allSatisfy { index[$0] == $0 }
    result.points = rows
    result.q = rows.cartesian(in: meanCell)
    result.norms = result.q.map { dot($0, $0).squareRoot() }
    if isSame { return result }
    func pick(_ values: [Double], _ columns: Int) -> [Double] {
      guard !values.isEmpty else { return [] }
      var picked: [Double] = []
      picked.reserveCapacity(index.count * columns)
      for i in index { picked += values[i * columns..<(i + 1) * columns] }
      return picked
    }
    result.normSpread = pick(normSpread, 1)
    let n = times.count
    for f in result.functions.indices {
      result.functions[f].values = pick(functions[f].values, n)
      result.functions[f].valueErrors = pick(functions[f].valueErrors, n)
      result.functions[f].spectrum = pick(functions[f].spectrum, n)
      result.functions[f].spectrumErrors = pick(functions[f].spectrumErrors, n)
    }
    for s in result.statics.indices {
      result.statics[s].values = pick(statics[s].values, 1)
      result.statics[s].errors = pick(statics[s].errors, 1)
    }
    return result
  }
}
