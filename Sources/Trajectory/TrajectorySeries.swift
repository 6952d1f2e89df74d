import Matter

/// Series of the numbers that trajectories hold frame by frame.
enum TrajectorySeries {
  /// Energies, temperature and stress of an AMBER trajectory of ours.
  static func amber(_ path: String, _ options: ThermoSeriesReader.Options) throws(InputError)
    -> ThermoSeries
  {
    let reader = try AmberTrajectoryReader(path: path)
    let rows = try reader.allValues()
    var series = ThermoSeries(
      source: path, kind: "AMBER NetCDF trajectory",
      times: try times(rows.map(\.timePs), options, path))
    series.atomCount = reader.facts.atomCount
    if let damage = reader.damage { series.notes.append(damage) }
    series.potential = whole(rows.map(\.potential))
    series.kinetic = whole(rows.map(\.kinetic))
    series.temperature = whole(rows.map(\.temperature))
    series.cells = whole(rows.map(\.cell))
    if let stress = whole(rows.map { $0.stress?.components }) {
      series.stress = (0..<6).map { k in stress.map { $0[k] } }
    }
    return series
  }

  /// The values, where every frame has one.
  private static func whole<Value>(_ values: [Value?]) -> [Value]? {
    let known = values.compactMap { $0 }
    return known.count == values.count && !known.isEmpty ? known : nil
  }

  private static func times(
    _ found: [Double?], _ options: ThermoSeriesReader.Options, _ path: String
  ) throws(InputError) -> [Double] {
    if let spacing = options.rowSpacingFs {
      return found.indices.map { Double($0) * spacing / 1000 }
    }
    guard let known = whole(found) else {
      throw InputError(
        "the frames do not tell their times", remedy: "Give their distance: --timestep '10 fs'",
        file: path)
    }
    return known
  }

  /// Energy, stress or virial, and temperature of extended XYZ.
  static func extendedXYZ(_ path: String, _ options: ThermoSeriesReader.Options)
    throws(InputError) -> ThermoSeries
  {
    let reader = try ExtendedXYZTrajectoryReader(path: path)
    var times: [Double?] = []
    var energies: [Double?] = []
    var temperatures: [Double?] = []
    var stresses: [[Double]?] = []
    var cells: [Cell?] = []
    while let header = try reader.nextHeader() {
      func numbers(_ names: String...) -> [Double]? {
        header.info.first { entry in names.contains { $0 == entry.key.lowercased() } }?.numbers
      }
      let cell = header.cell
      times.append(numbers("time_ps")?.first ?? numbers("time")?.first.map { $0 / 1000 })
      energies.append(numbers("energy", "potential_energy")?.first)
      temperatures.append(numbers("temperature", "temperature_k")?.first)
      cells.append(cell)
      stresses.append(stress(numbers("stress"), virial: numbers("virial"), cell: cell))
    }
    var series = ThermoSeries(
      source: path, kind: "extended XYZ", times: try self.times(times, options, path))
    series.atomCount = reader.facts.atomCount
    if let damage = reader.damage { series.notes.append(damage) }
    series.potential = whole(energies)
    series.temperature = whole(temperatures)
    series.cells = whole(cells)
    if let rows = whole(stresses) {
      series.stress = (0..<6).map { k in rows.map { $0[k] } }
      series.stressIsFull = false
      series.notes.append(
        "the stress of extended XYZ is taken as the static one, without the kinetic part")
    }
    return series
  }

  /// Six components in GPa of nine or six (xx yy zz yz xz xy) numbers in eV/Å³, or −virial/V.
  private static func stress(_ stress: [Double]?, virial: [Double]?, cell: Cell?) -> [Double]? {
    func six(_ values: [Double], _ scale: Double) -> [Double]? {
      switch values.count {
      case 6: values.map { $0 * scale }
      case 9:
        [
          values[0], values[4], values[8], (values[5] + values[7]) / 2,
          (values[2] + values[6]) / 2, (values[1] + values[3]) / 2,
        ].map { $0 * scale }
      default: nil
      }
    }
    if let stress { return six(stress, Units.gigapascal) }
    guard let virial, let cell else { return nil }
    return six(virial, -Units.gigapascal / cell.volume)
  }
}
