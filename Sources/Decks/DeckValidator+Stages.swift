import Dynamics
import Matter
import Scattering

extension DeckValidator {
  /// Names in a run directory that are not a stage's folder.
  private static let reserved = ["analysis"]

  func stages(_ fields: Fields, timestep: Double?) -> [StageDraft]? {
    let example = "stages: [{name: produce, ensemble: nve, duration: 10 ps}]"
    guard let node = require("stages", in: fields, example: example) else { return nil }
    guard case .sequence(let items) = node.content, !items.isEmpty else {
      fail(node, "stages: expected a list of stages, found \(node.found)", "Write \(example)")
      return nil
    }
    var drafts: [StageDraft] = []
    for (index, item) in items.enumerated() {
      drafts.append(stage(item, index: index, before: drafts, timestep: timestep))
    }
    var total = 0
    for draft in drafts {
      let (sum, overflow) = total.addingReportingOverflow(draft.stage?.steps ?? 0)
      total = overflow ? .max : sum
    }
    if total > Self.stepLimit {
      fail(node, "stages: more than \(Self.stepLimit) steps in all", "Shorten the stages")
    }
    return drafts
  }

  private func stage(
    _ node: Node, index: Int, before: [StageDraft], timestep: Double?
  ) -> StageDraft {
    var draft = StageDraft()
    let given = node["name"]?.scalar ?? ""
    let path = "stages.\(given.isEmpty ? "\(index)" : given.clipped)"
    let ensemble = node["ensemble"]?.scalar
    let minimizes = ensemble == "minimize"
    guard
      let fields = self.fields(
        node, path, known: Vocabulary.stage, meaningless: Self.meaningless(in: ensemble),
        example: "- name: produce, with ensemble and duration below it")
    else { return draft }
    draft.name = name(fields, before: before)
    draft.ensembleName = require("ensemble", in: fields, example: "ensemble: nvt").flatMap {
      word($0, fields.name("ensemble"), Vocabulary.ensembles, Vocabulary.foreignEnsembles)
    }
    let steps = stepCount(fields, timestep: timestep, minimizes: minimizes)
    // Without a known ensemble the rest would only repeat the error.
    guard let ensembleName = draft.ensembleName else { return draft }
    let parsed = self.ensemble(fields, ensembleName, timestep: timestep)
    let cell =
      minimizes
      ? RunPlan.StartingCell.last
      : startingCell(fields, before: before, timestep: timestep)
    let trajectory = self.trajectory(fields, timestep: timestep, minimizes: minimizes, steps: steps)
    let thermoEvery = self.thermoEvery(
      fields, timestep: timestep, minimizes: minimizes, steps: steps)
    let scatter = self.scatter(fields, ensemble: ensembleName, timestep: timestep, steps: steps)
    guard let parsed, let cell, let steps, let name = draft.name else { return draft }
    draft.couplingIsDefault = parsed.couplingIsDefault
    draft.stage = RunPlan.Stage(
      name: name, ensemble: parsed.ensemble, steps: steps, cell: cell, trajectory: trajectory,
      thermoEvery: thermoEvery, scatter: scatter?.output)
    draft.scatter = scatter?.plan
    return draft
  }

  private static func meaningless(in ensemble: String?) -> [String: String] {
    let keys: [String]
    switch ensemble {
    case "nve": keys = ["temperature", "pressure", "thermostat", "barostat", "force"]
    case "nvt": keys = ["pressure", "barostat", "force"]
    case "npt": keys = ["force"]
    case "minimize": keys = ["temperature", "thermostat", "barostat", "duration", "scatter"]
    default: return [:]
    }
    return Dictionary(
      uniqueKeysWithValues: keys.map { ($0, "means nothing in ensemble \(ensemble ?? "")") })
  }

