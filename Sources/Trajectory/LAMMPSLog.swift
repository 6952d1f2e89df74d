import Matter

/// The thermodynamic output in a log of LAMMPS, styles one, multi, custom and yaml; the last run of
/// the file that wrote at least two rows. Units, time step, atoms and fixes are taken from the log.
enum LAMMPSLog {
  static func recognizes(_ lines: [Substring]) -> Bool {
    lines.contains { line in
      line.hasPrefix("LAMMPS (") || line.hasPrefix("Per MPI rank memory allocation")
        || line.drop { $0 == " " }.hasPrefix("Step ") || line.hasPrefix("keywords: [")
        || line.hasPrefix("---------------- Step") || line.hasPrefix("------------ Step")
    }
  }

  /// The rows of one run command.
  private struct Run {
    var names: [String] = []
    var rows: [[Double]] = []
    var units: String?
    var timestep: Double?
    var fixes: [String: Fix] = [:]
  }

  private struct Fix {
    var style: String
    var temperature: Double?
    var pressure: Double?
  }

  static func read(_ path: String, _ options: ThermoSeriesReader.Options) throws(InputError)
    -> ThermoSeries
  {
    let lines = try LineReader(path, expecting: "a log of LAMMPS")
    let lastIsWhole = try TextTable.lastLineIsWhole(path)
    var runs: [Run] = []
    var run = Run()
    var isOpen = false
    var units: String?
    var timestep: Double?
    var atoms: Int?
    var fixes: [String: Fix] = [:]
    var multi: [(String, Double)]?
    func open(_ names: [String]) {
      if isOpen, !run.rows.isEmpty { runs.append(run) }
      run = Run(names: names, units: units, timestep: timestep, fixes: fixes)
      isOpen = true
    }
    func closeMulti() {
      guard let block = multi else { return }
      let names = block.map(\.0)
      if !isOpen || run.names != names { open(names) }
      run.rows.append(block.map(\.1))
      multi = nil
    }
    while let line = try lines.next() {
      let text = String(decoding: line, as: UTF8.self)
      let words = text.split { " \t\r".contains($0) }.map(String.init)
      guard let first = words.first else { continue }
      if text.hasPrefix("Loop time of") {
        closeMulti()
        if isOpen { runs.append(run) }
        isOpen = false
        if let k = words.lastIndex(of: "atoms"), k > 0 { atoms = Int(words[k - 1]) ?? atoms }
      } else if first == "Step", words.count > 1 {
        open(words)
      } else if text.hasPrefix("keywords:") {
        open(text.split { "[]:, '\"\t\r".contains($0) }.dropFirst().map(String.init))
      } else if text.hasPrefix("-----"), words.count > 2, words[1] == "Step" {
        closeMulti()
        multi = [("Step", Double(words[2]) ?? .nan)]
      } else if multi != nil, words.count >= 3, words[1] == "=" {
        var k = 0
        while k + 2 < words.count, words[k + 1] == "=" {
          multi?.append((words[k], TextTable.number(Array(words[k + 2].utf8)[...]) ?? .nan))
          k += 3
        }
      } else if isOpen, let row = row(text, words, count: run.names.count) {
        run.rows.append(row)
      } else if words.starts(with: ["Unit", "style"]), let last = words.last {
        units = last
      } else if first == "units", words.count == 2 {
        units = words[1]
      } else if words.starts(with: ["Time", "step"]), let last = words.last,
        let value = Double(last)
      {
        timestep = value
        if isOpen { run.timestep = value }
      } else if first == "timestep", words.count >= 2, let value = Double(words[1]) {
        timestep = value
      } else if first == "fix", words.count >= 4 {
        if let fix = fix(words) { fixes[words[1]] = fix }
      } else if first == "unfix", words.count >= 2 {
        fixes[words[1]] = nil
      } else if words.count == 2, words[1] == "atoms", let n = Int(first) {
        atoms = n
      }
    }
    closeMulti()
    if isOpen {
      if !lastIsWhole, run.rows.count > 0, run.names.count > 0 { run.rows.removeLast() }
      runs.append(run)
    }
    guard
      let chosen = runs.lastIndex(where: { $0.rows.count > 1 })
        ?? runs.lastIndex(where: { !$0.rows.isEmpty })
    else { throw lines.error("holds no thermodynamic output", line: 1) }
    var series = try series(
      runs[chosen], path: path, units: runs[chosen].units ?? units, options)
    series.atomCount = atoms
    if runs.count > 1 {
      series.notes.append(
        "run \(chosen + 1) of \(runs.count) in the log is used, \(series.count) rows")
    }
    return series
  }

  /// The numbers of a line, also of yaml style `- [0, 300, ...]`; nil for anything else.
  private static func row(_ text: String, _ words: [String], count: Int) -> [Double]? {
    let cells =
      words.first == "-" ? text.dropFirst(3).split { " -[],\t\r".contains($0) && $0 != "-" } : []
    let source = cells.isEmpty ? words.map { Substring($0) } : cells.filter { $0 != "-" }
    guard source.count == count else { return nil }
    let numbers = source.compactMap { TextTable.number(Array($0.utf8)[...]) }
    return numbers.count == count ? numbers : nil
  }

