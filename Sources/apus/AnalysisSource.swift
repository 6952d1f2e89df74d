import Analysis
import Decks
import Dynamics
import Glibc
import Matter
import Trajectory

/// One SOURCE of `apus analyze`: a stage of a run, or a file.
struct AnalysisSource {
  /// As the user gave it.
  let word: String
  /// The file of thermodynamic rows, if there is one.
  let series: String?
  /// The trajectory, if there is one.
  let trajectory: String?
  /// What the deck of the run says.
  let context: ThermoContext
  /// The run directory, for sources within one.
  let runDirectory: String?

  /// Every file that is read.
  var files: [String] {
    (series.map { [$0] } ?? []) + (trajectory.map { $0 == series ? [] : [$0] } ?? [])
  }

  /// Finds the files of a source.
  static func find(_ word: String) throws -> AnalysisSource {
    var information = stat()
    let isDirectory = stat(word, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
    guard isDirectory else {
      try InputFile.check(word, expecting: "a run directory, a trajectory or a series")
      let kind = try? StructureReader.kind(of: word)
      let holdsFramesOnly = kind == .lammpsDump || kind == .dcd || kind == .h5md
      if !holdsFramesOnly, let kind = try ThermoSeriesReader.kind(of: word) {
        return AnalysisSource(
          word: word, series: word, trajectory: kind.holdsFrames ? word : nil,
          context: ThermoContext(), runDirectory: nil)
      }
      guard holdsFramesOnly else {
        throw InputError(
          "expected a run directory, a trajectory or a series, found none of the known kinds",
          remedy:
            "Known are thermo.csv of Apus, log.lammps, thermo.out of GPUMD, extended XYZ, AMBER NetCDF, LAMMPS dump, DCD, H5MD",
          file: word)
      }
      return AnalysisSource(
        word: word, series: nil, trajectory: word, context: ThermoContext(), runDirectory: nil)
    }
    let folder = word.count > 1 && word.hasSuffix("/") ? String(word.dropLast()) : word
    if RunDirectory.exists(folder + "/deck.yaml") {
      let plan = try Self.plan(folder)
      let written = plan.stages.filter { FileLayer.exists("\(folder)/\($0.name)/thermo.csv") }
      let withFrames = written.filter {
        FileLayer.exists("\(folder)/\($0.name)/trajectory.nc")
      }
      guard let stage = withFrames.last ?? written.last else {
        throw InputError(
          "the run has no stage with rows of thermo.csv yet", remedy: "Wait until it has",
          file: word)
      }
      return AnalysisSource(word, run: folder, plan: plan, stage: stage)
    }
    let parts = folder.split(separator: "/", omittingEmptySubsequences: false)
    let run = parts.count > 1 ? parts.dropLast().joined(separator: "/") : "."
    guard RunDirectory.exists(run + "/deck.yaml"), let name = parts.last else {
      throw InputError(
        "expected a run directory, found a directory without deck.yaml",
        remedy: "Give the directory of a run, RUN/STAGE, or files", file: word)
    }
    let plan = try Self.plan(run)
    guard let stage = plan.stages.first(where: { $0.name == name }) else {
      throw InputError(
        "the run has no stage '\(name)'",
        remedy: "Its stages: \(plan.stages.map(\.name).joined(separator: ", "))", file: word)
    }
    return AnalysisSource(word, run: run, plan: plan, stage: stage)
  }

  private init(_ word: String, run: String, plan: RunPlan, stage: RunPlan.Stage) {
    let frames = "\(run)/\(stage.name)/trajectory.nc"
    var context = ThermoContext()
    switch stage.ensemble {
    case .nve: context.ensemble = .nve
    case .nvt(let temperature, _):
      context.ensemble = .nvt
      context.temperature = temperature.from
      context.isRamp = temperature.from != temperature.to
    case .npt(let temperature, _, let pressure, _):
      context.ensemble = .npt
      context.temperature = temperature.from
      context.isRamp = temperature.from != temperature.to
      switch pressure {
      case .scalar(let ramp):
        context.pressure = ramp.from * Units.gigapascal
        if ramp.from != ramp.to { context.isRamp = true }
      case .components(let p): context.pressure = p.trace / 3 * Units.gigapascal
      }
    case .minimize: context.isRamp = true
    }
    context.atomCount = try? Checkpoint(path: RunDirectory(run).checkpoint).elements.count
    self.init(
      word: word, series: "\(run)/\(stage.name)/thermo.csv",
      trajectory: FileLayer.exists(frames) ? frames : nil, context: context, runDirectory: run)
  }

  private init(
    word: String, series: String?, trajectory: String?, context: ThermoContext,
    runDirectory: String?
  ) {
    self.word = word
    self.series = series
    self.trajectory = trajectory
    self.context = context
    self.runDirectory = runDirectory
  }

  private static func plan(_ run: String) throws -> RunPlan {
    let path = run + "/deck.yaml"
    let text = try InputFile.read(path, expecting: "the deck of a run", limit: 1 << 24)
    return try DeckReader.read(
      DeckSource(text: String(decoding: text, as: UTF8.self), name: path), outputOverride: run
    ).plan
  }
}