  private func name(_ fields: Fields, before: [StageDraft]) -> String? {
    guard let node = require("name", in: fields, example: "name: produce"),
      let name = self.text(node, fields.name("name"))
    else { return nil }
    let allowed = name.unicodeScalars.allSatisfy {
      ("a"..."z").contains($0) || ("A"..."Z").contains($0) || ("0"..."9").contains($0)
        || $0 == "-" || $0 == "_"
    }
    guard allowed, name.utf8.count <= 100, !name.allSatisfy(\.isNumber) else {
      fail(
        node, "stage name '\(name.clipped)' cannot name a folder",
        "Use at most 100 letters, digits, - and _, not digits alone")
      return nil
    }
    guard !Self.reserved.contains(name.lowercased()) else {
      fail(node, "stage name '\(name)' is taken by Apus", "Use another name")
      return nil
    }
    guard !before.contains(where: { $0.name?.lowercased() == name.lowercased() }) else {
      fail(node, "stage name '\(name)' is used twice", "Give every stage its own name")
      return nil
    }
    return name
  }

  private func stepCount(_ fields: Fields, timestep: Double?, minimizes: Bool) -> Int? {
    let duration = minimizes ? nil : fields["duration"]
    let steps = fields["steps"]
    if let duration, steps != nil {
      fail(
        Node(duration.content, at: fields.keyMark("steps")),
        "\(fields.path): duration and steps are both given", "Keep one of them")
    }
    if let duration {
      guard let timestep else {
        _ = quantity(duration, .time, fields.name("duration"))
        return nil
      }
      return self.steps(duration, fields.name("duration"), timestep: timestep)
    }
    if let steps { return integer(steps, fields.name("steps"), 1...Self.stepLimit) }
    if minimizes { return 2000 }
    if fields.meant.contains("duration") || fields.meant.contains("steps") { return nil }
    problems.errors.append(
      fields.mark.error(
        "\(fields.path): duration is missing", remedy: "Add `duration: 200 ps` or `steps: 200000`"))
    return nil
  }

  private func ensemble(
    _ fields: Fields, _ name: String, timestep: Double?
  ) -> (ensemble: RunPlan.Ensemble, couplingIsDefault: Bool)? {
    if name == "nve" { return (.nve, false) }
    if name == "minimize" { return minimize(fields).map { ($0, false) } }
    let target = require("temperature", in: fields, example: "temperature: 300 K").flatMap {
      ramp($0, fields.name("temperature")) { temperature($0, $1, zero: false) }
    }
    let thermostat = self.thermostat(fields, timestep: timestep)
    if name == "nvt" {
      guard let target, let thermostat else { return nil }
      return (.nvt(temperature: target, thermostat: thermostat), false)
    }
    let pressureNode = require("pressure", in: fields, example: "pressure: 0 GPa")
    let pressure = pressureNode.flatMap { targetPressure($0, fields.name("pressure")) }
    let barostat = self.barostat(fields, timestep: timestep)
    guard let target, let thermostat, let pressure, let barostat else { return nil }
    if let pressureNode, case .components(let p) = pressure {
      let coupling = barostat.isDefault ? nil : barostat.coupling
      if p.yz != 0 || p.xz != 0 || p.xy != 0, coupling != .triclinic {
        fail(
          pressureNode, "\(fields.name("pressure")): shear components need a cell that can shear",
          "Add `barostat: {coupling: triclinic}`")
      } else if coupling == .isotropic, p.xx != p.yy || p.yy != p.zz {
        fail(
          pressureNode,
          "\(fields.name("pressure")): xx, yy, zz differ and the coupling is isotropic",
          "Write coupling: orthorhombic, or one pressure")
      }
    }
    return (
      .npt(
        temperature: target, thermostat: thermostat, pressure: pressure,
        barostat: barostat.barostat), barostat.isDefault
    )
  }

