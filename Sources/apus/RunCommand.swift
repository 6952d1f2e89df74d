import Decks
import Dynamics
import Glibc
import Matter
import Parallel
import Potentials
import Trajectory

/// `apus run`: a deck from its first step, or on from its last checkpoint.
enum RunCommand: Command {
  static let name = "run"
  static let grammar = Arguments.Grammar(
    options: ["--output": 1, "--max-walltime": 1, "--set": 1],
    flags: ["--resume", "--dry-run"], operands: ["DECK"])
  static let help = """
    apus run DECK [options]: runs the stages of a deck into a run directory

      --output DIR           the run directory, instead of the deck's `output`
      --resume               go on from the newest checkpoint; nothing else changes
      --dry-run              check everything, estimate memory, disk and time, run nothing
      --max-walltime T       stop in time for a checkpoint, such as '2 h'; exit status 75
      --set KEY.PATH=VALUE   replace a value of the deck; may be given often
      --threads N            threads (default: the cores this process may use); never changes results
      --quiet                no progress

    SIGINT, SIGTERM, or a file STOP in the run directory stop the run after the step, with a
    checkpoint and exit status 75.

    Example:
      apus run silicon.yaml --set 'stages.produce.temperature=500 K' --output runs/silicon-500K
      apus run silicon.yaml --output runs/silicon-500K --resume
    """

  static func run(_ arguments: Arguments) throws -> ExitStatus {
    let start = MonotonicClock.seconds
    var overrides: [String] = []
    for set in arguments.values["--set"] ?? [] { overrides += set }
    let limit = try arguments.value("--max-walltime").map { text throws(InputError) in
      do throws(InputError) { return try Quantity.wallClock.value(of: text) } catch {
        throw InputError("--max-walltime: \(error.message)", remedy: error.remedy)
      }
    }
    let threads = try arguments.threads()
    let deck = try DeckReader.read(
      path: arguments.operands[0], overrides: overrides,
      outputOverride: arguments.value("--output"))
    var job = Job(
      deck: deck, plan: deck.plan, team: ThreadTeam(count: threads),
      isQuiet: arguments.flags.contains("--quiet"),
      deadline: limit.map { start + $0 } ?? .infinity, deckPath: arguments.operands[0])
    if arguments.flags.contains("--resume") {
      if arguments.flags.contains("--dry-run") {
        throw InputError("--resume and --dry-run exclude each other")
      }
      return try job.resume()
    }
    return try job.start(isDry: arguments.flags.contains("--dry-run"))
  }

  /// One call of the command.
  private struct Job {
    let deck: CheckedDeck
    /// The deck's plan, with what depends on the cell settled once that is known.
    var plan: RunPlan
    let team: ThreadTeam
    let isQuiet: Bool
    let deadline: Double
    let deckPath: String

    var directory: RunDirectory { RunDirectory(plan.output) }

    var deckWarnings: [String] { deck.warnings.map(\.description) }

