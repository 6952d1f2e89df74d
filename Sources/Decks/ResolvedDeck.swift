import Dynamics
import Matter

/// A plan as keys and texts, from which both the resolved deck and lists of differences are made.
indirect enum ResolvedDeck {
  /// YAML on one line.
  case text(String)
  case mapping([(String, ResolvedDeck)])
  case list([ResolvedDeck])

  init(_ plan: RunPlan) {
    var keys: [(String, ResolvedDeck)] = [
      ("title", .text(Self.quoted(plan.title))),
      ("structure", .text(Self.quoted(plan.structure))),
      ("supercell", .text(Self.supercell(plan.supercell))),
    ]
    if !plan.masses.isEmpty {
      let masses = plan.masses.sorted { $0.key < $1.key }
      keys.append(
        (
          "masses",
          .mapping(masses.map { ("\($0.key)", .text(Quantity.mass.text($0.value))) })
        ))
    }
    var potential: [(String, ResolvedDeck)] = [
      ("model", .text(Self.quoted(plan.potential.model))),
      ("precision", .text(plan.potential.precision.rawValue)),
    ]
    if let head = plan.potential.head { potential.append(("head", .text(Self.quoted(head)))) }
    keys.append(("potential", .mapping(potential)))
    if let timestep = plan.timestepFs {
      keys.append(("timestep", .text(Quantity.time.text(timestep))))
    }
    keys.append(("seed", .text("\(plan.seed)")))
    switch plan.velocities {
    case .temperature(let value)?:
      keys.append(("velocities", .text(Quantity.temperature.text(value))))
    case .fromStructure?: keys.append(("velocities", .text("from structure")))
    case nil: break
    }
    keys.append(("output", .text(Self.quoted(plan.output))))
    keys.append(
      ("stages", .list(plan.stages.map { Self.stage($0, timestep: plan.timestepFs) })))
    keys.append(
      (
        "checkpoint",
        .mapping([("every", .text(Quantity.wallClock.text(plan.checkpointEvery)))])
      ))
    if let analysis = plan.analysis { keys.append(("analysis", .text(analysis))) }
    self = .mapping(keys)
  }

  private static func stage(_ stage: RunPlan.Stage, timestep: Double?) -> ResolvedDeck {
    var keys: [(String, ResolvedDeck)] = [("name", .text(quoted(stage.name)))]
    func add(_ key: String, _ text: String) { keys.append((key, .text(text))) }
    switch stage.ensemble {
    case .nve: add("ensemble", "nve")
    case .nvt(let temperature, let thermostat):
      add("ensemble", "nvt")
      add("temperature", ramp(temperature, .temperature))
      keys.append(("thermostat", self.thermostat(thermostat)))
    case .npt(let temperature, let thermostat, let pressure, let barostat):
      add("ensemble", "npt")
      add("temperature", ramp(temperature, .temperature))
      switch pressure {
      case .scalar(let value): add("pressure", ramp(value, .pressure))
      case .components(let p):
        add(
          "pressure",
          "[" + p.components.map { Quantity.pressure.text($0) }.joined(separator: ", ") + "]")
      }
      keys.append(("thermostat", self.thermostat(thermostat)))
      keys.append(("barostat", self.barostat(barostat)))
    case .minimize(let force, let cell, let pressure):
      add("ensemble", "minimize")
      add("force", Quantity.force.text(force))
      add("cell", cell?.rawValue ?? "fixed")
      add("pressure", Quantity.pressure.text(pressure))
      add("steps", "\(stage.steps)")
    }
    if !stage.minimizes {
      if let timestep {
        add("duration", Quantity.time.text(Number.rounded(Double(stage.steps) * timestep)))
      } else {
        add("steps", "\(stage.steps)")
      }
      switch stage.cell {
      case .last: add("cell", "last")
      case .mean(let name, nil): add("cell", "mean of \(name)")
      case .mean(let name, let discard?):
        add("cell", "mean of \(name) after \(Quantity.time.text(discard))")
      }
    }
    if let output = stage.trajectory {
      keys.append(
        (
          "trajectory",
          .mapping([
            ("every", .text("\(output.every) steps")),
            ("velocities", .text("\(output.velocities)")),
            ("forces", .text("\(output.forces)")),
          ])
        ))
    }
    keys.append(("thermo", .mapping([("every", .text("\(stage.thermoEvery) steps"))])))
    if let scatter = stage.scatter {
      // Values of a scatter deck stand on one line each.
      let lines = scatter.deck.split(separator: "\n").map { line in
        let colon = line.firstIndex(of: ":") ?? line.endIndex
        return (String(line[..<colon]), ResolvedDeck.text(String(line[colon...].dropFirst(2))))
      }
      keys.append(
        ("scatter", .mapping([("every", .text("\(scatter.every) steps"))] + lines)))
    }
    return .mapping(keys)
  }

  private static func thermostat(_ thermostat: RunPlan.Thermostat) -> ResolvedDeck {
    switch thermostat {
    case .noseHoover(let relaxation, let chain):
      .mapping([
        ("kind", .text("nose-hoover")), ("relaxation", .text(Quantity.time.text(relaxation))),
        ("chain", .text("\(chain)")),
      ])
    case .bussi(let relaxation):
      .mapping([("kind", .text("bussi")), ("relaxation", .text(Quantity.time.text(relaxation)))])
    case .langevin(let relaxation):
      .mapping([
        ("kind", .text("langevin")), ("relaxation", .text(Quantity.time.text(relaxation))),
      ])
    }
  }

  private static func barostat(_ barostat: RunPlan.Barostat) -> ResolvedDeck {
    switch barostat {
    case .mtk(let coupling, let relaxation):
      .mapping([
        ("kind", .text("mtk")), ("coupling", .text(coupling.rawValue)),
        ("relaxation", .text(Quantity.time.text(relaxation))),
      ])
    case .stochasticCellRescaling(let coupling, let relaxation, let compressibility):
      .mapping([
        ("kind", .text("stochastic-cell-rescaling")), ("coupling", .text(coupling.rawValue)),
        ("relaxation", .text(Quantity.time.text(relaxation))),
        ("compressibility", .text(Quantity.compressibility.text(compressibility))),
      ])
    }
  }

  private static func ramp(_ ramp: RunPlan.Ramp, _ kind: Quantity) -> String {
    ramp.from == ramp.to
      ? kind.text(ramp.from) : "{from: \(kind.text(ramp.from)), to: \(kind.text(ramp.to))}"
  }

  private static func supercell(_ m: [[Int]]) -> String {
    let diagonal = m.indices.allSatisfy { i in m.indices.allSatisfy { i == $0 || m[i][$0] == 0 } }
    if diagonal { return "[\(m[0][0]), \(m[1][1]), \(m[2][2])]" }
    return "[" + m.map { "[\($0[0]), \($0[1]), \($0[2])]" }.joined(separator: ", ") + "]"
  }

  /// Plain where YAML reads it back the same, else in double quotes.
  static func quoted(_ text: String) -> String {
    let plain = text.unicodeScalars.enumerated().allSatisfy { index, c in
      ("a"..."z").contains(c) || ("A"..."Z").contains(c) || c == "/" || c == "_"
        || (index > 0 && (("0"..."9").contains(c) || c == "." || c == "-"))
    }
    if plain, !text.isEmpty, text != "null" { return text }
    var result = "\""
    for c in text.unicodeScalars {
      switch c {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      default:
        if c.value < 32 || (127...159).contains(c.value) || c == "\u{2028}" || c == "\u{2029}"
          || c == "\u{FEFF}"
        {
          let hex = String(c.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        } else {
          result.unicodeScalars.append(c)
        }
      }
    }
    return result + "\""
  }
}

extension RunPlan.Stage {
  var minimizes: Bool {
    if case .minimize = ensemble { true } else { false }
  }
}
