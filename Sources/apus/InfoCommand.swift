import Dynamics
import Matter
import Trajectory

/// `apus info`: what a file holds.
enum InfoCommand: Command {
  static let name = "info"
  static let grammar = Arguments.Grammar(operands: ["FILE"])
  static let help = """
    apus info FILE: what a model, structure, trajectory, run directory, checkpoint or
    result file holds

    Example:
      apus info runs/silicon/produce/trajectory.nc
    """

  static func run(_ arguments: Arguments) throws -> ExitStatus {
    let path = try TrajectoryFiles.locate(arguments.operands[0]).path
    try InputFile.check(path, expecting: "a model, structure, trajectory or checkpoint")
    var lines: [(String, String)] = [("file", path)]
    if isCheckpoint(path) {
      do {
        lines += describe(
          try Checkpoint(path: path))
      } catch let damage as Checkpoint.Damage {
        throw InputError("a checkpoint that is \(damage.description)", file: path)
      }
    } else if let results = try results(path) {
      lines += results
    } else {
      lines +=
        PotentialLoader.recognizes(path)
        ? try model(path) : try structure(path, StructureReader.kind(of: path))
    }
    return show(lines)
  }

  /// The groups of a result file, or nil for any other.
  private static func results(_ path: String) throws -> [(String, String)]? {
    let magic = try InputFile.read(path, expecting: "a file", limit: .max, atMost: 4)
    guard magic == [0x89, 0x48, 0x44, 0x46] else { return nil }
    do {
      let file = try NetCDFFile(opening: path)
      let groups = try file.groupNames()
      let own = try file.variables()
      guard !groups.isEmpty || own.contains(where: { $0.name == "q_norms" }) else { return nil }
      var lines = [("kind", "results")]
      for (name, value) in try file.attributes() {
        if case .text(let text) = value {
          lines.append((name, text.contains("\n") ? "\n" + text : text))
        }
      }
      func words(_ variables: [NetCDFFile.Variable]) -> String {
        variables.filter { !$0.name.hasSuffix("_stderr") }.map {
          $0.dimensions.isEmpty
            ? $0.name : "\($0.name)(\($0.dimensions.joined(separator: ", ")))"
        }.joined(separator: " ")
      }
      if !own.isEmpty { lines.append(("variables", words(own))) }
      for name in groups {
        guard let group = try file.group(name) else { continue }
        lines.append((name, words(try group.variables())))
      }
      return lines
    } catch {
      throw InputError(error.message, file: path)
    }
  }

  private static func show(_ lines: [(String, String)]) -> ExitStatus {
    let width = lines.map { $0.0.count }.max() ?? 0
    for (key, value) in lines {
      Console.out(key + String(repeating: " ", count: width - key.count + 2) + value)
    }
    return .done
  }

  private static func isCheckpoint(_ path: String) -> Bool {
    let name = FileLayer.name(of: path)
    return name.hasPrefix("checkpoint") && name.hasSuffix(".nc")
  }

  private static func describe(_ c: Checkpoint) -> [(String, String)] {
    [
      ("kind", "checkpoint"), ("written by", c.program), ("atoms", "\(c.elements.count)"),
      ("step", "\(c.step)"),
      ("stage", c.stage < 0 ? "before the first" : "number \(c.stage + 1), step \(c.stageStep)"),
      ("stage is done", c.stageIsDone ? "yes" : "no"), ("frames of the stage", "\(c.frames)"),
      ("potential energy", "\(c.energy) eV"), ("model sha256", c.modelHash),
      ("structure sha256", c.structureHash), ("deck", "\n" + c.deck),
    ]
  }

  private static func structure(_ path: String, _ kind: StructureKind) throws -> [(String, String)]
  {
    switch kind {
    case .netCDF, .lammpsDump, .dcd, .h5md: return try trajectory(path, kind)
    default: break
    }
    var lines = [("kind", kind.rawValue)]
    var count = 0
    try EvaluateCommand.forEachFrame(of: path) { _ in count += 1 }
    lines.append(("frames", "\(count)"))
    if count > 1, let survey = try? TrajectoryFiles.survey(path, options: anySpacing) {
      lines += times(survey)
    }
    let s = try StructureReader.first(path: path).structure
    lines.append(("atoms", "\(s.count) (\(formula(s.elements)))"))
    let mass = (s.masses ?? s.elements.map(\.mass)).reduce(0, +)
    lines += cell(s.cell, s.periodicity, mass: mass)
    lines.append(("velocities", s.velocities == nil ? "no" : "yes"))
    return lines
  }

