import Dynamics
import Matter

// Values that occur in many places of a deck. Each returns nil after noting what is wrong.
extension DeckValidator {
  func fail(_ node: Node, _ message: String, _ remedy: String = "") {
    problems.errors.append(node.mark.error(message, remedy: remedy))
  }

  func warn(_ node: Node, _ message: String, _ remedy: String = "") {
    problems.warnings.append(node.mark.error(message, remedy: remedy))
  }

  /// A mapping with known keys only.
  /// - Parameter meaningless: known keys that mean nothing here, with the reason
  func fields(
    _ node: Node, _ path: String, known: [String], meaningless: [String: String] = [:],
    example: String
  ) -> Fields? {
    guard let entries = node.entries else {
      let subject = path.isEmpty ? "" : path + ": "
      fail(node, "\(subject)expected a mapping, found \(node.found)", "Write \(example)")
      return nil
    }
    var fields = Fields(path: path, mark: node.mark, entries: entries)
    for entry in entries where !known.contains(entry.key) {
      let (error, key) = unknown(entry, path: path, known: known, meaningless: meaningless)
      problems.errors.append(error)
      if let key { fields.meant.insert(key) }
    }
    for entry in entries where known.contains(entry.key) && meaningless[entry.key] != nil {
      problems.errors.append(
        entry.mark.error(
          "\(path).\(entry.key): \(meaningless[entry.key] ?? "")", remedy: "Remove the key"))
    }
    return fields
  }

  /// The error of an unknown key, and the key that was meant where it is one of this mapping.
  private func unknown(
    _ entry: Node.Entry, path: String, known: [String], meaningless: [String: String]
  ) -> (InputError, String?) {
    let word = entry.key.clipped
    func error(_ message: String, remedy: String = "") -> InputError {
      entry.mark.error(message, remedy: remedy)
    }
    if Vocabulary.later.contains(entry.key) {
      let name = path.isEmpty ? word : path + "." + word
      return (
        error("\(name): not in this version of Apus yet", remedy: "Remove the key"),
        entry.key == "ipi" ? "model" : nil
      )
    }
    let usable = known.filter { meaningless[$0] == nil }
    if let ours = Vocabulary.translation(entry.key, in: Vocabulary.foreignKeys) {
      // `thermostat: {relaxation}` inside thermostat is just `relaxation`.
      let inner = ours.split { ":{} ".contains($0) }.last.map(String.init) ?? ours
      let here = usable.first { $0 == inner } ?? usable.first { ours.hasPrefix($0) }
      let shown = here == inner ? inner : ours
      return (error("unknown key '\(word)' — did you mean '\(shown)'?"), here)
    }
    if let near = NameMatch.nearest(entry.key, among: usable) {
      return (error("unknown key '\(word)' — did you mean '\(near)'?"), near)
    }
    for (home, words) in [
      ("the deck's top level", Vocabulary.deck), ("a stage", Vocabulary.stage),
      ("thermostat or barostat", Vocabulary.thermostat + Vocabulary.barostat),
      ("potential", Vocabulary.potential),
    ] where words.contains(entry.key) && words != known {
      return (
        error(
          "unknown key '\(word)' here: it belongs in \(home)",
          remedy: "Keys here: \(usable.joined(separator: ", "))"), nil
      )
    }
    return (
      error("unknown key '\(word)'", remedy: "Keys here: \(usable.joined(separator: ", "))"), nil
    )
  }

  /// A key that must be there.
  @discardableResult
  func require(_ key: String, in fields: Fields, example: String) -> Node? {
    if let node = fields[key] { return node }
    if fields.meant.contains(key) { return nil }
    problems.errors.append(
      fields.mark.error("\(fields.name(key)) is missing", remedy: "Add `\(example)`"))
    return nil
  }

  func text(_ node: Node, _ name: String) -> String? {
    guard let text = node.scalar, !text.isEmpty else {
      fail(node, "\(name): expected text, found \(node.found)", "Write a value after the colon")
      return nil
    }
    return text
  }

  func quantity(_ node: Node, _ kind: Quantity, _ name: String) -> Double? {
    guard let text = node.scalar, !text.isEmpty else {
      fail(
        node, "\(name): expected a number with a unit, found \(node.found)",
        "Accepted units: \(kind.acceptedUnits)")
      return nil
    }
    do throws(InputError) {
      return try kind.value(of: text)
    } catch {
      fail(node, "\(name): \(error.message)", error.remedy)
      return nil
    }
  }

  func temperature(_ node: Node, _ name: String, zero: Bool) -> Double? {
    guard let value = quantity(node, .temperature, name) else { return nil }
    guard value > 0 || (zero && value == 0), value <= 100_000 else {
      fail(
        node,
        "\(name): \(Number.text(value)) K is not \(zero ? "from" : "above") 0 K to 100000 K",
        "Temperatures are in kelvin, such as 300 K")
      return nil
    }
    return value
  }

