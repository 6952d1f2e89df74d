import Analysis
import Matter
import Trajectory

// The deck of `apus analyze`, also the block `analysis` of a run deck.
extension DeckValidator {
  /// The plan of an analyze deck.
  /// - Parameter name: the key of the block, empty for a deck of its own
  func analysis(_ node: Node, _ name: String = "") -> AnalysisPlan? {
    // An empty deck asks for everything.
    if node.scalar == "" { return .everything }
    // A run knows its own trajectory.
    let known = AnalysisVocabulary.deck.filter { name.isEmpty || $0 != "trajectory" }
    guard let fields = fields(node, name, known: known, example: "energy: {window: 1000}") else {
      return nil
    }
    var plan = AnalysisPlan()
    func block(_ key: String, _ words: [String], _ fill: (Fields) -> Void) -> Bool {
      guard let node = fields[key] else { return false }
      if node.scalar == "" { return true }
      if let inner = self.fields(
        node, fields.name(key), known: words, example: AnalysisVocabulary.examples[key] ?? key)
      {
        fill(inner)
      }
      return true
    }
    if let node = fields["trajectory"], node.scalar != "" { plan.source = source(node) }
    var msd = AnalysisPlan.Displacement()
    if block(
      "msd", AnalysisVocabulary.msd,
      { f in
        if let n = f["by"] { _ = word(n, f.name("by"), ["element"], [:]) }
        if let n = f["maximum_lag"] { msd.maximumLag = picoseconds(n, f.name("maximum_lag")) }
        if let n = f["molecules"] { msd.molecules = flag(n, f.name("molecules")) ?? true }
        if let n = f["remove_drift"] { msd.removeDrift = flag(n, f.name("remove_drift")) ?? false }
      })
    {
      plan.msd = msd
    }
    var rdf = AnalysisPlan.Radial()
    if block(
      "rdf", AnalysisVocabulary.rdf,
      { f in
        if let n = f["cutoff"], let value = quantity(n, .length, f.name("cutoff")) {
          if value > 0, value <= 1000 {
            rdf.cutoff = value
          } else {
            fail(
              n, "\(f.name("cutoff")): \(Number.text(value)) A is not above 0 A and at most 1000 A")
          }
        }
        if let n = f["bins"] { rdf.bins = integer(n, f.name("bins"), 1...1_000_000) ?? 400 }
        if let n = f["pairs"] { rdf.pairs = pairs(n, f.name("pairs")) }
        if let n = f["windows"] { rdf.windows = windows(n, f.name("windows")) }
      })
    {
      plan.rdf = rdf
    }
    plan.averages = block("averages", [], { _ in })
    var stress = AnalysisPlan.Stress()
    if block(
      "stress", AnalysisVocabulary.stress,
      { f in
        if let n = f["window"] {
          stress.window = integer(n, f.name("window"), 2...1_000_000_000) ?? 0
        }
        if let n = f["viscosity"] { stress.viscosity = flag(n, f.name("viscosity")) ?? true }
      })
    {
      plan.stress = stress
    }
    var energy = AnalysisPlan.Energy()
    if block(
      "energy", AnalysisVocabulary.energy,
      { f in
        if let n = f["window"] {
          energy.window = integer(n, f.name("window"), 2...1_000_000_000) ?? 0
        }
      })
    {
      plan.energy = energy
    }
    var heat = AnalysisPlan.HeatCapacity()
    if block(
      "heat_capacity", AnalysisVocabulary.heatCapacity,
      { f in if let n = f["quantum"] { heat.quantum = flag(n, f.name("quantum")) ?? true } })
    {
      plan.heatCapacity = heat
    }
    var vacf = AnalysisPlan.Velocities()
    if block(
      "vacf", AnalysisVocabulary.vacf,
      { f in
        if let n = f["maximum_lag"] {
          vacf.maximumLag = picoseconds(n, f.name("maximum_lag")) ?? 0
        }
        if let n = f["window"] {
          let words = AnalysisPlan.Velocities.Window.allCases.map(\.rawValue)
          vacf.window =
            word(n, f.name("window"), words, [:]).flatMap { .init(rawValue: $0) } ?? .hann
        }
      })
    {
      plan.vacf = vacf
    }
    var molecules = AnalysisPlan.Molecules()
    if block(
      "molecules", AnalysisVocabulary.molecules,
      { f in
        if let n = f["bond_factor"] {
          if let text = n.scalar, let (value, rest) = try? Number.scan(text), rest.isEmpty,
            value > 0.5, value < 3
          {
            molecules.bondFactor = value
          } else {
            fail(
              n, "\(f.name("bond_factor")): expected a number from 0.5 to 3, found \(n.found)",
              "Write bond_factor: 1.25")
          }
        }
        if let n = f["herringbone"] {
          molecules.herringbone = flag(n, f.name("herringbone")) ?? true
        }
      })
    {
      plan.molecules = molecules
    }
    if let node = fields["groups"] { plan.groups = groups(node, fields.name("groups")) }
    if let node = fields["blocks"] {
      plan.blocks = integer(node, fields.name("blocks"), 2...1000) ?? 5
    }
    if plan.asksForNothing { plan.askForEverything() }
    return plan
  }

