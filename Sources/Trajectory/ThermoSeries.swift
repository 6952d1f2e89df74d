import Matter

/// Thermodynamic quantities of a run row by row, whichever program wrote them.
public struct ThermoSeries: Sendable, Equatable {
  /// What the run sampled, where the file tells.
  public enum Ensemble: String, Sendable {
    case nve, nvt, npt
  }
  /// Where the rows come from, for messages.
  public var source: String
  /// The kind of file.
  public var kind: String
  /// Times in ps; the number of rows.
  public var times: [Double]
  /// Temperature in K.
  public var temperature: [Double]?
  /// Potential and kinetic energy of all atoms, in eV.
  public var potential, kinetic: [Double]?
  /// The conserved quantity of the run, in eV.
  public var conserved: [Double]?
  /// Pressure in GPa, positive in compression.
  public var pressure: [Double]?
  /// Stress components xx yy zz yz xz xy in GPa, positive in tension.
  public var stress: [[Double]]?
  /// Whether the stress holds the kinetic part.
  public var stressIsFull = true
  /// Volume in Å³.
  public var volume: [Double]?
  /// The cell of each row.
  public var cells: [Cell]?
  /// The number of atoms.
  public var atomCount: Int?
  /// What was sampled, with temperature (K) and pressure (GPa) of thermostat and barostat.
  public var ensemble: Ensemble?
  /// The temperature that the thermostat held, in K.
  public var targetTemperature: Double?
  /// The pressure that the barostat held, in GPa.
  public var targetPressure: Double?
  /// What a reader of the results should know.
  public var notes: [String] = []

  /// A series with nothing but times.
  public init(source: String, kind: String, times: [Double]) {
    self.source = source
    self.kind = kind
    self.times = times
  }

  /// The number of rows.
  public var count: Int { times.count }

  /// Time between rows in ps; 0 for fewer than two rows.
  public var spacing: Double {
    guard let first = times.first, let last = times.last, times.count > 1 else { return 0 }
    return (last - first) / Double(times.count - 1)
  }

  /// The rows within a span of time after the first row, every `every`th of them.
  /// - Parameters:
  ///   - first: ps after the first row
  ///   - last: ps after the first row
  public func rows(from first: Double?, to last: Double?, every: Int) -> ThermoSeries {
    guard let origin = times.first else { return self }
    let tolerance = 1e-6 * max(spacing, 1e-9)
    let chosen = times.indices.filter { row in
      let t = times[row] - origin
      return t >= (first ?? 0) - tolerance && t <= (last ?? .infinity) + tolerance
    }
    var rows: [Int] = []
    for (k, row) in chosen.enumerated() where k % every == 0 { rows.append(row) }
    return self.rows(rows)
  }

  /// The rows of these indices.
  func rows(_ rows: [Int]) -> ThermoSeries {
    var result = self
    func pick<Value>(_ values: [Value]?) -> [Value]? { values.map { v in rows.map { v[$0] } } }
    result.times = rows.map { times[$0] }
    result.temperature = pick(temperature)
    result.potential = pick(potential)
    result.kinetic = pick(kinetic)
    result.conserved = pick(conserved)
    result.pressure = pick(pressure)
    result.stress = stress.map { $0.map { component in rows.map { component[$0] } } }
    result.volume = pick(volume)
    result.cells = pick(cells)
    return result
  }

  /// Fills in what follows from what is there, and says where rows are not equally spaced.
  mutating func complete() {
    if volume == nil { volume = cells.map { $0.map(\.volume) } }
    if pressure == nil, let s = stress {
      pressure = times.indices.map { -(s[0][$0] + s[1][$0] + s[2][$0]) / 3 }
    }
    let step = spacing
    for row in times.indices.dropFirst() {
      let gap = times[row] - times[row - 1]
      if abs(gap - step) > 0.01 * step {
        notes.append(
          "rows are not equally spaced in time: correlation times are those of the mean spacing")
        break
      }
    }
  }
}
