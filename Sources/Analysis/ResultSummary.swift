import Foundation

/// What a person reads first of an analysis: summary.json and a table.
public struct ResultSummary: Sendable {
  /// Facts of the analysis as a whole: program, sources.
  public var facts: [(String, String)]
  /// The groups.
  public var groups: [ResultGroup]
  /// What stood in the way of observables that were asked for, by name.
  public var obstacles: [(String, String)]

  /// A summary of groups.
  public init(
    facts: [(String, String)], groups: [ResultGroup], obstacles: [(String, String)]
  ) {
    self.facts = facts
    self.groups = groups
    self.obstacles = obstacles
  }

  /// One JSON object; numbers that are not finite are null.
  public var json: String {
    var entries = facts.map { ("\($0.0)", Self.quoted($0.1)) }
    for group in groups {
      let lines = group.lines.map { line -> (String, String) in
        if let text = line.text { return (line.key, Self.quoted(text)) }
        guard let e = line.estimate else { return (line.key, "null") }
        let fields = [
          ("value", Self.number(e.value)), ("stderr", Self.number(e.standardError)),
          ("interval_95", Self.number(e.interval95)),
          ("effective_samples", Self.number(e.effectiveSamples)),
          ("units", Self.quoted(line.units)), ("remark", Self.quoted(line.remark)),
        ]
        let shown = fields.filter { $0.1 != "\"\"" || $0.0 == "units" }
        return (
          line.key,
          "{" + shown.map { "\(Self.quoted($0.0)): \($0.1)" }.joined(separator: ", ") + "}"
        )
      }
      entries.append((group.name, Self.object(lines, indent: 2)))
    }
    if !obstacles.isEmpty {
      entries.append(
        ("not_done", Self.object(obstacles.map { ($0.0, Self.quoted($0.1)) }, indent: 2)))
    }
    return Self.object(entries, indent: 0) + "\n"
  }

  private static func object(_ entries: [(String, String)], indent: Int) -> String {
    let margin = String(repeating: " ", count: indent)
    if entries.isEmpty { return "{}" }
    return "{\n"
      + entries.map { "\(margin)  \(quoted($0.0)): \($0.1)" }.joined(separator: ",\n")
      + "\n\(margin)}"
  }

  private static func number(_ value: Double) -> String { value.isFinite ? "\(value)" : "null" }

  private static func quoted(_ text: String) -> String {
    var result = "\""
    for c in text.unicodeScalars {
      switch c {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      default:
        if c.value < 32 {
          let hex = String(c.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        } else {
          result.unicodeScalars.append(c)
        }
      }
    }
    return result + "\""
  }

  /// The table: a paragraph for each observable.
  public var table: String {
    var paragraphs: [String] = []
    for group in groups where !group.lines.isEmpty {
      let rows = group.lines.map { line -> (String, String, String) in
        (
          line.key.replacing("_", with: " "),
          line.text ?? line.estimate.map { Self.text($0, line.units) } ?? "", line.remark
        )
      }
      let width = rows.map(\.0.count).max() ?? 0
      let second = rows.filter { !$0.2.isEmpty }.map(\.1.count).max() ?? 0
      let lines = rows.map { row in
        var text = "  " + row.0.padding(toLength: width + 2, withPad: " ", startingAt: 0) + row.1
        if !row.2.isEmpty {
          text += String(repeating: " ", count: second - row.1.count + 2) + row.2
        }
        return text
      }
      paragraphs.append(([group.name] + lines).joined(separator: "\n"))
    }
    if !obstacles.isEmpty {
      paragraphs.append(
        (["not done"] + obstacles.map { "  \($0.0): \($0.1)" }).joined(separator: "\n"))
    }
    return paragraphs.joined(separator: "\n\n")
  }

  /// `300.12 ± 0.05 K`, the error with two digits.
  static func text(_ estimate: Estimate, _ units: String) -> String {
    let unit = units == "1" || units.isEmpty ? "" : " " + units
    let (x, e) = (estimate.value, estimate.standardError)
    guard x.isFinite else { return "not enough data" }
    guard e.isFinite else { return String(format: "%.5g", x) + unit + " (no error: too few data)" }
    guard e > 0 else { return String(format: "%.5g", x) + unit }
    let digits = max(0, 1 - Int(Foundation.log10(e).rounded(.down)))
    if digits > 9 || e >= 1e7 { return String(format: "%.6g ± %.2g", x, e) + unit }
    return String(format: "%.*f ± %.*f", digits, x, digits, e) + unit
  }
}
