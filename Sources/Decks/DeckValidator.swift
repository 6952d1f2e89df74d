import Analysis
import Dynamics
import Matter
import Scattering

/// Turns a located tree into a plan, noting everything that is wrong on the way.
struct DeckValidator {
  let problems: Problems
  let source: DeckSource
  let outputOverride: String?

  func deck(_ root: Node) -> (
    plan: RunPlan, stagesOfDefaultCoupling: [Int], analysis: AnalysisPlan?,
    scatter: [Int: ScatterPlan]
  )? {
    guard
      let fields = self.fields(root, "", known: Vocabulary.deck, example: "structure: silicon.xyz")
    else { return nil }
    let timestep = self.timestep(fields)
    let stages = self.stages(fields, timestep: timestep)
    let onlyMinimizes = stages.map { $0.allSatisfy { $0.ensembleName == "minimize" } } ?? true
    if !onlyMinimizes {
      require("timestep", in: fields, example: "timestep: 1 fs")
      require("velocities", in: fields, example: "velocities: 300 K")
    }
    let structureNode = require("structure", in: fields, example: "structure: crystal.xyz")
    let structure = path(structureNode, "structure")
    let potential = self.potential(fields)
    let velocities = self.velocities(fields)
    let supercell = self.supercell(fields)
    let masses = self.masses(fields)
    let seed = fields["seed"].flatMap { self.seed($0) }
    let title =
      fields["title"].map { self.text($0, "title") } ?? Paths.lastComponent(source.name)
    let checkpointEvery = self.checkpointEvery(fields)
    let output = self.output(fields)
    let analysis = fields["analysis"].flatMap { self.analysis($0, "analysis") }
    guard problems.errors.isEmpty, let stages, let structure, let potential, let title else {
      return nil
    }
    let plan = RunPlan(
      title: title, structure: structure, supercell: supercell, masses: masses,
      potential: potential, timestepFs: timestep, seed: seed ?? 1, velocities: velocities,
      output: output, stages: stages.compactMap(\.stage), checkpointEvery: checkpointEvery,
      analysis: analysis.map { AnalysisDeck.line($0) })
    var scatter: [Int: ScatterPlan] = [:]
    for (index, stage) in stages.enumerated() { scatter[index] = stage.scatter }
    return (plan, stages.indices.filter { stages[$0].couplingIsDefault }, analysis, scatter)
  }

  private func timestep(_ fields: Fields) -> Double? {
    guard let node = fields["timestep"], let value = quantity(node, .time, "timestep") else {
      return nil
    }
    guard (0.05...10).contains(value) else {
      let wrong = Quantity.time.text(value)
      var remedy = "Give the time between two steps, such as 1 fs"
      if (0.05...10).contains(value * 1000) {
        remedy = "Was \(Quantity.time.text(value * 1000)) meant, with the number in ps?"
      }
      fail(node, "timestep: \(wrong) is outside 0.05 fs to 10 fs", remedy)
      return nil
    }
    return value
  }

  private func potential(_ fields: Fields) -> RunPlan.PotentialChoice? {
    guard
      let node = require(
        "potential", in: fields, example: "potential: {model: nep.txt}"),
      let inner = self.fields(
        node, "potential", known: Vocabulary.potential, example: "potential: {model: nep.txt}")
    else { return nil }
    if node["ipi"] != nil { return nil }
    let model = path(
      require("model", in: inner, example: "potential: {model: nep.txt}"),
      "potential.model")
    let precision =
      inner["precision"].map {
        word($0, "potential.precision", RunPlan.Precision.allCases.map(\.rawValue), [:])
      } ?? "mixed"
    let head = inner["head"].map { text($0, "potential.head") }
    guard let model, let precision = precision.flatMap(RunPlan.Precision.init) else { return nil }
    return RunPlan.PotentialChoice(model: model, precision: precision, head: head ?? nil)
  }

  private func velocities(_ fields: Fields) -> RunPlan.Velocities? {
    guard let node = fields["velocities"] else { return nil }
    if let words = node.scalar?.split(separator: " "), words == ["from", "structure"] {
      return .fromStructure
    }
    if let text = node.scalar, !text.isEmpty, text.first.map({ $0.isLetter }) ?? false {
      fail(
        node, "velocities: expected a temperature or `from structure`, found \(node.found)",
        "Write velocities: 300 K")
      return nil
    }
    guard let value = temperature(node, "velocities", zero: true) else { return nil }
    return .temperature(value)
  }