  func pressure(_ node: Node, _ name: String) -> Double? {
    guard let value = quantity(node, .pressure, name) else { return nil }
    guard abs(value) * Units.gigapascal < 1e6 else {
      fail(
        node, "\(name): \(Quantity.pressure.text(value)) is not below 1000000 GPa in size",
        "Check the unit: 1 bar is 0.0001 GPa")
      return nil
    }
    return value
  }

  func integer(_ node: Node, _ name: String, _ range: ClosedRange<Int>) -> Int? {
    guard let text = node.scalar, let value = Int(text), !text.hasPrefix("+") else {
      var remedy = "Write digits only"
      if let text = node.scalar, let value = Double(text), value == value.rounded(),
        let whole = Int(exactly: value), range.contains(whole)
      {
        remedy = "Write \(whole)"
      }
      fail(node, "\(name): expected an integer, found \(node.found)", remedy)
      return nil
    }
    guard range.contains(value) else {
      let limits =
        range.upperBound == .max
        ? "at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
      fail(node, "\(name): \(value) is out of range", "Use an integer \(limits)")
      return nil
    }
    return value
  }

  func flag(_ node: Node, _ name: String) -> Bool? {
    switch node.scalar {
    case "true": return true
    case "false": return false
    default:
      fail(node, "\(name): expected true or false, found \(node.found)", "Write true or false")
      return nil
    }
  }

  /// One of several words.
  func word(
    _ node: Node, _ name: String, _ words: [String], _ foreign: [String: String]
  ) -> String? {
    guard let text = node.scalar, !text.isEmpty else {
      fail(
        node, "\(name): expected a word, found \(node.found)",
        "Use one of \(words.joined(separator: ", "))")
      return nil
    }
    if words.contains(text) { return text }
    let meant =
      Vocabulary.translation(text, in: foreign) ?? NameMatch.nearest(text, among: words)
    if let meant {
      fail(node, "\(name): unknown word '\(text.clipped)' — did you mean '\(meant)'?")
    } else {
      fail(
        node, "\(name): unknown word '\(text.clipped)'",
        "Use one of \(words.joined(separator: ", "))")
    }
    return nil
  }

  /// A single value or {from, to}.
  func ramp(_ node: Node, _ name: String, _ value: (Node, String) -> Double?) -> RunPlan.Ramp? {
    guard node.entries != nil else {
      guard let constant = value(node, name) else { return nil }
      return RunPlan.Ramp(from: constant, to: constant)
    }
    let example = "{from: ..., to: ...}"
    guard let fields = self.fields(node, name, known: Vocabulary.ramp, example: example) else {
      return nil
    }
    let from = require("from", in: fields, example: example).flatMap { value($0, name + ".from") }
    let to = require("to", in: fields, example: example).flatMap { value($0, name + ".to") }
    guard let from, let to else { return nil }
    return RunPlan.Ramp(from: from, to: to)
  }

  /// The most steps counted exactly by every file.
  static let stepLimit = 1 << 53

  /// A time as a whole number of steps.
  func steps(_ node: Node, _ name: String, timestep: Double) -> Int? {
    guard let time = quantity(node, .time, name) else { return nil }
    let count = time / timestep
    guard count > 0, count <= Double(Self.stepLimit) else {
      fail(
        node, "\(name): \(Quantity.time.text(time)) is out of range",
        "Use at least one time step, \(Quantity.time.text(timestep))")
      return nil
    }
    let whole = count.rounded()
    guard abs(count - whole) <= max(1e-6, 4e-15 * count), whole >= 1 else {
      let nearest = Quantity.time.text(Number.rounded(max(whole, 1) * timestep))
      fail(
        node,
        "\(name): \(Quantity.time.text(time)) is not a whole number of time steps of "
          + Quantity.time.text(timestep), "The nearest is \(nearest)")
      return nil
    }
    return Int(whole)
  }

  /// `10 fs` or `100 steps` in steps; nil silently where the time step is unknown.
  func every(_ node: Node, _ name: String, timestep: Double?, minimizes: Bool) -> Int? {
    if let text = node.scalar, let (number, unit) = try? Number.scan(text),
      unit == "steps" || unit == "step"
    {
      guard let count = Int(exactly: number), count >= 1, count <= Self.stepLimit else {
        fail(
          node, "\(name): \(Number.text(number)) steps is out of range",
          "Use a whole number of steps, at least 1")
        return nil
      }
      return count
    }
    if minimizes {
      fail(
        node, "\(name): expected steps, found \(node.found): a minimization has no time",
        "Write every: 100 steps")
      return nil
    }
    if let text = node.scalar, let (_, unit) = try? Number.scan(text), unit.isEmpty {
      fail(
        node, "\(name): \(text.clipped) has no unit",
        "Write it with one of fs, ps, ns, us, steps: \(text.clipped) steps")
      return nil
    }
    guard let timestep else {
      _ = quantity(node, .time, name)
      return nil
    }
    return steps(node, name, timestep: timestep)
  }
}
