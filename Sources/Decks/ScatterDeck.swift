import Analysis
import Matter
import Scattering

/// Reads scatter decks, and writes them with every default filled in.
package enum ScatterDeck {
  /// A checked deck.
  package struct Checked: Sendable {
    /// The plan.
    package var plan: ScatterPlan
    /// What it says of the trajectory.
    package var source: AnalysisPlan.Source
  }

  /// The checked plan of a deck file.
  /// - Throws: all that is wrong, in the order of the file.
  package static func read(path: String) throws(InputErrors) -> Checked {
    try read(DeckSource(path: path))
  }

  /// The checked plan of a deck's text.
  package static func read(_ source: DeckSource) throws(InputErrors) -> Checked {
    let problems = Problems()
    let root = try source.tree(problems)
    let validator = DeckValidator(problems: problems, source: source, outputOverride: nil)
    let result = validator.scatter(root)
    guard problems.errors.isEmpty, let result else {
      throw InputErrors(problems.sorted(problems.errors))
    }
    return Checked(plan: result.plan, source: result.source)
  }

  /// A plan as a deck with every default written out.
  package static func text(_ plan: ScatterPlan, _ source: AnalysisPlan.Source? = nil) -> String {
    let trajectory = source.map { [("trajectory", AnalysisDeck.text($0))] } ?? []
    return (trajectory + keys(plan)).map { "\($0.0): \($0.1)\n" }.joined()
  }

  /// The keys of a plan with their values on one line each.
  static func keys(_ plan: ScatterPlan) -> [(String, String)] {
    var keys = [("q", points(plan.points)), ("correlation", correlation(plan.correlation))]
    func excitation(_ value: Double) -> String { Quantity.excitation.text(value) }
    if let s = plan.shells {
      keys.append(
        (
          "shells",
          "{width: \(Quantity.waveVector.text(s.width)), kernel: \(s.isGaussian ? "gaussian" : "bin")}"
        ))
    }
    keys.append(("weights", weights(plan.weights)))
    if !plan.isotopes.isEmpty {
      let list = plan.isotopes.sorted { $0.key < $1.key }.map { element, parts in
        let isPure = parts.count == 1 && parts[0].fraction == 1
        let text = parts.map { "\($0.name): \(Number.text($0.fraction))" }.joined(separator: ", ")
        return "\(element.symbol): " + (isPure ? parts[0].name : "{\(text)}")
      }
      keys.append(("isotopes", "{" + list.joined(separator: ", ") + "}"))
    }
    if let t = plan.temperature { keys.append(("temperature", Quantity.temperature.text(t))) }
    keys.append(("quantum_correction", plan.quantum.rawValue))
    switch plan.debyeWaller {
    case .none: keys.append(("debye_waller", "none"))
    case .run: keys.append(("debye_waller", "run"))
    case .given(let u): keys.append(("debye_waller", Quantity.area.text(u)))
    }
    if plan.dividesByQSquare { keys.append(("divide_by_q_squared", "true")) }
    if plan.timesEnergySquare { keys.append(("times_energy_squared", "true")) }
    if let i = plan.instrument {
      var parts = ["name: \(ResolvedDeck.quoted(i.name))"]
      if let e = i.incidentEnergy { parts.append("incident_energy: \(excitation(e))") }
      if let e = i.finalEnergy { parts.append("final_energy: \(excitation(e))") }
      if let c = i.chopper { parts.append("chopper: \(ResolvedDeck.quoted(c))") }
      if let f = i.frequency { parts.append("frequency: \(Quantity.frequency.text(f))") }
      if let m = i.monochromator { parts.append("monochromator: \(ResolvedDeck.quoted(m))") }
      if let a = i.angles {
        let list = a.map { "[\(Number.text($0.lowerBound)), \(Number.text($0.upperBound))]" }
        parts.append("angles: [\(list.joined(separator: ", "))]")
      }
      if let r = i.resolution {
        parts.append("resolution: {polynomial: [\(r.map(Number.text).joined(separator: ", "))]}")
      }
      keys.append(("instrument", "{" + parts.joined(separator: ", ") + "}"))
    } else {
      keys.append(("instrument", "none"))
    }
    let width = plan.spectrumWidth.map { "q_width: \(Quantity.waveVector.text($0)), " } ?? ""
    keys.append(
      ("spectrum", "{\(width)order: \(plan.quantumFirst ? "quantum-first" : "quantum-last")}"))
    var energy = ["unit: \(plan.energyUnit.rawValue)"]
    if let e = plan.largestEnergy { energy.append("max: \(excitation(e))") }
    if let e = plan.energyStep { energy.append("step: \(excitation(e))") }
    keys.append(("energy", "{" + energy.joined(separator: ", ") + "}"))
    return keys
  }

  private static func list(_ vectors: [SIMD3<Double>]) -> String {
    "["
      + vectors.map { v in
        "[" + (0..<3).map { Number.text(v[$0]) }.joined(separator: ", ") + "]"
      }.joined(separator: ", ") + "]"
  }

  private static func list(_ vectors: [SIMD3<Int>]) -> String {
    "[" + vectors.map { "[\($0.x), \($0.y), \($0.z)]" }.joined(separator: ", ") + "]"
  }

  private static func points(_ points: ScatterPlan.Points) -> String {
    func q(_ value: Double) -> String { Quantity.waveVector.text(value) }
    switch points {
    case .cartesian(let vectors, let snap): return "{points: \(list(vectors)), snap: \(snap)}"
    case .supercell(let vectors): return "{hkl: \(list(vectors))}"
    case .ofCell(let file, let vectors, let snap):
      return "{hkl: {of: \(ResolvedDeck.quoted(file)), points: \(list(vectors))}, snap: \(snap)}"
    case .sphere(let minimum, let maximum, let count, let seed):
      return "{sphere: {max: \(q(maximum)), min: \(q(minimum)), count: "
        + (count.map { "\($0)" } ?? "all") + ", seed: \(seed)}}"
    case .paths(let paths):
      func fractions(_ f: [Rational]) -> String {
        "[" + f.map(\.description).joined(separator: ", ") + "]"
      }
      let segments = paths.segments.map { corners in
        "["
          + corners.map { corner in
            switch corner {
            case .label(let name): ResolvedDeck.quoted(name)
            case .coordinates(let f): fractions(f)
            }
          }.joined(separator: ", ") + "]"
      }
      let labels = paths.labels.sorted { $0.key < $1.key }.map {
        "\(ResolvedDeck.quoted($0.key)): \(fractions($0.value))"
      }
      let zones =
        switch paths.zones {
        case .list(let zones): list(zones)
        case .within(let radius): "{max: \(q(radius))}"
        }
      return "{paths: {primitive: \(ResolvedDeck.quoted(paths.primitive)), segments: ["
        + segments.joined(separator: ", ") + "], labels: {" + labels.joined(separator: ", ")
        + "}, zones: \(zones)}}"
    }
  }

  private static func correlation(_ c: ScatterPlan.Correlation) -> String {
    var parts: [String] = []
    switch c.maximumLag {
    case nil: break
    case .frames(let n): parts.append("maximum_lag: \(n) frames")
    case .time(let fs): parts.append("maximum_lag: \(Quantity.time.text(Number.rounded(fs)))")
    }
    parts.append("origin_stride: \(c.originStride)")
    parts.append("coherent: \(c.kinds.contains(.coherent))")
    parts.append("incoherent: \(c.kinds.contains(.incoherent))")
    parts.append("currents: \(c.kinds.contains(.currents))")
    switch c.window {
    case .none: parts.append("window: none")
    case .hann: parts.append("window: hann")
    case .gaussian(let sigma):
      parts.append("window: {gaussian: \(Quantity.time.text(Number.rounded(sigma)))}")
    }
    parts.append("blocks: \(c.blocks)")
    return "{" + parts.joined(separator: ", ") + "}"
  }

  private static func weights(_ weights: ScatterPlan.Weights) -> String {
    switch weights {
    case .none: return "none"
    case .neutron: return "neutron"
    case .xray: return "xray"
    case .electron: return "electron"
    case .given(let lengths):
      return "{"
        + lengths.sorted { $0.key < $1.key }.map {
          "\($0.key.symbol): {coherent: \(Quantity.scatteringLength.text($0.value.coherent)), "
            + "incoherent: \(Quantity.crossSection.text($0.value.incoherent))}"
        }.joined(separator: ", ") + "}"
    }
  }
}
