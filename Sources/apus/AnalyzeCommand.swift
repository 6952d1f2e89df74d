import Analysis
import Decks
import Glibc
import Matter
import Parallel
import Trajectory

/// `apus analyze`: observables of runs and trajectories with errors and verdicts.
enum AnalyzeCommand: Command {
  static let name = "analyze"
  static let grammar = Arguments.Grammar(
    options: [
      "--config": 1, "--output": 1, "--first": 1, "--last": 1, "--every": 1, "--timestep": 1,
      "--topology": 1, "--elements": 1, "--units": 1,
    ],
    operands: ["SOURCE"], repeated: true)
  static let help = """
    apus analyze SOURCE... [options]: observables with errors and verdicts. SOURCE is a run directory
    (its last stage with a trajectory), RUN/STAGE, or a file: thermo.csv, a LAMMPS log, thermo.out of
    GPUMD, extended XYZ, AMBER NetCDF, a LAMMPS dump, DCD, H5MD. Several are replicas: their spread gives the errors.

      --config DECK          an analyze deck; without one, every observable with its defaults
      --output DIR           folder of analysis.nc and summary.json (default RUN/analysis, else
                             ./analysis)
      --first T, --last T    the part used, such as '10 ps', from the first row or frame
      --every N              every Nth row or frame
      --timestep T           time between rows or frames, where the file does not say
      --topology FILE        a structure with the same atoms in the same order
      --elements LIST        elements of the atoms or types, such as C,H,I,S
      --units STYLE          metal or real, of a LAMMPS log that does not say
      --threads N            threads (default: the cores this process may use)
      --quiet                no messages

    A run may still be going on. Options go before what the deck says.

    Example:
      apus analyze runs/silicon --first '2 ps' --output silicon-analysis
    """

  static func run(_ arguments: Arguments) throws -> ExitStatus {
    let plan = try plan(arguments)
    let sources = try arguments.operands.map { try AnalysisSource.find($0) }
    for (k, source) in sources.enumerated() {
      if sources[..<k].contains(where: { $0.files == source.files }) {
        throw InputError(
          "\(source.word) is given twice", remedy: "Replicas are independent runs")
      }
    }
    let folder = arguments.value("--output") ?? defaultOutput(sources)
    try checkFolder(folder, sources)
    let team = ThreadTeam(count: try arguments.threads())
    let result: Analyzer.Result
    do {
      result = try Analyzer(plan: plan, sources: sources, team: team).run()
    } catch let error as ObservableError {
      if case .temporaryFile = error {
        Console.message("apus: \(error)")
        return .failed
      }
      throw InputError(error.description)
    }
    do {
      try FileLayer.makeDirectory(folder)
      try result.write(to: folder)
    } catch {
      Console.message("apus: \(error)")
      return .failed
    }
    Console.out(result.summary.table)
    if !arguments.flags.contains("--quiet") {
      Console.message("apus: written: \(folder)/analysis.nc, \(folder)/summary.json")
    }
    return .done
  }

  /// The deck with the options of the command line in it.
  private static func plan(_ arguments: Arguments) throws -> AnalysisPlan {
    var plan =
      try arguments.value("--config").map { try AnalysisDeck.read(path: $0) } ?? .everything
    func time(_ option: String, zero: Bool = false) throws(InputError) -> Double? {
      guard let text = arguments.value(option) else { return nil }
      let value: Double
      do throws(InputError) { value = try Quantity.time.value(of: text) } catch {
        throw InputError("\(option): \(error.message)", remedy: error.remedy)
      }
      guard value > 0 || (zero && value == 0) else {
        throw InputError("\(option): '\(text)' is not \(zero ? "0 fs or more" : "above 0 fs")")
      }
      return value / 1000
    }
    plan.source.first = try time("--first", zero: true) ?? plan.source.first
    plan.source.last = try time("--last") ?? plan.source.last
    plan.source.timestep = try time("--timestep") ?? plan.source.timestep
    plan.source.every = try arguments.count("--every") ?? plan.source.every
    plan.source.topology = arguments.value("--topology") ?? plan.source.topology
    if let first = plan.source.first, let last = plan.source.last, last <= first {
      throw InputError("--last is not after --first", remedy: "Both count from the first frame")
    }
    if let word = arguments.value("--units") {
      guard let units = LAMMPSUnits(rawValue: word) else {
        throw InputError("--units is metal or real, not '\(word)'")
      }
      plan.source.units = units
    }
    if let text = arguments.value("--elements") {
      plan.source.elements = try text.split { ", ".contains($0) }.map { word throws(InputError) in
        guard let element = Element(symbol: String(word)) else {
          throw InputError(
            "--elements: '\(word)' is not an element", remedy: "Write them as C,H,I,S")
        }
        return element
      }
    }
    return plan
  }

  private static func defaultOutput(_ sources: [AnalysisSource]) -> String {
    let runs = Set(sources.map(\.runDirectory))
    if runs.count == 1, let run = runs.first ?? nil { return run + "/analysis" }
    return "analysis"
  }

