import Matter

/// thermo.out of GPUMD: 9, 12, 15 or 18 columns without a header in versions that write none
/// (pressures, compression positive), or the columns that the header of newer versions names.
enum GPUMDThermo {
  private static let stressNames = ["sxx", "syy", "szz", "syz", "sxz", "sxy"]
  private static let cellNames = ["ax", "ay", "az", "bx", "by", "bz", "cx", "cy", "cz"]

  private static func legacy(_ count: Int) -> [String]? {
    let start = ["T", "KE", "PE", "sxx", "syy", "szz"]
    let diagonal = ["ax", "by", "cz"]
    return switch count {
    case 9: start + diagonal
    case 12: start + ["syz", "sxz", "sxy"] + diagonal
    case 15: start + cellNames
    case 18: start + ["syz", "sxz", "sxy"] + cellNames
    default: nil
    }
  }

  static func read(_ path: String, _ options: ThermoSeriesReader.Options) throws(InputError)
    -> ThermoSeries
  {
    let lines = try LineReader(path, expecting: "thermo.out of GPUMD")
    let lastIsWhole = try TextTable.lastLineIsWhole(path)
    var names: [String]?
    var atomCount: Int?
    var spacingFs = options.rowSpacingFs
    var rows: [[Double]] = []
    var torn: Int?
    while let line = try lines.next() {
      if let number = torn {
        throw lines.error("expected \(names?.count ?? 0) numbers", line: number)
      }
      if line.first == 35 {
        let words = String(decoding: line.dropFirst(), as: UTF8.self)
          .split { " \t:=,\r".contains($0) }.map(String.init)
        guard let key = words.first else { continue }
        switch key {
        case "columns":
          let found = Array(words.dropFirst())
          if let names, names != found, !rows.isEmpty {
            throw lines.error(
              "the columns change from \(names.joined(separator: " ")) to \(found.joined(separator: " "))",
              "Split the file where a run begins")
          }
          names = found
        case "num_atoms": atomCount = words.dropFirst().first.flatMap { Int($0) }
        case "dt_output":
          // In fs, as every time of the input of GPUMD.
          if spacingFs == nil { spacingFs = words.dropFirst().first.flatMap { Double($0) } }
        default: break
        }
        continue
      }
      let tokens = LineReader.tokens(line)
      if tokens.isEmpty { continue }
      let row = tokens.compactMap { TextTable.number($0.bytes) }
      if names == nil { names = legacy(tokens.count) }
      guard let count = names?.count else {
        throw lines.error(
          "expected 9, 12, 15 or 18 columns of thermo.out, found \(tokens.count)",
          "Give thermo.out as GPUMD wrote it")
      }
      if row.count == count, tokens.count == count {
        rows.append(row)
      } else {
        torn = lines.number
      }
    }
    if let number = torn, lastIsWhole {
      throw lines.error("expected \(names?.count ?? 0) numbers", line: number)
    }
    if torn == nil, !lastIsWhole, !rows.isEmpty { rows.removeLast() }
    guard let names, !rows.isEmpty else { throw lines.error("holds no whole row", line: 1) }
    guard let spacingFs else {
      throw InputError(
        "thermo.out does not tell the time between its rows",
        remedy:
          "Give it: --timestep '10 fs' (time step of GPUMD times the interval of dump_thermo)",
        file: path)
    }
    func column(_ aliases: String...) -> [Double]? {
      guard let k = names.firstIndex(where: { aliases.contains($0) }) else { return nil }
      return rows.map { $0[k] }
    }
    var series = ThermoSeries(
      source: path, kind: "GPUMD thermo.out",
      times: rows.indices.map { Double($0 + 1) * spacingFs / 1000 })
    series.atomCount = atomCount
    series.temperature = column("T")
    series.kinetic = column("KE", "KE_quantum")
    series.potential = column("PE")
    let pressure = stressNames.compactMap { column($0) }
    if pressure.count == 6 {
      series.stress = pressure.map { $0.map { -$0 } }
    } else if pressure.count == 3 {
      series.pressure = rows.indices.map {
        (pressure[0][$0] + pressure[1][$0] + pressure[2][$0]) / 3
      }
      series.notes.append("thermo.out has no shear stresses: only the pressure is used")
    }
    if let a = column("ax"), let b = column("by"), let c = column("cz") {
      let parts = cellNames.map { column($0) ?? [Double](repeating: 0, count: rows.count) }
      let isDiagonal = column("ay") == nil
      let cells = rows.indices.compactMap { row -> Cell? in
        if isDiagonal { return try? Cell(orthogonal: [a[row], b[row], c[row]]) }
        return try? Cell(
          a: [parts[0][row], parts[1][row], parts[2][row]],
          b: [parts[3][row], parts[4][row], parts[5][row]],
          c: [parts[6][row], parts[7][row], parts[8][row]])
      }
      if cells.count == rows.count { series.cells = cells }
    }
    return series
  }
}
