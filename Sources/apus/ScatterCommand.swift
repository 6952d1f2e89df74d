import Analysis
import Decks
import Dynamics
import Foundation
import Matter
import Parallel
import Scattering
import Trajectory

/// `apus scatter`: dynamic structure factors of runs and trajectories.
enum ScatterCommand: Command {
  static let name = "scatter"
  static let grammar = Arguments.Grammar(
    options: TrajectoryArguments.options.merging(["--config": 1, "--output": 1, "--shard": 1]) {
      $1
    }, flags: ["--dry-run"], operands: ["SOURCE"], repeated: true)
  static let help = """
    apus scatter SOURCE... --config DECK --output OUT.nc [options]: S(q,ω), its weights, corrections and
    spectra of instruments. SOURCE is a run directory (its last stage with a trajectory), RUN/STAGE, or a
    trajectory: AMBER NetCDF, extended XYZ, LAMMPS dump, DCD. Several are replicas: their spread gives the errors.

      --config DECK         the scatter deck: q-points, functions, weights, instrument
      --output OUT.nc       the result, with dynasor's names, grids and units
      --shard I/N           only part I of N of the rows; `apus merge` puts parts together
    \(TrajectoryArguments.help)
      --dry-run             check everything, say what it will take, compute nothing
      --threads N           threads (default: the cores this process may use); never changes results
      --quiet               no messages

    Options go before what the deck says.

    Example:
      apus scatter runs/silicon --config silicon-sqw.yaml --output silicon.nc
      apus scatter run.nc --topology start.xyz --timestep '2 fs' --config deck.yaml --output part1.nc --shard 1/4
    """

  static func run(_ arguments: Arguments) throws -> ExitStatus {
    let deckPath = try arguments.required("--config", "DECK")
    let output = try arguments.required("--output", "OUT.nc")
    var deck = try ScatterDeck.read(path: deckPath)
    try overlay(arguments, on: &deck.source)
    let shard = try arguments.value("--shard").map { text throws(InputError) in try Self.shard(text)
    }
    let sources = try arguments.operands.map { try AnalysisSource.find($0) }
    try OutputFile.check(output, inputs: sources.flatMap(\.files) + [deckPath])
    let isQuiet = arguments.flags.contains("--quiet")
    let scatterer = Scatterer(
      deck: deck, sources: sources, shard: shard, team: ThreadTeam(count: try arguments.threads()),
      say: { if !isQuiet { Console.message($0) } })
    let jobs = try scatterer.jobs()
    let estimate = try scatterer.report(jobs)
    if arguments.flags.contains("--dry-run") { return .done }
    do {
      let table = try scatterer.compute(jobs, estimate, spool: output + ".spool")
      let attributes = try scatterer.attributes()
      for note in table.notes { Console.message("apus: note: \(note)") }
      var derived: DerivedScattering?
      var failure: InputError?
      if table.isWhole {
        do throws(InputError) {
          derived = try DerivedScattering(table, plan: deck.plan)
        } catch { failure = error }
      }
      try ScatterResultFile.write(table, derived: derived, attributes: attributes, to: output)
      if let failure {
        Console.message("apus: \(failure). The raw functions are in \(output)")
        return .failed
      }
    } catch let error as FileError {
      Console.message("apus: \(error)")
      return .failed
    }
    if !isQuiet { Console.message("apus: written: \(output)") }
    return .done
  }

  private static func shard(_ text: String) throws(InputError) -> Shard {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
    guard parts.count == 2, let index = parts[0], let count = parts[1],
      let shard = Shard(index: index, count: count)
    else {
      throw InputError(
        "--shard: '\(text)' is not I/N with I from 1 to N", remedy: "Write --shard 1/4")
    }
    return shard
  }

  private static func overlay(
    _ arguments: Arguments, on source: inout AnalysisPlan.Source
  ) throws(InputError) {
    let given = try TrajectoryArguments.options(arguments)
    source.first = given.firstPs ?? source.first
    source.last = given.lastPs ?? source.last
    source.timestep = given.timestepPs ?? source.timestep
    if arguments.value("--every") != nil { source.every = given.every }
    source.topology = given.topology ?? source.topology
    source.elements = given.elements ?? source.elements
    source.units = given.units ?? source.units
  }
}

/// A calculation of scattering from sources to a table.
struct Scatterer {
  let deck: ScatterDeck.Checked
  let sources: [AnalysisSource]
  let shard: Shard?
  let team: ThreadTeam
  let say: (String) -> Void

  /// A trajectory that is known to allow what is asked.
  struct Job {
    let path: String
    let options: TrajectoryOptions
    let facts: ScatterCollector.Facts
    let cell: Cell
    let temperature: Double?
    let mayMove: Bool
  }

  private var plan: ScatterPlan { deck.plan }