  private func supercell(_ fields: Fields) -> [[Int]] {
    let unit = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    guard let node = fields["supercell"] else { return unit }
    let remedy = "Write three multiples, [2, 2, 4], or a 3x3 matrix of integers"
    guard case .sequence(let items) = node.content, items.count == 3 else {
      fail(node, "supercell: expected three items, found \(node.count ?? node.found)", remedy)
      return unit
    }
    if items.allSatisfy({ $0.scalar != nil }) {
      var rows = unit
      for k in 0..<3 {
        guard let n = integer(items[k], "supercell", 1...10_000) else { return unit }
        rows[k][k] = n
      }
      return checked(rows, at: node)
    }
    var rows: [[Int]] = []
    for item in items {
      guard case .sequence(let numbers) = item.content, numbers.count == 3 else {
        fail(item, "supercell: expected a row of three integers, found \(item.found)", remedy)
        return unit
      }
      var row: [Int] = []
      for number in numbers {
        guard let n = integer(number, "supercell", -10_000...10_000) else { return unit }
        row.append(n)
      }
      rows.append(row)
    }
    return checked(rows, at: node)
  }

  private func checked(_ m: [[Int]], at node: Node) -> [[Int]] {
    let determinant =
      m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1])
      - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
      + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
    if determinant == 0 {
      fail(node, "supercell: the rows span no volume", "Make the three rows independent")
    } else if determinant < 0 {
      fail(
        node, "supercell: the matrix makes the cell left-handed (determinant \(determinant))",
        "Swap two rows")
    } else if determinant > 100_000_000 {
      fail(node, "supercell: \(determinant) cells are too many", "Use at most 100000000")
    }
    return m
  }

  private func masses(_ fields: Fields) -> [Element: Double] {
    guard let node = fields["masses"] else { return [:] }
    guard let entries = node.entries else {
      fail(
        node, "masses: expected a mapping, found \(node.found)", "Write masses: {H: 2.014}")
      return [:]
    }
    var masses: [Element: Double] = [:]
    for entry in entries {
      guard let element = Element(symbol: entry.key) else {
        let remedy =
          ["D": "Write {H: 2.014} for deuterium", "T": "Write {H: 3.016} for tritium"][entry.key]
          ?? "Write chemical symbols, such as masses: {H: 2.014}"
        problems.errors.append(
          entry.mark.error("masses: '\(entry.key.clipped)' is not an element", remedy: remedy))
        continue
      }
      guard let mass = quantity(entry.value, .mass, "masses.\(entry.key)") else { continue }
      guard (0.1...500).contains(mass) else {
        fail(
          entry.value, "masses.\(entry.key): \(Number.text(mass)) amu is outside 0.1 to 500 amu",
          "The natural mass is \(Number.text(element.mass)) amu")
        continue
      }
      masses[element] = mass
    }
    return masses
  }

  private func seed(_ node: Node) -> UInt64? {
    if let text = node.scalar, text.allSatisfy({ $0.isASCII && $0.isNumber }),
      let value = UInt64(text)
    {
      return value
    }
    fail(
      node, "seed: expected an integer from 0 to 18446744073709551615, found \(node.found)",
      "Write seed: 1")
    return nil
  }

  private func checkpointEvery(_ fields: Fields) -> Double {
    guard let node = fields["checkpoint"],
      let inner = self.fields(
        node, "checkpoint", known: Vocabulary.checkpoint, example: "checkpoint: {every: 10 min}"),
      let every = inner["every"],
      let seconds = quantity(every, .wallClock, "checkpoint.every")
    else { return 600 }
    guard seconds > 0, seconds <= 30 * 86400 else {
      fail(every, "checkpoint.every: must be above 0 s and at most 30 d", "Write 10 min")
      return 600
    }
    return seconds
  }

  private func output(_ fields: Fields) -> String {
    let given = fields["output"].flatMap { path($0, "output") }
    if let outputOverride { return Paths.absolute(outputOverride) }
    return given
      ?? Paths.absolute(Paths.withoutExtension(Paths.lastComponent(source.name)))
  }

  func path(_ node: Node?, _ name: String) -> String? {
    guard let node, let text = self.text(node, name) else { return nil }
    // What comes from the command line is meant from where the command was given.
    return node.mark.line == nil
      ? Paths.absolute(text) : Paths.resolved(text, against: source.folder)
  }
}

extension Node {
  /// `2 items` for a list.
  fileprivate var count: String? {
    if case .sequence(let nodes) = content {
      nodes.count == 1 ? "1 item" : "\(nodes.count) items"
    } else {
      nil
    }
  }
}