    mutating func start(isDry: Bool) throws -> ExitStatus {
      if !isDry, directory.standing == .occupied { throw occupied() }
      let model = try PotentialLoader.load(plan.potential)
      let unit = try StructureReader.first(path: plan.structure).structure
      let repeats = abs(Self.determinant(plan.supercell))
      let neighbors = RunEstimate.neighbors(unit, within: model.potential.cutoff + 1)
      let atoms = Double(unit.count) * Double(repeats)
      guard atoms < 2e9 else {
        throw InputError("the supercell has \(Decimal.short(atoms)) atoms, more than 2·10^9")
      }
      let estimate = RunEstimate(plan: plan, atoms: Int(atoms), neighborsPerAtom: neighbors)
      if let error = RunEstimate.memoryObstacle(estimate.memory) { throw error }
      let preflight = try Preflight(
        plan: plan, unit: unit, potential: model.potential, team: team)
      let scattering = try ScatterPreflight.check(
        deck.scatter, run: plan, structure: preflight.structure)
      let obstacles = estimate.obstacles(directory: plan.output)
      guard obstacles.isEmpty else { throw InputErrors(obstacles) }
      plan = deck.plan(cellIsOrthogonal: preflight.structure.cell?.isOrthogonal ?? true)
      let evaluator = ForceEvaluator(potential: model.potential, team: team)
      var checkpoint = try Checkpoint.initial(preflight.structure, evaluator: evaluator)
      checkpoint.deck = plan.yaml
      checkpoint.modelHash = model.hash
      checkpoint.structureHash = try PotentialLoader.hash(of: plan.structure)
      checkpoint.program = "apus \(Apus.version)"
      for warning in deckWarnings + preflight.warnings {
        Console.message("apus: warning: \(warning)")
      }
      if isDry {
        Console.out(
          ([dryReport(preflight.structure, estimate, evaluator, model)] + scattering)
            .joined(separator: "\n"))
        return .done
      }
      StopRequest.handleSignals()
      let methods = methods(checkpoint, model)
      let lock: RunLock
      do throws(RunDirectory.Refusal) {
        lock = try directory.create { draft throws(FileError) in
          try FileLayer.write(checkpoint.deck, to: draft.file("deck.yaml"))
          try FileLayer.write(methods, to: draft.file("methods.txt"))
          try FileLayer.write(checkpoint.bytes, to: draft.checkpoint)
        }
      } catch {
        switch error {
        case .occupied: throw occupied()
        case .held(let owner): throw held(owner)
        case .failed(let reason): throw InputError(reason, remedy: "Choose another --output")
        }
      }
      let log = openLog()
      log.write(
        "apus \(Apus.version) starts on \(preflight.structure.count) atoms, model \(plan.potential.model) (sha256 \(model.hash)), \(plan.potential.precision.rawValue) precision, \(team.count) threads, \(RunLock.owner)"
      )
      for warning in deckWarnings + preflight.warnings { log.write("warning: \(warning)") }
      if preflight.structure.count > 1, case .temperature(let t)? = plan.velocities {
        log.write(
          "velocities: Maxwell-Boltzmann at \(Decimal.short(t)) K; a start from a relaxed structure loses about half its kinetic energy to the potential within 100 fs (`velocities:` at twice the temperature makes up for it)"
        )
      }
      return try simulate(checkpoint, evaluator, lock, log)
    }

    mutating func resume() throws -> ExitStatus {
      let path = directory.path
      switch directory.standing {
      case .nothing, .emptyDirectory:
        throw InputError(
          "\(path): there is no run to resume", remedy: "Start it without --resume")
      case .occupied: break
      }
      guard access(path, W_OK) == 0 else {
        throw InputError(
          "\(path): the run directory cannot be written to: \(String(cString: strerror(errno)))",
          remedy: "Restore its permissions")
      }
      let lock: RunLock
      do { lock = try RunLock(directory: path) } catch {
        switch error {
        case .held(let owner): throw held(owner)
        case .unusable(let reason): throw InputError(reason)
        }
      }
      let found: RunDirectory.Found
      switch directory.newestCheckpoint() {
      case .success(let newest): found = newest
      case .failure(let problems):
        throw InputError(
          "\(path): no usable checkpoint: \(problems.problems.joined(separator: "; "))",
          remedy: "Start anew with another --output")
      }
      var checkpoint = found.checkpoint
      plan = deck.plan(
        cellIsOrthogonal: checkpoint.initialCellIsOrthogonal)
      try compare(checkpoint)
      let model = try PotentialLoader.load(plan.potential)
      guard model.hash == checkpoint.modelHash else {
        throw InputError(
          "\(plan.potential.model): not the model of this run (sha256 \(model.hash.prefix(16))…, the run's is \(checkpoint.modelHash.prefix(16))…)",
          remedy: "Another model is another run: choose another --output")
      }
      if FileLayer.exists(plan.structure),
        try PotentialLoader.hash(of: plan.structure) != checkpoint.structureHash
      {
        throw InputError(
          "\(plan.structure): changed since the run started",
          remedy: "Another structure is another run: choose another --output")
      }
      let isFinished =
        checkpoint.stage == plan.stages.count - 1 && checkpoint.stageIsDone
        && checkpoint.deck == plan.yaml && FileLayer.exists(directory.file("final.xyz"))
      if isFinished {
        if deck.analysis != nil, !FileLayer.exists(directory.file("analysis/analysis.nc")) {
          return analyze(openLog())
        }
        if !isQuiet { Console.message("apus: the run in \(path) is finished") }
        return .done
      }
      StopRequest.handleSignals()
      let log = openLog()
      do {
        if found.remark != nil { try FileLayer.remove(directory.checkpoint) }
        if checkpoint.deck != plan.yaml {
          checkpoint.deck = plan.yaml
          try FileLayer.write(plan.yaml, to: directory.file("deck.yaml"))
          try FileLayer.write(
            methods(checkpoint, model), to: directory.file("methods.txt"))
        }
        try FileLayer.remove(directory.stopFile)
      } catch {
        Console.message("apus: \(error)")
        return .failed
      }
      if let remark = found.remark {
        Console.message("apus: \(remark)")
        log.write(remark)
      }
      log.write("resumed at step \(checkpoint.step) by \(RunLock.owner), \(team.count) threads")
      let evaluator = ForceEvaluator(potential: model.potential, team: team)
      return try simulate(checkpoint, evaluator, lock, log)
    }