  private func minimize(_ fields: Fields) -> RunPlan.Ensemble? {
    var force: Double? = 1e-4
    if let node = fields["force"] {
      force = quantity(node, .force, fields.name("force"))
      if let value = force, !(value > 0 && value <= 10) {
        fail(
          node, "\(fields.name("force")): \(Number.text(value)) eV/A is outside above 0 to 10 eV/A",
          "Give the largest force left, such as 1e-4 eV/A")
        force = nil
      }
    }
    let cell =
      fields["cell"].map {
        word(
          $0, fields.name("cell"), ["fixed"] + Vocabulary.couplings, Vocabulary.foreignCouplings)
      } ?? "fixed"
    var pressure: Double? = 0
    if let node = fields["pressure"] {
      pressure = self.pressure(node, fields.name("pressure"))
      if cell == "fixed", pressure != nil, pressure != 0 {
        fail(
          node, "\(fields.name("pressure")): a fixed cell holds no pressure",
          "Add `cell: isotropic`, orthorhombic or triclinic")
      }
    }
    guard let force, let cell, let pressure else { return nil }
    return .minimize(force: force, cell: RunPlan.Coupling(rawValue: cell), pressure: pressure)
  }

  private func targetPressure(_ node: Node, _ name: String) -> RunPlan.Pressure? {
    guard case .sequence(let items) = node.content else {
      return ramp(node, name) { pressure($0, $1) }.map { .scalar($0) }
    }
    guard items.count == 6 else {
      fail(
        node, "\(name): expected one pressure or six components, found \(items.count)",
        "Write [xx, yy, zz, yz, xz, xy], each with its unit")
      return nil
    }
    let p = items.compactMap { pressure($0, name) }
    guard p.count == 6 else { return nil }
    return .components(Tensor6(xx: p[0], yy: p[1], zz: p[2], yz: p[3], xz: p[4], xy: p[5]))
  }

  private func thermostat(_ fields: Fields, timestep: Double?) -> RunPlan.Thermostat? {
    let path = fields.name("thermostat")
    guard let node = fields["thermostat"] else {
      return relaxation(nil, 100, path, steps: 10, timestep: timestep, at: fields.mark).map {
        .noseHoover(relaxationFs: $0, chain: 3)
      }
    }
    let example = "thermostat: {kind: nose-hoover, relaxation: 100 fs}"
    let kind =
      node["kind"].map {
        word($0, path + ".kind", Vocabulary.thermostats, Vocabulary.foreignThermostats)
      } ?? "nose-hoover"
    guard
      let inner = self.fields(
        node, path, known: Vocabulary.thermostat,
        meaningless: kind == nil || kind == "nose-hoover"
          ? [:] : ["chain": "means nothing for kind \(kind ?? "")"], example: example)
    else { return nil }
    let time = relaxation(
      inner["relaxation"], kind == "langevin" ? 1000 : 100, path, steps: 10, timestep: timestep,
      at: node.mark)
    let chain =
      kind == "nose-hoover" ? inner["chain"].map { integer($0, path + ".chain", 1...20) } ?? 3 : 3
    guard let kind, let time, let chain else { return nil }
    switch kind {
    case "bussi": return .bussi(relaxationFs: time)
    case "langevin": return .langevin(relaxationFs: time)
    default: return .noseHoover(relaxationFs: time, chain: chain)
    }
  }

