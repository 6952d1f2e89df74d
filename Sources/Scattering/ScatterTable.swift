import Matter
import Trajectory

/// The raw functions of a result row by row, with all that weights and corrections need: what a
/// part of a sharded calculation holds.
public struct ScatterTable: Sendable {
  /// The functions; a row is a q-point of the list, or a shell.
  public internal(set) var result: CorrelationResult
  /// Multiples of the supercell's reciprocal vectors, where rows are lattice points.
  public internal(set) var hkl: [SIMD3<Int32>]?
  /// What a path adds.
  public internal(set) var path: ScatterPoints.Path?
  /// Whether rows are shells.
  public internal(set) var isShells: Bool
  /// The rows of the whole that these are.
  public internal(set) var rows: Range<Int>
  /// The number of rows of the whole.
  public internal(set) var rowCount: Int
  /// The temperature, in K: of the deck, of the thermostat or the mean of the frames.
  public var temperature: Double?
  /// ⟨|r − ⟨r⟩|²⟩ of each species, in Å².
  public internal(set) var meanSquares: [Double]?
  /// What a user should know.
  public var notes: [String]

  /// The rows of what frames gave.
  public init(_ data: ScatterData) {
    isShells = data.isShells
    if data.isShells {
      result = data.result
    } else {
      result = data.result.expanded(data.points.index, rows: data.points.rows)
      hkl = data.points.rows.integers
      path = data.points.path
    }
    result.points = .free(result.q)
    rows = data.rows
    rowCount = data.rowCount
    temperature = data.temperature
    meanSquares = data.meanSquares
    notes = data.notes
  }

  /// The names of the species, in the order of weights.
  public var species: [String] { result.speciesCounts.keys.sorted() }

  /// The elements of the species.
  public var elements: [Element] { species.compactMap { Element(symbol: $0) } }

  /// Whether these are all rows.
  public var isWhole: Bool { rows == 0..<rowCount }

  /// Parts of one calculation as the whole.
  /// - Throws: `InputError` for parts that are missing, doubled or of another calculation.
  public static func merged(_ parts: [(name: String, table: ScatterTable)]) throws(InputError)
    -> ScatterTable
  {
    let sorted = parts.sorted {
      ($0.table.rows.lowerBound, $0.table.rows.upperBound)
        < ($1.table.rows.lowerBound, $1.table.rows.upperBound)
    }
    guard let first = sorted.first else {
      throw InputError("there is no part", remedy: "Give the parts of a calculation")
    }
    var whole = first.table
    var next = 0
    for (name, part) in sorted {
      if let difference = whole.difference(from: part) {
        throw InputError(
          "differs from \(first.name) in its \(difference)",
          remedy: "Give parts of one calculation", file: name)
      }
      guard part.rows.lowerBound >= next else {
        throw InputError(
          "holds rows \(part.rows.lowerBound + 1) to \(part.rows.upperBound), of which another part "
            + "holds some", remedy: "Give every part once", file: name)
      }
      guard part.rows.lowerBound == next else { throw missing(next..<part.rows.lowerBound, whole) }
      if next > 0 { whole.append(part) }
      next = part.rows.upperBound
    }
    guard next == whole.rowCount else { throw missing(next..<whole.rowCount, whole) }
    whole.rows = 0..<next
    return whole
  }

  private static func missing(_ rows: Range<Int>, _ whole: ScatterTable) -> InputError {
    InputError(
      "rows \(rows.lowerBound + 1) to \(rows.upperBound) of \(whole.rowCount) are in no part",
      remedy: "Compute the missing part with the same --shard I/N, and give all parts")
  }

  /// What is not the same in two parts.
  private func difference(from other: ScatterTable) -> String? {
    let (a, b) = (result, other.result)
    if rowCount != other.rowCount || isShells != other.isShells { return "rows" }
    if (hkl == nil) != (other.hkl == nil) || (path == nil) != (other.path == nil) {
      return "kind of q-points"
    }
    if a.times != b.times || a.timestep != b.timestep || a.pairCounts != b.pairCounts {
      return "lags"
    }
    if a.frameCount != b.frameCount { return "number of frames" }
    if a.atomCount != b.atomCount || a.speciesCounts != b.speciesCounts { return "atoms" }
    if a.meanCell != b.meanCell { return "cell" }
    if a.functions.map(\.timeName) != b.functions.map(\.timeName)
      || a.statics.map(\.species) != b.statics.map(\.species)
    {
      return "functions"
    }
    if temperature != other.temperature || meanSquares != other.meanSquares {
      return "temperature or displacements"
    }
    return nil
  }

  private mutating func append(_ part: ScatterTable) {
    result.q += part.result.q
    result.points = .free(result.q)
    result.norms += part.result.norms
    result.normSpread += part.result.normSpread
    for f in result.functions.indices {
      result.functions[f].values += part.result.functions[f].values
      result.functions[f].valueErrors += part.result.functions[f].valueErrors
      result.functions[f].spectrum += part.result.functions[f].spectrum
      result.functions[f].spectrumErrors += part.result.functions[f].spectrumErrors
    }
    for s in result.statics.indices {
      result.statics[s].values += part.result.statics[s].values
      result.statics[s].errors += part.result.statics[s].errors
    }
    if let more = part.hkl { hkl? += more }
    if let more = part.path {
      path?.distances += more.distances
      path?.zones += more.zones
      path?.coordinates += more.coordinates
    }
    for note in part.notes where !notes.contains(note) { notes.append(note) }
  }
}