    private func simulate(
      _ checkpoint: Checkpoint, _ evaluator: ForceEvaluator, _ lock: RunLock, _ log: RunLog
    ) throws -> ExitStatus {
      if !lock.isEffective {
        Console.message(
          "apus: warning: this file system has no locks; let no second process run here")
      }
      let bar = isQuiet ? nil : ProgressBar()
      var around = Simulation.Surroundings(directory: directory, log: log)
      around.deadline = deadline
      around.progress = { bar?.show($0) }
      around.warning = { text in
        bar?.clear()
        Console.message("apus: warning: \(text)")
      }
      around.report = { text in
        bar?.clear()
        Console.out(text)
      }
      let (scatter, run, team) = (deck.scatter, plan, team)
      let (directory, warning) = (directory, around.warning)
      around.observer = { index, elements, memory in
        guard let choice = scatter[index] else { return nil }
        return try ScatterObserver(
          choice, run: run, stage: index, elements: elements, memory: memory,
          folder: directory.path + "/" + run.stages[index].name, team: team, warn: warning)
      }
      do throws(SimulationFailure) {
        let simulation = try Simulation(
          plan: plan, checkpoint: checkpoint, evaluator: evaluator, around: around)
        let outcome = try simulation.run()
        bar?.clear()
        _ = consume lock
        switch outcome {
        case .finished:
          log.write("finished")
          return analyze(log)
        case .stopped(let reason):
          Console.message(
            "apus: stopped by \(reason) at step \(simulation.step); go on with `apus run \(deckPath) --output \(directory.path) --resume`"
          )
          return .stoppedEarly
        }
      } catch {
        bar?.clear()
        Console.message("apus: \(error)")
        return .failed
      }
    }

    /// What the deck asks for after the last stage, on that stage, into `analysis` of the run.
    private func analyze(_ log: RunLog) -> ExitStatus {
      guard let analysis = deck.analysis, let stage = plan.stages.last else { return .done }
      do {
        let source = try AnalysisSource.find(directory.file(stage.name))
        let result = try Analyzer(plan: analysis, sources: [source], team: team).run()
        try FileLayer.makeDirectory(directory.file("analysis"))
        try result.write(to: directory.file("analysis"))
        Console.out(result.summary.table)
        log.write("analyzed")
        return .done
      } catch {
        Console.message("apus: the run is finished, its analysis failed: \(error)")
        log.write("analysis failed: \(error)")
        return .failed
      }
    }

    private func methods(_ checkpoint: Checkpoint, _ model: PotentialLoader.Model) -> String {
      Methods.paragraph(
        plan: plan, elements: checkpoint.elements.compactMap(Element.init(atomicNumber:)),
        model: model.description,
        modelCitations: model.citations, program: checkpoint.program)
    }

    private func openLog() -> RunLog {
      RunLog(path: directory.file("apus.log")) { Console.message("apus: warning: \($0)") }
    }

    // MARK: refusals