  private static func fix(_ words: [String]) -> Fix? {
    let style = words[3].split(separator: "/").first.map(String.init) ?? words[3]
    func number(after keys: String...) -> Double? {
      guard let k = words.firstIndex(where: { keys.contains($0) }), k + 1 < words.count else {
        return nil
      }
      return Double(words[k + 1])
    }
    switch style {
    case "nve": return Fix(style: words[3] == "nve" ? "nve" : "other")
    case "nvt": return Fix(style: "nvt", temperature: number(after: "temp"))
    case "npt":
      return Fix(
        style: "npt", temperature: number(after: "temp"),
        pressure: number(after: "iso", "aniso", "tri", "x"))
    case "langevin", "temp":
      return Fix(style: "thermostat", temperature: words.count > 4 ? Double(words[4]) : nil)
    default: return nil
    }
  }

  private static func series(
    _ run: Run, path: String, units: String?, _ options: ThermoSeriesReader.Options
  ) throws(InputError) -> ThermoSeries {
    guard let style = options.units ?? units.flatMap({ LAMMPSUnits(rawValue: $0) }) else {
      throw InputError(
        units.map { "its units are \($0), expected metal or real" }
          ?? "the log does not tell its units",
        remedy: "Give --units metal or --units real", file: path)
    }
    let (energy, gigapascal, picosecond) = (style.energy, style.pressure, style.time)
    func column(_ names: String...) -> [Double]? {
      guard let k = run.names.firstIndex(where: { names.contains($0) }) else { return nil }
      return run.rows.map { $0[k] }
    }
    let times: [Double]
    if let spacing = options.rowSpacingFs {
      times = run.rows.indices.map { Double($0) * spacing / 1000 }
    } else if let time = column("Time") {
      times = time.map { $0 * picosecond }
    } else if let step = column("Step"), let dt = run.timestep ?? column("Dt")?.first {
      times = step.map { $0 * dt * picosecond }
    } else {
      throw InputError(
        "the log does not tell its time step",
        remedy: "Give the time between its rows: --timestep '100 fs'", file: path)
    }
    var series = ThermoSeries(source: path, kind: "LAMMPS log", times: times)
    series.temperature = column("Temp")
    series.potential = column("PotEng")?.map { $0 * energy }
    if series.potential == nil, let pair = column("E_pair") {
      let bonded = column("E_mol") ?? [Double](repeating: 0, count: pair.count)
      series.potential = pair.indices.map { (pair[$0] + bonded[$0]) * energy }
    }
    series.kinetic = column("KinEng")?.map { $0 * energy }
    if series.kinetic == nil, let total = column("TotEng"), let potential = series.potential {
      series.kinetic = total.indices.map { total[$0] * energy - potential[$0] }
    }
    series.pressure = column("Press")?.map { $0 * gigapascal }
    series.volume = column("Volume")
    let p = ["Pxx", "Pyy", "Pzz", "Pyz", "Pxz", "Pxy"].compactMap { column($0) }
    if p.count == 6 { series.stress = p.map { $0.map { -$0 * gigapascal } } }
    series.cells = cells(column)
    let styles = Set(run.fixes.values.map(\.style))
    if styles.contains("npt") {
      series.ensemble = .npt
    } else if styles.contains("nvt") || styles.contains("thermostat") {
      series.ensemble = .nvt
    } else if styles == ["nve"] {
      series.ensemble = .nve
    }
    series.targetTemperature = run.fixes.values.compactMap(\.temperature).first
    series.targetPressure = run.fixes.values.compactMap(\.pressure).first.map { $0 * gigapascal }
    // The row at the end of a run stands again at the start of the next.
    let kept = times.indices.filter { $0 == 0 || times[$0] > times[$0 - 1] }
    return kept.count == times.count ? series : series.rows(kept)
  }

  private static func cells(_ column: (String...) -> [Double]?) -> [Cell]? {
    if let a = column("Cella"), let b = column("Cellb"), let c = column("Cellc") {
      let right = [Double](repeating: 90, count: a.count)
      let (alpha, beta) = (column("CellAlpha") ?? right, column("CellBeta") ?? right)
      let gamma = column("CellGamma") ?? right
      let cells = a.indices.compactMap { row in
        try? Cell(lengths: [a[row], b[row], c[row]], angles: [alpha[row], beta[row], gamma[row]])
      }
      return cells.count == a.count ? cells : nil
    }
    guard let x = column("Lx"), let y = column("Ly"), let z = column("Lz") else { return nil }
    let zero = [Double](repeating: 0, count: x.count)
    let (xy, xz, yz) = (column("Xy") ?? zero, column("Xz") ?? zero, column("Yz") ?? zero)
    let cells = x.indices.compactMap { row in
      try? Cell(a: [x[row], 0, 0], b: [xy[row], y[row], 0], c: [xz[row], yz[row], z[row]])
    }
    return cells.count == x.count ? cells : nil
  }
}