  private func barostat(
    _ fields: Fields, timestep: Double?
  ) -> (barostat: RunPlan.Barostat, coupling: RunPlan.Coupling, isDefault: Bool)? {
    let path = fields.name("barostat")
    let node = fields["barostat"] ?? Node(.mapping([]), at: fields.mark)
    let kind =
      node["kind"].map {
        word($0, path + ".kind", Vocabulary.barostats, Vocabulary.foreignBarostats)
      } ?? "mtk"
    guard
      let inner = self.fields(
        node, path, known: Vocabulary.barostat,
        meaningless: kind == "mtk" ? ["compressibility": "means nothing for kind mtk"] : [:],
        example: "barostat: {kind: mtk, coupling: orthorhombic, relaxation: 1 ps}")
    else { return nil }
    let couplingWord =
      inner["coupling"].map {
        word($0, path + ".coupling", Vocabulary.couplings, Vocabulary.foreignCouplings)
      } ?? "orthorhombic"
    let time = relaxation(
      inner["relaxation"], 1000, path, steps: 100, timestep: timestep, at: node.mark)
    if let time, time < 500, let given = inner["relaxation"] {
      warn(
        given,
        "\(path).relaxation: \(Quantity.time.text(time)) is short: below 500 fs the barostat "
          + "rings with the crystal", "1 ps is the default")
    }
    var compressibility: Double? = 0.1 * Units.gigapascal
    if kind == "stochastic-cell-rescaling", let given = inner["compressibility"] {
      compressibility = quantity(given, .compressibility, path + ".compressibility")
      if let value = compressibility, !(1e-6...1e3).contains(value / Units.gigapascal) {
        fail(
          given, "\(path).compressibility: outside 1e-6 to 1000 1/GPa",
          "Write the inverse of the bulk modulus, such as 0.1 1/GPa")
        compressibility = nil
      }
    }
    guard let kind, let coupling = couplingWord.flatMap(RunPlan.Coupling.init), let time,
      let compressibility
    else { return nil }
    let barostat: RunPlan.Barostat =
      kind == "mtk"
      ? .mtk(coupling: coupling, relaxationFs: time)
      : .stochasticCellRescaling(
        coupling: coupling, relaxationFs: time, compressibility: compressibility)
    return (barostat, coupling, inner["coupling"] == nil)
  }

  /// A relaxation time, or its default; at least so many steps and at most 1 µs.
  private func relaxation(
    _ node: Node?, _ standard: Double, _ path: String, steps: Int, timestep: Double?, at mark: Mark
  ) -> Double? {
    let name = path + ".relaxation"
    let value = node == nil ? standard : node.flatMap { quantity($0, .time, name) }
    guard let value else { return nil }
    let place = node ?? Node(.scalar(""), at: mark)
    guard value > 0, value <= 1e9 else {
      fail(place, "\(name): \(Quantity.time.text(value)) is out of range", "Write 100 fs or more")
      return nil
    }
    if let timestep, value < Double(steps) * timestep * (1 - 1e-12) {
      fail(
        place,
        "\(name): \(Quantity.time.text(value)) is below \(steps) time steps of "
          + Quantity.time.text(timestep),
        "Use at least \(Quantity.time.text(Double(steps) * timestep))")
      return nil
    }
    return value
  }

  private func startingCell(
    _ fields: Fields, before: [StageDraft], timestep: Double?
  ) -> RunPlan.StartingCell? {
    guard let node = fields["cell"] else { return .last }
    let path = fields.name("cell")
    let words = (node.scalar ?? "").split(separator: " ").map(String.init)
    if words == ["last"] { return .last }
    guard words.count == 3 || (words.count > 4 && words[3] == "after"), words[0] == "mean",
      words[1] == "of"
    else {
      fail(
        node, "\(path): expected `last` or `mean of STAGE`, found \(node.found)",
        "Write cell: mean of equilibrate, or cell: mean of equilibrate after 50 ps")
      return nil
    }
    // A stage with errors of its own may be the one.
    if before.contains(where: { $0.name == nil || ($0.name == words[2] && $0.ensembleName == nil) })
    {
      return nil
    }
    let barostatted = before.filter { $0.ensembleName == "npt" }.compactMap(\.name)
    guard barostatted.contains(words[2]) else {
      let known = before.contains { $0.name == words[2] }
      let near = NameMatch.nearest(words[2], among: barostatted)
      let remedy =
        barostatted.isEmpty
        ? "Put an npt stage before this one"
        : near.map { "Did you mean '\($0)'?" }
          ?? "Earlier npt stages: \(barostatted.joined(separator: ", "))"
      fail(
        node,
        known
          ? "\(path): the cell of stage '\(words[2].clipped)' does not move (only npt)"
          : "\(path): '\(words[2].clipped)' is not an earlier stage", remedy)
      return nil
    }
    guard words.count > 3 else { return .mean(stage: words[2], discardFs: nil) }
    let time = Node(.scalar(words[4...].joined(separator: " ")), at: node.mark)
    guard let discard = quantity(time, .time, path) else { return nil }
    let length = before.first { $0.name == words[2] }?.stage.map { Double($0.steps) }
    let tooLong =
      if let length, let timestep { discard >= length * timestep } else { false }
    guard discard >= 0, !tooLong else {
      fail(
        node,
        "\(path): nothing of stage '\(words[2])' is left after \(Quantity.time.text(discard))",
        length.flatMap { length in
          timestep.map { "It lasts \(Quantity.time.text(Number.rounded(length * $0)))" }
        } ?? "")
      return nil
    }
    return .mean(stage: words[2], discardFs: discard)
  }