  func source(_ node: Node) -> AnalysisPlan.Source {
    var source = AnalysisPlan.Source()
    guard
      let f = fields(
        node, "trajectory", known: AnalysisVocabulary.trajectory,
        example: "trajectory: {timestep: 2 fs}")
    else { return source }
    if let n = f["timestep"] { source.timestep = picoseconds(n, f.name("timestep")) }
    if let n = f["topology"] { source.topology = path(n, f.name("topology")) }
    if let n = f["elements"] { source.elements = elements(n, f.name("elements")) }
    if let n = f["units"] {
      let words = LAMMPSUnits.allCases.map(\.rawValue)
      source.units = word(n, f.name("units"), words, [:]).flatMap { LAMMPSUnits(rawValue: $0) }
    }
    if let n = f["first"] { source.first = picoseconds(n, f.name("first"), zero: true) }
    if let n = f["last"] { source.last = picoseconds(n, f.name("last")) }
    if let first = source.first, let last = source.last, last <= first, let n = f["last"] {
      fail(n, "trajectory.last: not after trajectory.first", "Both count from the first frame")
    }
    if let n = f["every"] { source.every = integer(n, f.name("every"), 1...1_000_000_000) ?? 1 }
    return source
  }

  func picoseconds(_ node: Node, _ name: String, zero: Bool = false) -> Double? {
    guard let value = quantity(node, .time, name) else { return nil }
    guard value > 0 || (zero && value == 0) else {
      fail(
        node, "\(name): \(Quantity.time.text(value)) is not \(zero ? "0 fs or more" : "above 0 fs")"
      )
      return nil
    }
    return value / 1000
  }

  func items(_ node: Node, _ name: String, _ example: String) -> [Node]? {
    guard case .sequence(let items) = node.content, !items.isEmpty else {
      fail(node, "\(name): expected a list, found \(node.found)", "Write \(example)")
      return nil
    }
    return items
  }

  func element(_ text: some StringProtocol, at node: Node, _ name: String) -> Element? {
    if let element = Element(symbol: String(text)) { return element }
    fail(node, "\(name): '\(String(text).clipped)' is not an element", "Write chemical symbols")
    return nil
  }

  func elements(_ node: Node, _ name: String) -> [Element]? {
    items(node, name, "elements: [C, H, I, S]")?.compactMap {
      element($0.scalar ?? $0.found, at: $0, name)
    }
  }

  private func pairs(_ node: Node, _ name: String) -> [[Element]]? {
    if node.scalar == "all" { return nil }
    return items(node, name, "pairs: [C-C, H-H], or pairs: all")?.compactMap { item in
      let parts = (item.scalar ?? "").split(separator: "-")
      guard parts.count == 2 else {
        fail(item, "\(name): expected a pair, found \(item.found)", "Write pairs: [C-C, H-H]")
        return nil
      }
      let pair = parts.compactMap { element($0, at: item, name) }
      return pair.count == 2 ? pair : nil
    }
  }

  private func windows(_ node: Node, _ name: String) -> [ClosedRange<Double>]? {
    let example = "windows: [[100 ps, 300 ps], [800 ps, 1 ns]]"
    return items(node, name, example)?.compactMap { item in
      guard case .sequence(let ends) = item.content, ends.count == 2 else {
        fail(item, "\(name): expected a start and an end, found \(item.found)", "Write \(example)")
        return nil
      }
      guard let start = picoseconds(ends[0], name, zero: true),
        let end = picoseconds(ends[1], name)
      else { return nil }
      guard start < end else {
        fail(item, "\(name): the window ends before it starts", "Write \(example)")
        return nil
      }
      return start...end
    }
  }

  private func groups(_ node: Node, _ name: String) -> [AnalysisPlan.Group] {
    let example = "groups: {iodine: [element I], first: [atoms 1-72]}"
    guard let entries = node.entries else {
      fail(node, "\(name): expected a mapping, found \(node.found)", "Write \(example)")
      return []
    }
    return entries.compactMap { entry in
      guard let parts = items(entry.value, "\(name).\(entry.key)", example) else { return nil }
      let members = parts.compactMap { item -> AnalysisPlan.Group.Member? in
        let words = (item.scalar ?? "").split(separator: " ")
        if words.count == 2, words[0] == "element" {
          return element(words[1], at: item, name).map { .element($0) }
        }
        if words.count == 2, words[0] == "atoms" || words[0] == "atom" {
          let ends = words[1].split(separator: "-", omittingEmptySubsequences: false)
            .map { Int($0) }
          if let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2,
            first >= 1, last >= first
          {
            return .atoms(first...last)
          }
        }
        fail(
          item, "\(name).\(entry.key): expected `element I` or `atoms 1-72`, found \(item.found)",
          "Write \(example)")
        return nil
      }
      return AnalysisPlan.Group(name: entry.key, members: members)
    }
  }
}

/// The words of analyze decks.
enum AnalysisVocabulary {
  static let deck = [
    "trajectory", "msd", "rdf", "averages", "stress", "energy", "heat_capacity", "vacf",
    "molecules", "groups",
    "blocks",
  ]
  static let trajectory = ["timestep", "topology", "elements", "units", "first", "last", "every"]
  static let msd = ["by", "maximum_lag", "molecules", "remove_drift"]
  static let rdf = ["cutoff", "bins", "pairs", "windows"]
  static let stress = ["window", "viscosity"]
  static let energy = ["window"]
  static let heatCapacity = ["quantum"]
  static let vacf = ["maximum_lag", "window"]
  static let molecules = ["bond_factor", "herringbone"]
  static let examples = [
    "msd": "msd: {maximum_lag: 500 ps}", "rdf": "rdf: {cutoff: 10 A, bins: 400}",
    "stress": "stress: {window: 1000}", "energy": "energy: {window: 1000}",
    "heat_capacity": "heat_capacity: {quantum: true}", "vacf": "vacf: {maximum_lag: 5 ps}",
    "molecules": "molecules: {herringbone: true}",
  ]
}
