import Dynamics

extension RunPlan {
  /// The resolved deck: every default written out, paths absolute. Reading it gives an equal plan.
  package var yaml: String { ResolvedDeck(self).block(indent: 0) }

  /// The keys whose values differ, as `timestep: 1 fs → 0.5 fs`, from the other plan to this one.
  package func differences(from other: RunPlan) -> [String] {
    let old = ResolvedDeck(other).flat()
    let new = ResolvedDeck(self).flat()
    let oldValues = Dictionary(uniqueKeysWithValues: old)
    let newValues = Dictionary(uniqueKeysWithValues: new)
    let keys = old.map(\.0) + new.map(\.0).filter { oldValues[$0] == nil }
    return keys.compactMap { key in
      let (before, after) = (oldValues[key], newValues[key])
      return before == after ? nil : "\(key): \(before ?? "none") → \(after ?? "none")"
    }
  }

  /// Whether this plan equals the other but for a longer last stage of dynamics.
  package func onlyRaisesLastDuration(of other: RunPlan) -> Bool {
    guard let last = stages.last, var before = other.stages.last, !last.minimizes,
      last.steps > before.steps
    else { return false }
    before.steps = last.steps
    var raised = other
    raised.stages[raised.stages.count - 1] = before
    return raised == self
  }
}

extension ResolvedDeck {
  fileprivate func block(indent: Int) -> String {
    let margin = String(repeating: " ", count: indent)
    switch self {
    case .text(let text): return margin + text + "\n"
    case .list(let items):
      return items.map {
        margin + "- " + $0.block(indent: indent + 2).dropFirst(indent + 2)
      }.joined()
    case .mapping(let entries):
      return entries.map { key, value in
        switch value {
        case .text(let text): "\(margin)\(key): \(text)\n"
        case .mapping: "\(margin)\(key): \(value.flow)\n"
        case .list: "\(margin)\(key):\n" + value.block(indent: indent + 2)
        }
      }.joined()
    }
  }

  private var flow: String {
    switch self {
    case .text(let text): text
    case .list(let items): "[" + items.map(\.flow).joined(separator: ", ") + "]"
    case .mapping(let entries):
      "{" + entries.map { "\($0): \($1.flow)" }.joined(separator: ", ") + "}"
    }
  }

  /// Dotted keys with their texts. Stages go by name; their order is a key of its own.
  fileprivate func flat(_ path: String = "") -> [(String, String)] {
    switch self {
    case .text(let text): return [(path, text)]
    case .mapping(let entries):
      return entries.flatMap { $1.flat(path.isEmpty ? $0 : path + "." + $0) }
    case .list(let items):
      var result: [(String, String)] = []
      var names: [String] = []
      for item in items {
        let fields = item.flat()
        let name = fields.first { $0.0 == "name" }?.1 ?? "\(names.count)"
        names.append(name)
        result += fields.filter { $0.0 != "name" }.map { ("\(path).\(name).\($0)", $1) }
      }
      return [(path, "[" + names.joined(separator: ", ") + "]")] + result
    }
  }
}