  /// Opens every source and checks it before anything is computed.
  func jobs() throws -> [Job] {
    var jobs: [Job] = []
    for source in sources {
      guard let path = source.trajectory else {
        throw InputError(
          "has no trajectory",
          remedy: "Add `trajectory: {every: 10 fs}` to the stage, or give a file",
          file: source.word)
      }
      jobs.append(try job(source, path))
    }
    let first = jobs[0]
    for (source, job) in zip(sources, jobs).dropFirst() {
      func demand(_ isSame: Bool, _ what: String) throws(InputError) {
        if isSame { return }
        throw InputError(
          "differs from \(sources[0].word) in its \(what)",
          remedy: "Replicas are trajectories of the same atoms, spacing and length of lags",
          file: source.word)
      }
      try demand(job.facts.elements == first.facts.elements, "elements")
      try demand(
        abs(job.facts.timestep / first.facts.timestep - 1) < 1e-6, "time between frames")
      try demand(
        try plan.lag(frameCount: job.facts.frameCount, timestep: job.facts.timestep)
          == plan.lag(frameCount: first.facts.frameCount, timestep: first.facts.timestep),
        "longest lag")
    }
    let species = Set(first.facts.elements).sorted { $0.symbol < $1.symbol }
    _ = try plan.scatteringWeights(of: species)
    if plan.quantum != .none, plan.temperature == nil,
      jobs.contains(where: { $0.temperature == nil })
    {
      throw InputError(
        "quantum_correction: the temperature is not known", remedy: "Write temperature: 300 K",
        file: sources[0].word)
    }
    return jobs
  }

  private func job(_ source: AnalysisSource, _ path: String) throws -> Job {
    let options = TrajectoryOptions(deck.source)
    let survey = try TrajectoryFiles.surveyUsed(path, options: options)
    let stream = try TrajectoryFiles.open(path, options: options)
    guard let elements = stream.facts.elements else { throw stream.facts.elementsMissing }
    for note in stream.facts.notes + [survey.damage].compactMap({ $0 }) {
      say("apus: note: \(path): \(note)")
    }
    var frame = TrajectoryFrame(for: stream.facts)
    guard try stream.next(into: &frame), let cell = frame.values.cell,
      frame.values.periodicity == .all
    else {
      throw InputError(
        "has no periodic cell, to whose reciprocal lattice q-points belong",
        remedy: "Give a trajectory of a periodic system", file: path)
    }
    let spacing: Double
    if let ps = survey.spacingPs {
      spacing = Self.tidied(ps * 1000)
    } else if survey.frameCount == 1 {
      spacing = 1
    } else {
      throw InputError(
        "does not tell the time between its frames",
        remedy: "Give it: --timestep '2 fs', or trajectory: {timestep: 2 fs}", file: path)
    }
    let context = source.context
    let hasVelocities = frame.velocities.count == frame.positions.count
    do throws(InputError) {
      if plan.correlation.kinds.contains(.currents), !hasVelocities {
        throw InputError(
          "holds no velocities, which current correlations need",
          remedy: "Write velocities with the trajectory, or set currents: false")
      }
      _ = try plan.lag(frameCount: survey.frameCount, timestep: spacing)
    } catch {
      throw InputError(error.message, remedy: error.remedy, file: path)
    }
    return Job(
      path: path, options: options,
      facts: ScatterCollector.Facts(
        elements: elements, timestep: spacing, frameCount: survey.frameCount,
        hasVelocities: hasVelocities), cell: cell,
      temperature: (context.isRamp ? nil : context.temperature) ?? frame.values.temperature,
      mayMove: context.ensemble == .npt)
  }

  /// A time that was stored in single precision as the round number it was.
  private static func tidied(_ femtoseconds: Double) -> Double {
    let round = (femtoseconds * 1000).rounded() / 1000
    return abs(round / femtoseconds - 1) < 1e-6 ? round : femtoseconds
  }