  private func trajectory(
    _ fields: Fields, timestep: Double?, minimizes: Bool, steps: Int?
  ) -> RunPlan.TrajectoryOutput? {
    let example = "trajectory: {every: 10 fs}"
    let path = fields.name("trajectory")
    guard let node = fields["trajectory"],
      let inner = self.fields(node, path, known: Vocabulary.trajectory, example: example)
    else { return nil }
    let every = require("every", in: inner, example: example).flatMap {
      self.every($0, path + ".every", timestep: timestep, minimizes: minimizes)
    }
    let velocities = inner["velocities"].map { flag($0, path + ".velocities") } ?? false
    let forces = inner["forces"].map { flag($0, path + ".forces") } ?? false
    guard let every, let velocities, let forces else { return nil }
    if let steps, every > steps, !minimizes {
      warn(
        node, "\(path): the stage ends before its first frame (every \(every) of \(steps) steps)",
        "Write frames more often")
    }
    return RunPlan.TrajectoryOutput(every: every, velocities: velocities, forces: forces)
  }

  /// What a stage accumulates of scattering.
  private func scatter(
    _ fields: Fields, ensemble: String, timestep: Double?, steps: Int?
  ) -> (output: RunPlan.ScatterOutput, plan: ScatterPlan)? {
    guard let node = fields["scatter"], ensemble != "minimize" else { return nil }
    let name = fields.name("scatter")
    guard let (plan, _) = self.scatter(node, name, more: ["every"]) else { return nil }
    let mark = Fields(path: name, mark: node.mark, entries: node.entries ?? [])
    guard
      let every = require("every", in: mark, example: "scatter: {every: 10 fs, q: …}").flatMap({
        self.every($0, name + ".every", timestep: timestep, minimizes: false)
      })
    else { return nil }
    if let steps, let timestep {
      do throws(InputError) {
        _ = try plan.lag(frameCount: steps / every, timestep: Double(every) * timestep)
      } catch {
        fail(node, "\(name).\(error.message)", error.remedy)
      }
      if steps / every < 2 {
        fail(node, "\(name): the stage has \(steps / every) frames for it", "Write a smaller every")
      }
    }
    return (
      RunPlan.ScatterOutput(every: every, deck: ScatterDeck.text(plan)), plan
    )
  }

  private func thermoEvery(
    _ fields: Fields, timestep: Double?, minimizes: Bool, steps: Int?
  ) -> Int {
    let path = fields.name("thermo")
    guard let node = fields["thermo"],
      let inner = self.fields(
        node, path, known: Vocabulary.thermo, example: "thermo: {every: 100 steps}"),
      let every = inner["every"]
    else { return 100 }
    let count = self.every(every, path + ".every", timestep: timestep, minimizes: minimizes) ?? 100
    if let steps, count > steps, !minimizes {
      warn(
        node, "\(path): the stage ends before its first row (every \(count) of \(steps) steps)",
        "Write rows more often")
    }
    return count
  }
}
