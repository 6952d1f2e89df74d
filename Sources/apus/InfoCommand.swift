import Dynamics
import Matter
import Trajectory

/// `apus info`: what a file holds.
enum InfoCommand: Command {
  static let name = "info"
  static let grammar = Arguments.Grammar(operands: ["FILE"])
  static let help = """
    apus info FILE: what a model, structure, trajectory or checkpoint holds

    Example:
      apus info runs/silicon/produce/trajectory.nc
    """

  static func run(_ arguments: Arguments) throws -> ExitStatus {
    let path = arguments.operands[0]
    try InputFile.check(path, expecting: "a model, structure, trajectory or checkpoint")
    var lines: [(String, String)] = [("file", path)]
    if isCheckpoint(path) {
      do {
        lines += describe(
          try Checkpoint(path: path))
      } catch let damage as Checkpoint.Damage {
        throw InputError("a checkpoint that is \(damage.description)", file: path)
      }
    } else {
      lines +=
        PotentialLoader.recognizes(path)
        ? try model(path) : try structure(path, StructureReader.kind(of: path))
    }
    return show(lines)
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

  private static func structure(
    _ path: String, _ kind: StructureKind
  ) throws -> [(String, String)] {
    var lines: [(String, String)] = []
    var count = 1
    if kind == .netCDF {
      let reader = try AmberTrajectoryReader(path: path)
      count = reader.frameCount
      lines.append(("kind", "AMBER NetCDF trajectory"))
      if !reader.title.isEmpty { lines.append(("title", reader.title)) }
      if !reader.program.isEmpty { lines.append(("written by", reader.program)) }
      lines.append(("velocities", reader.hasVelocities ? "yes" : "no"))
      lines.append(("forces", reader.hasForces ? "yes" : "no"))
      lines.append(("coordinates", reader.isUnwrapped ? "unwrapped" : "as the file has them"))
      if let damage = reader.damage { lines.append(("damage", damage)) }
      lines.append(("frames", "\(count)"))
      if count == 0 {
        lines.append(("atoms", "\(reader.atomCount)"))
        return lines
      }
      let last = try reader.frame(count - 1).values
      lines.append(("last frame", "step \(last.step), \(last.timePs) ps"))
    } else {
      lines.append(("kind", kind.rawValue))
      count = 0
      try EvaluateCommand.forEachFrame(of: path) { _ in count += 1 }
      lines.append(("frames", "\(count)"))
    }
    let s = try StructureReader.first(path: path).structure
    var counts: [Element: Int] = [:]
    for element in s.elements { counts[element, default: 0] += 1 }
    let formula = counts.sorted { $0.key < $1.key }.map { "\($0.key)\($0.value)" }
      .joined(separator: " ")
    lines.append(("atoms", "\(s.count) (\(formula))"))
    if let cell = s.cell {
      let (l, a) = (cell.lengths, cell.angles)
      lines.append(("a, b, c", "\(l.x), \(l.y), \(l.z) Å"))
      lines.append(("α, β, γ", "\(a.x), \(a.y), \(a.z)°"))
      lines.append(("volume", "\(cell.volume) Å³" + (cell.isRightHanded ? "" : ", left-handed")))
      let mass = (s.masses ?? s.elements.map(\.mass)).reduce(0, +)
      lines.append(
        ("density", "\(Decimal.short(mass / cell.volume * Units.gramPerCubicCentimeter)) g/cm³"))
    }
    let p = s.periodicity
    lines.append(
      ("periodic", s.cell == nil ? "no" : (0..<3).map { p[$0] ? "T" : "F" }.joined(separator: " ")))
    lines.append(("velocities", s.velocities == nil ? "no" : "yes"))
    return lines.enumerated().filter { k, line in
      line.0 != "velocities" || lines.firstIndex { $0.0 == "velocities" } == k
    }.map(\.element)
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