  /// Says what will be done and what it takes.
  func report(_ jobs: [Job]) throws -> ScatterEstimate {
    let job = jobs[0]
    let points = try ScatterPoints(
      plan.points, cell: job.cell, atomCount: job.facts.elements.count, isMoving: job.mayMove)
    let estimate = try ScatterEstimate(plan, facts: job.facts, points: points, shard: shard)
    let lag = try plan.lag(frameCount: job.facts.frameCount, timestep: job.facts.timestep)
    let dt = job.facts.timestep
    let resolution = 2 * Double.pi / (Double(2 * lag + 1) * dt) * Units.excitationEnergy
    let nyquist = Double.pi / dt * Units.excitationEnergy
    let frames = jobs.map { "\($0.facts.frameCount)" }.joined(separator: " + ")
    say(
      "apus: \(frames) frames \(Decimal.short(dt)) fs apart, \(job.facts.elements.count) atoms, lags to "
        + "\(lag) frames (\(Decimal.short(Double(lag) * dt / 1000)) ps)")
    say(
      "apus: energies \(Decimal.short(resolution)) meV apart, Nyquist limit "
        + "\(Decimal.short(nyquist)) meV")
    let q = points.rows.cartesian(in: job.cell).map { dot($0, $0).squareRoot() }
    say(
      "apus: \(points.rows.count) q-points with |q| from \(Decimal.short(q.min() ?? 0)) to "
        + "\(Decimal.short(q.max() ?? 0)) 1/Å"
        + (shard.map { ", part \($0.index) of \($0.count)" } ?? "")
        + ", \(estimate.computed) computed")
    let seconds =
      estimate.seconds * Double(jobs.count) / Double(max(1, team.count))
    say(
      "apus: memory about \(Decimal.bytes(Double(estimate.frames + estimate.results))), time about "
        + "\(Decimal.duration(max(1, seconds))) with \(team.count) thread\(team.count == 1 ? "" : "s")"
    )
    if let available = RunEstimate.availableMemory, Double(estimate.results) > available {
      throw InputError(
        "the results need about \(Decimal.bytes(Double(estimate.results))) of memory, "
          + "\(Decimal.bytes(available)) are available",
        remedy: "Ask for fewer q-points or lags, or cut them into parts with --shard")
    }
    return estimate
  }

  /// The functions of all sources.
  /// - Parameter spool: a folder for frames that memory has no room for
  func compute(_ jobs: [Job], _ estimate: ScatterEstimate, spool: String) throws -> ScatterTable {
    let available = RunEstimate.availableMemory ?? .infinity
    let isSpooled = Double(estimate.frames + 2 * estimate.results) > 0.7 * available
    if isSpooled { say("apus: frames go through files without a name beside the result") }
    var parts: [ScatterData] = []
    var layout: ScatterCollector.Layout?
    var moves = jobs[0].mayMove
    var k = 0
    while k < jobs.count {
      do {
        let collector = try collect(
          jobs[k], isMoving: moves, layout: layout, spool: isSpooled ? spool : nil)
        layout = layout ?? collector.layout
        var next = MonotonicClock.seconds + 5
        parts.append(
          try collector.result { done in
            guard MonotonicClock.seconds >= next else { return }
            next = MonotonicClock.seconds + 5
            say("apus: \(Int(100 * done)) % of the shells' points are done")
          })
        k += 1
      } catch is ScatterCollector.CellMoves {
        // Points then follow the cell in every trajectory.
        (moves, layout, parts, k) = (true, nil, [], 0)
      }
    }
    var table = ScatterTable(try ScatterData.mean(of: parts))
    let targets = Set(sources.map { $0.context.isRamp ? nil : $0.context.temperature })
    table.temperature =
      plan.temperature ?? (targets.count == 1 ? targets.first ?? nil : nil) ?? table.temperature
    return table
  }

  private func collect(
    _ job: Job, isMoving: Bool, layout: ScatterCollector.Layout?, spool: String?
  ) throws -> ScatterCollector {
    let collector = try ScatterCollector(
      plan, facts: job.facts, isMoving: isMoving, layout: layout, shard: shard, team: team,
      spool: spool)
    let stream = FramePrefetcher(try TrajectoryFiles.open(job.path, options: job.options))
    var frame = TrajectoryFrame(for: stream.facts)
    if let spool { try FileLayer.makeDirectory(spool) }
    defer { if let spool { try? FileManager.default.removeItem(atPath: spool) } }
    while collector.frameCount < job.facts.frameCount, try stream.next(into: &frame) {
      try collector.add(
        cell: frame.values.cell, positions: frame.positions, velocities: frame.velocities,
        temperature: frame.values.temperature)
      // Files that are open stay without their names, and are gone however the process ends.
      if let spool, collector.frameCount == 1 {
        try? FileManager.default.removeItem(atPath: spool)
      }
    }
    guard collector.frameCount == job.facts.frameCount else {
      throw InputError(
        "ended after \(collector.frameCount) of \(job.facts.frameCount) frames",
        remedy: "Do not change the file while it is read", file: job.path)
    }
    return collector
  }

  /// The attributes of the result file.
  func attributes() throws -> [(String, String)] {
    let files = sources.compactMap(\.trajectory)
    let hashes = try files.map { path in
      try InputFile.hash(path, expecting: "a source", limit: .max)
    }
    return [
      ("title", "scattering of " + sources.map(\.word).joined(separator: ", ")),
      ("program", "apus \(Apus.version)"), ("deck", ScatterDeck.text(plan, deck.source)),
      ("sources", files.joined(separator: "\n")),
      ("sources_sha256", hashes.joined(separator: "\n")),
    ]
  }
}
