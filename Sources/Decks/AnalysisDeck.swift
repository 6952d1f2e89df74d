import Analysis
import Matter

/// Reads analyze decks, and writes them with every default filled in.
package enum AnalysisDeck {
  /// The checked plan of a deck file.
  /// - Throws: all that is wrong, in the order of the file.
  package static func read(path: String) throws(InputErrors) -> AnalysisPlan {
    try read(DeckSource(path: path))
  }

  /// The checked plan of a deck's text.
  package static func read(_ source: DeckSource) throws(InputErrors) -> AnalysisPlan {
    let isEmpty = source.text.split(whereSeparator: \.isNewline).allSatisfy {
      $0.allSatisfy(\.isWhitespace) || $0.trimmed.hasPrefix("#")
    }
    if isEmpty { return .everything }
    let problems = Problems()
    let root = try source.tree(problems)
    let validator = DeckValidator(problems: problems, source: source, outputOverride: nil)
    let plan = validator.analysis(root)
    guard problems.errors.isEmpty, let plan else {
      throw InputErrors(problems.sorted(problems.errors))
    }
    return plan
  }

  /// A plan as a deck with every default written out.
  package static func text(_ plan: AnalysisPlan) -> String {
    keys(plan).map { "\($0.0): \($0.1)\n" }.joined()
  }

  /// The same on one line, without what a run knows of its trajectory.
  static func line(_ plan: AnalysisPlan) -> String {
    "{"
      + keys(plan).filter { $0.0 != "trajectory" }.map { "\($0.0): \($0.1)" }
      .joined(separator: ", ") + "}"
  }

  /// What a deck says of its trajectory, on one line.
  static func text(_ s: AnalysisPlan.Source) -> String {
    func time(_ ps: Double) -> String { Quantity.time.text(Number.rounded(ps * 1000)) }
    let entries: [String?] = [
      s.timestep.map { "timestep: \(time($0))" },
      s.topology.map { "topology: \(ResolvedDeck.quoted($0))" },
      s.elements.map { "elements: [\($0.map(\.symbol).joined(separator: ", "))]" },
      s.units.map { "units: \($0.rawValue)" },
      s.first.map { "first: \(time($0))" },
      s.last.map { "last: \(time($0))" },
      "every: \(s.every)",
    ]
    return "{" + entries.compactMap { $0 }.joined(separator: ", ") + "}"
  }

  private static func keys(_ plan: AnalysisPlan) -> [(String, String)] {
    func time(_ ps: Double) -> String { Quantity.time.text(Number.rounded(ps * 1000)) }
    var lines: [(String, String)] = []
    func add(_ key: String, _ entries: [(String, String)?]) {
      let known = entries.compactMap { $0 }
      lines.append((key, "{" + known.map { "\($0.0): \($0.1)" }.joined(separator: ", ") + "}"))
    }
    lines.append(("trajectory", text(plan.source)))
    if let m = plan.msd {
      add(
        "msd",
        [
          ("by", "element"), m.maximumLag.map { ("maximum_lag", time($0)) },
          ("molecules", "\(m.molecules)"), ("remove_drift", "\(m.removeDrift)"),
        ])
    }
    if let r = plan.rdf {
      let pairs = r.pairs.map {
        "[" + $0.map { $0.map(\.symbol).joined(separator: "-") }.joined(separator: ", ") + "]"
      }
      let windows = r.windows.map {
        "[" + $0.map { "[\(time($0.lowerBound)), \(time($0.upperBound))]" }.joined(separator: ", ")
          + "]"
      }
      add(
        "rdf",
        [
          ("cutoff", Quantity.length.text(r.cutoff)), ("bins", "\(r.bins)"),
          ("pairs", pairs ?? "all"), windows.map { ("windows", $0) },
        ])
    }
    if plan.averages { add("averages", []) }
    if let x = plan.stress {
      add("stress", [("window", "\(x.window)"), ("viscosity", "\(x.viscosity)")])
    }
    if let x = plan.energy { add("energy", [("window", "\(x.window)")]) }
    if let x = plan.heatCapacity { add("heat_capacity", [("quantum", "\(x.quantum)")]) }
    if let x = plan.vacf {
      add("vacf", [("maximum_lag", time(x.maximumLag)), ("window", x.window.rawValue)])
    }
    if let x = plan.molecules {
      add(
        "molecules",
        [("bond_factor", Number.text(x.bondFactor)), ("herringbone", "\(x.herringbone)")])
    }
    if !plan.groups.isEmpty {
      add(
        "groups",
        plan.groups.map { group in
          let members = group.members.map { member in
            switch member {
            case .element(let e): "element \(e.symbol)"
            case .atoms(let range): "atoms \(range.lowerBound)-\(range.upperBound)"
            }
          }
          return (ResolvedDeck.quoted(group.name), "[" + members.joined(separator: ", ") + "]")
        })
    }
    lines.append(("blocks", "\(plan.blocks)"))
    return lines
  }
}
