import Matter

/// Our thermo.csv, also while a run goes on writing it: an unfinished last line is left out.
enum ThermoCSV {
  static func read(_ path: String) throws(InputError) -> ThermoSeries {
    let lines = try LineReader(path, expecting: "thermo.csv of a run")
    let lastIsWhole = try TextTable.lastLineIsWhole(path)
    let header = String(decoding: try lines.next() ?? [], as: UTF8.self)
    let names = header.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    let place = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { a, _ in a })
    guard place["time_ps"] != nil else {
      throw lines.error(
        "expected the columns of thermo.csv, found no time_ps", "Give the file as the run wrote it")
    }
    var columns = [[Double]](repeating: [], count: names.count)
    var pending: [Double]?
    func keep(_ row: [Double]) {
      for (k, value) in row.enumerated() { columns[k].append(value) }
    }
    while let line = try lines.next() {
      if let row = pending { keep(row) }
      pending = nil
      let cells = line.split(separator: 44, omittingEmptySubsequences: false)
      let row = cells.compactMap { TextTable.number($0) }
      if row.count == names.count {
        pending = row
        continue
      }
      // Only the last line may be torn.
      let number = lines.number
      guard try lines.next() == nil, !lastIsWhole else {
        throw lines.error(
          "expected \(names.count) numbers, found \(row.count) in \(cells.count) cells",
          "Remove the line, or give a whole file", line: number)
      }
    }
    if let row = pending, lastIsWhole { keep(row) }
    func column(_ name: String) -> [Double]? { place[name].map { columns[$0] } }
    var series = ThermoSeries(
      source: path, kind: "Apus thermo.csv", times: column("time_ps") ?? [])
    series.temperature = column("temperature_K")
    series.potential = column("potential_eV")
    series.kinetic = column("kinetic_eV")
    series.conserved = column("conserved_eV")
    series.pressure = column("pressure_GPa")
    series.volume = column("volume_A3")
    let stress = ["xx", "yy", "zz", "yz", "xz", "xy"].compactMap { column("stress_\($0)_GPa") }
    if stress.count == 6 { series.stress = stress }
    let lengths = ["a_A", "b_A", "c_A"].compactMap(column)
    let angles = ["alpha_deg", "beta_deg", "gamma_deg"].compactMap(column)
    if lengths.count == 3, angles.count == 3 {
      let cells = series.times.indices.compactMap { row in
        try? Cell(
          lengths: [lengths[0][row], lengths[1][row], lengths[2][row]],
          angles: [angles[0][row], angles[1][row], angles[2][row]])
      }
      if cells.count == series.count { series.cells = cells }
    }
    return series
  }
}