    /// Only a longer last stage and the places of files may differ from the deck of the checkpoint.
    private func compare(_ checkpoint: Checkpoint) throws {
      if checkpoint.deck == plan.yaml { return }
      let old = try plan(of: checkpoint.deck)
      var same = old
      same.output = plan.output
      // Files may have moved: what they hold is compared.
      same.potential.model = plan.potential.model
      if FileLayer.exists(plan.structure) { same.structure = plan.structure }
      if plan.onlyRaisesLastDuration(of: same), let last = plan.stages.last {
        if last.hasRamp, checkpoint.stage == plan.stages.count - 1 {
          throw InputError(
            "the duration of stage \(last.name) was raised, but its ramp depends on it",
            remedy: "Give the old duration, and start another run from final.xyz for more")
        }
        if last.scatter != nil, checkpoint.stage == plan.stages.count - 1, checkpoint.stageIsDone {
          throw InputError(
            "the duration of stage \(last.name) was raised, but the frames of its `scatter` are gone",
            remedy: "Give the old duration, and start another run from final.xyz for more")
        }
        return
      }
      let differences = plan.differences(from: same)
      guard differences.isEmpty else {
        throw InputErrors(
          differences.map {
            InputError(
              "\(directory.path): the deck differs from the one of the run: \($0)",
              remedy: "Resume with the old deck, or start another run with --output")
          })
      }
    }

    /// The plan of a resolved deck of this run.
    private func plan(of text: String) throws -> RunPlan {
      try DeckReader.read(
        DeckSource(text: text, name: directory.file("deck.yaml")), outputOverride: plan.output
      ).plan
    }

    private func occupied() -> any Error {
      if let text = try? InputFile.read(
        directory.file("deck.yaml"), expecting: "a deck", limit: 1 << 24),
        let old = try? plan(of: String(decoding: text, as: UTF8.self))
      {
        let differences = plan.differences(from: old)
        if !differences.isEmpty {
          return InputErrors(
            differences.map {
              InputError(
                "\(directory.path) holds a run of another deck: \($0)",
                remedy: "Choose another --output, or go on with the old deck and --resume")
            })
        }
        return InputError(
          "\(directory.path) holds this run already",
          remedy: "Go on with --resume, or choose another --output")
      }
      return InputError(
        "\(directory.path) exists and is not an empty directory",
        remedy: "Choose another --output, or go on with a run in it with --resume")
    }

    private func held(_ owner: String) -> InputError {
      InputError(
        "\(directory.path) is in use by \(owner)",
        remedy: "Wait for it, stop it, or choose another --output")
    }

    // MARK: dry run

    private func dryReport(
      _ structure: Structure, _ estimate: RunEstimate, _ evaluator: ForceEvaluator,
      _ model: PotentialLoader.Model
    ) -> String {
      let configuration = structure.configuration()
      var result = Evaluation(count: structure.count)
      var best = Double.infinity
      for _ in 0..<3 {
        let begin = MonotonicClock.seconds
        do {
          try evaluator.evaluate(configuration, needing: .virial, into: &result)
        } catch { break }
        best = min(best, MonotonicClock.seconds - begin)
      }
      let steps = plan.stages.reduce(0) { $0 + $1.steps }
      // Integration, checks and rebuilds of the neighbour list on top of the forces.
      let seconds = best * 1.15 * Double(steps)
      let free = FileLayer.freeSpace(at: plan.output).map { Decimal.bytes(Double($0)) } ?? "unknown"
      let memory = RunEstimate.availableMemory.map { Decimal.bytes($0) } ?? "unknown"
      return """
        deck: \(deckPath): no errors
        atoms: \(structure.count)
        model: \(model.description), \(plan.potential.precision.rawValue) precision
        stages: \(plan.stages.map { "\($0.name) (\($0.steps) steps)" }.joined(separator: ", "))
        memory: about \(Decimal.bytes(estimate.memory)) (\(memory) available)
        disk: about \(Decimal.bytes(estimate.disk)) (\(free) free)
        time: about \(Decimal.duration(seconds)) with \(team.count) threads (\(Decimal.short(best * 1e3)) ms for the forces of a step)
        output: \(plan.output)
        """
    }

    private static func determinant(_ m: [[Int]]) -> Int {
      let rows = m.map { SIMD3(Double($0[0]), Double($0[1]), Double($0[2])) }
      return Int(exactly: Matrix3(rows[0], rows[1], rows[2]).determinant.rounded())
        ?? Int(Int32.max)
    }
  }
}