  /// Checks that results can be written, before any work is done.
  private static func checkFolder(_ folder: String, _ sources: [AnalysisSource]) throws {
    guard !folder.isEmpty else { throw InputError("the path of the output is empty") }
    var place = folder
    while access(place, F_OK) != 0 {
      let parent = FileLayer.directory(of: place)
      if parent == place { break }
      place = parent
    }
    var information = stat()
    guard stat(place, &information) == 0, information.st_mode & S_IFMT == S_IFDIR else {
      throw InputError(
        "\(folder): \(place) is no directory", remedy: "Choose another --output")
    }
    guard access(place, W_OK) == 0 else {
      throw InputError(
        "\(folder): \(place) cannot be written to: \(FileError.text(of: errno))",
        remedy: "Choose another --output")
    }
    let inputs = sources.flatMap(\.files)
    guard place == folder else { return }
    for name in ["analysis.nc", "summary.json"] {
      try OutputFile.check(folder + "/" + name, inputs: inputs)
    }
  }
}

/// An analysis from sources to result groups.
struct Analyzer {
  let plan: AnalysisPlan
  let sources: [AnalysisSource]
  let team: ThreadTeam

  /// What an analysis gives.
  struct Result {
    var summary: ResultSummary
    var attributes: [(String, String)]

    /// Writes analysis.nc and summary.json into a folder that exists.
    func write(to folder: String) throws(FileError) {
      try ResultFile.write(summary.groups, attributes: attributes, to: folder + "/analysis.nc")
      try FileLayer.write(summary.json, to: folder + "/summary.json")
    }
  }

  func run() throws -> Result {
    var groups: [ResultGroup] = []
    var obstacles: [(String, String)] = []
    var fractions = [Double?](repeating: nil, count: sources.count)
    if needsFrames {
      var parts: [[ResultGroup]] = []
      for (k, source) in sources.enumerated() {
        let outcome = try frames(of: source)
        parts.append(outcome.groups)
        for obstacle in outcome.obstacles where !obstacles.contains(where: { $0 == obstacle }) {
          obstacles.append(obstacle)
        }
        fractions[k] = outcome.quantumFraction
      }
      for group in parts[0] {
        let same = parts.compactMap { $0.first { $0.name == group.name } }
        if same.count == parts.count, let mean = ResultGroup.mean(ofReplicas: same) {
          groups.append(mean)
        } else {
          obstacles.append((group.name, "the replicas differ in length or contents"))
        }
      }
    }
    if plan.averages || plan.energy != nil || plan.stress != nil || plan.heatCapacity != nil {
      let inputs = try sources.indices.compactMap { k in
        try input(sources[k], quantumFraction: fractions[k])
      }
      let found =
        inputs.count == sources.count
        ? SeriesAnalysis.groups(plan, inputs) : SeriesAnalysis.groups(plan, [])
      groups += found.groups
      obstacles += found.obstacles
    }
    let hashes = try sources.flatMap(\.files).map { path in
      (path, try InputFile.hash(path, expecting: "a source", limit: .max))
    }
    let program = "apus \(Apus.version)"
    let facts = [
      ("program", program), ("sources", hashes.map(\.0).joined(separator: ", ")),
    ]
    let attributes = [
      ("title", "analysis of " + sources.map(\.word).joined(separator: ", ")),
      ("program", program), ("deck", AnalysisDeck.text(plan)),
      ("sources", hashes.map(\.0).joined(separator: "\n")),
      ("sources_sha256", hashes.map(\.1).joined(separator: "\n")),
    ]
    return Result(
      summary: ResultSummary(facts: facts, groups: groups, obstacles: obstacles),
      attributes: attributes)
  }

  private var needsFrames: Bool {
    plan.msd != nil || plan.rdf != nil || plan.vacf != nil || plan.molecules != nil
      || plan.heatCapacity?.quantum == true
  }

  /// The observables of a source that need its frames.
  private func frames(of source: AnalysisSource) throws -> TrajectoryAnalysis.Outcome {
    var wanted = plan
    // The density of states is needed for the quantum correction alone.
    let onlyForQuantum = plan.vacf == nil && plan.heatCapacity?.quantum == true
    if onlyForQuantum { wanted.vacf = AnalysisPlan.Velocities() }
    guard let path = source.trajectory else {
      var outcome = TrajectoryAnalysis.Outcome()
      for (name, isWanted) in [
        ("msd", plan.msd != nil), ("rdf", plan.rdf != nil), ("vacf", plan.vacf != nil),
        ("molecules", plan.molecules != nil),
      ] where isWanted {
        outcome.obstacles.append((name, "the source has no trajectory"))
      }
      return outcome
    }
    var outcome = try TrajectoryFeed(path: path, source: plan.source).analyze(
      wanted, team: team, temperature: source.context.temperature)
    if onlyForQuantum {
      outcome.groups.removeAll { $0.name == "vacf" }
      outcome.obstacles.removeAll { $0.0 == "vacf" }
    }
    return outcome
  }

  /// The rows of a source within the part that is used.
  private func input(_ source: AnalysisSource, quantumFraction: Double?) throws
    -> SeriesAnalysis.Input?
  {
    guard let path = source.series else { return nil }
    let atoms = try plan.source.topology.map {
      try StructureReader.first(path: $0).structure.count
    }
    let options = ThermoSeriesReader.Options(
      rowSpacingFs: plan.source.timestep.map { $0 * 1000 }, units: plan.source.units,
      atomCount: atoms)
    let whole = try ThermoSeriesReader.read(path: path, options: options)
    let series = whole.rows(
      from: plan.source.first, to: plan.source.last, every: plan.source.every)
    guard series.count > 0 else {
      throw InputError(
        whole.count == 0
          ? "holds no whole row" : "has no row in the part that is used (--first, --last)",
        file: path)
    }
    return SeriesAnalysis.Input(
      series: series, context: source.context, quantumFraction: quantumFraction)
  }
}