  private static var anySpacing: TrajectoryOptions {
    var options = TrajectoryOptions()
    options.requiresEvenSpacing = false
    return options
  }

  private static func trajectory(_ path: String, _ kind: StructureKind) throws -> [(String, String)]
  {
    let stream = try TrajectoryFiles.open(path, options: anySpacing)
    let facts = stream.facts
    var frame = TrajectoryFrame(for: facts)
    guard try stream.next(into: &frame) else {
      throw InputError(
        "holds no whole frame" + (stream.damage.map { ": \($0)" } ?? ""), file: path)
    }
    let survey = try TrajectoryFiles.survey(path, options: anySpacing)
    var lines = [("kind", kind == .netCDF ? "AMBER NetCDF trajectory" : kind.rawValue)]
    if !facts.title.isEmpty { lines.append(("title", facts.title)) }
    if !facts.program.isEmpty { lines.append(("written by", facts.program)) }
    lines.append(("velocities", facts.hasVelocities ? "yes" : "no"))
    lines.append(("forces", facts.hasForces ? "yes" : "no"))
    let wrapping =
      switch facts.wrapping {
      case .unwrapped: "unwrapped"
      case .wrapped: "wrapped"
      case .unknown: "as the file has them"
      }
    lines.append(("coordinates", wrapping))
    if let damage = survey.damage { lines.append(("damage", damage)) }
    lines.append(("frames", "\(survey.frameCount)"))
    lines += times(survey)
    var atoms = "\(facts.atomCount)"
    if let elements = facts.elements {
      atoms += " (\(formula(elements)))"
    } else if let types = facts.types, let low = types.min(), let high = types.max() {
      atoms += " (types \(low) to \(high), elements unknown)"
    } else {
      atoms += " (elements unknown)"
    }
    lines.append(("atoms", atoms))
    let masses = facts.masses ?? facts.elements?.map(\.mass)
    lines += cell(frame.values.cell, frame.values.periodicity, mass: masses?.reduce(0, +))
    for note in facts.notes { lines.append(("note", note)) }
    return lines
  }

  private static func times(_ survey: TrajectorySurvey) -> [(String, String)] {
    var lines: [(String, String)] = []
    let last = [survey.lastStep.map { "step \($0)" }, survey.lastPs.map { "\($0) ps" }]
      .compactMap { $0 }.joined(separator: ", ")
    if !last.isEmpty { lines.append(("last frame", last)) }
    if let spacing = survey.spacingPs { lines.append(("spacing", "\(spacing) ps")) }
    if let problem = survey.unevenness { lines.append(("uneven", problem)) }
    return lines
  }

  private static func formula(_ elements: [Element]) -> String {
    var counts: [Element: Int] = [:]
    for element in elements { counts[element, default: 0] += 1 }
    return counts.sorted { $0.key < $1.key }.map { "\($0.key)\($0.value)" }.joined(separator: " ")
  }

  private static func cell(_ cell: Cell?, _ periodicity: Periodicity, mass: Double?) -> [(
    String, String
  )] {
    guard let cell else { return [("periodic", "no")] }
    let (l, a) = (cell.lengths, cell.angles)
    var lines = [
      ("a, b, c", "\(l.x), \(l.y), \(l.z) Å"), ("α, β, γ", "\(a.x), \(a.y), \(a.z)°"),
      ("volume", "\(cell.volume) Å³" + (cell.isRightHanded ? "" : ", left-handed")),
    ]
    if let mass {
      let density = mass / cell.volume * Units.gramPerCubicCentimeter
      lines.append(("density", "\(Decimal.short(density)) g/cm³"))
    }
    lines.append(
      ("periodic", (0..<3).map { periodicity[$0] ? "T" : "F" }.joined(separator: " ")))
    return lines
  }

  private static func model(_ path: String) throws -> [(String, String)] {
    let model = try PotentialLoader.load(
      RunPlan.PotentialChoice(model: path, precision: .double, head: nil))
    return [
      ("kind", "model"), ("potential", model.description),
      ("elements", model.potential.elements?.map(\.symbol).joined(separator: " ") ?? "any"),
      ("cutoff", "\(model.potential.cutoff) Å"), ("sha256", model.hash),
    ]
  }
}
