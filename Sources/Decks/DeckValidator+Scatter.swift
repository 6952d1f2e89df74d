import Analysis
import Matter
import Scattering

// The deck of `apus scatter`, also the block `scatter` of a stage.
extension DeckValidator {
  /// The plan of a scatter deck, and what it says of its trajectory.
  /// - Parameters:
  ///   - name: the key of the block, empty for a deck of its own
  ///   - more: keys of the block that are read elsewhere
  func scatter(
    _ node: Node, _ name: String = "", more: [String] = []
  ) -> (plan: ScatterPlan, source: AnalysisPlan.Source)? {
    // A run knows its own trajectory.
    let known = ScatterVocabulary.deck.filter { name.isEmpty || $0 != "trajectory" } + more
    let example = "q: {sphere: {max: 10 1/A, count: 500}}"
    guard let f = fields(node, name, known: known, example: example) else { return nil }
    let points = require("q", in: f, example: example).flatMap { self.points($0, f.name("q")) }
    var plan = ScatterPlan(points: points ?? .supercell([]))
    var source = AnalysisPlan.Source()
    if let n = f["trajectory"], n.scalar != "" { source = self.source(n) }
    if let n = f["correlation"] { plan.correlation = correlation(n, f.name("correlation")) }
    if let n = f["shells"] { plan.shells = shells(n, f.name("shells")) }
    if let n = f["weights"] { plan.weights = weights(n, f.name("weights")) ?? .none }
    if let n = f["isotopes"] { plan.isotopes = isotopes(n, f.name("isotopes")) }
    if let n = f["temperature"] {
      plan.temperature = temperature(n, f.name("temperature"), zero: false)
    }
    if let n = f["quantum_correction"] {
      let words = ScatterPlan.Quantum.allCases.map(\.rawValue)
      plan.quantum =
        word(n, f.name("quantum_correction"), words, ScatterVocabulary.foreignFactors)
        .flatMap { .init(rawValue: $0) } ?? .none
    }
    if let n = f["debye_waller"] { plan.debyeWaller = debyeWaller(n, f.name("debye_waller")) }
    if let n = f["divide_by_q_squared"] {
      plan.dividesByQSquare = flag(n, f.name("divide_by_q_squared")) ?? false
    }
    if let n = f["times_energy_squared"] {
      plan.timesEnergySquare = flag(n, f.name("times_energy_squared")) ?? false
    }
    if let n = f["instrument"] { plan.instrument = instrument(n, f.name("instrument")) }
    if let n = f["spectrum"] { spectrum(n, f.name("spectrum"), &plan) }
    if let n = f["energy"] { energy(n, f.name("energy"), &plan) }
    guard points != nil else { return nil }
    for (key, error) in plan.conflicts {
      let mark = f[key]?.mark ?? f.mark
      let place = name.isEmpty ? "" : name + "."
      problems.errors.append(mark.error(place + error.message, remedy: error.remedy))
    }
    return (plan, source)
  }

  // MARK: q-points

  private func points(_ node: Node, _ name: String) -> ScatterPlan.Points? {
    let example = "q: {sphere: {max: 10 1/A, count: 500}}"
    guard let f = fields(node, name, known: ScatterVocabulary.q, example: example) else {
      return nil
    }
    let kinds = ["points", "hkl", "sphere", "paths"].filter { f[$0] != nil }
    guard kinds.count == 1, let kind = kinds.first, let content = f[kind] else {
      if f.meant.isEmpty || kinds.count > 1 {
        fail(
          node,
          "\(name): expected exactly one of points, hkl, sphere, paths, found "
            + (kinds.isEmpty ? "none" : kinds.joined(separator: ", ")), "Write \(example)")
      }
      return nil
    }
    let snap = f["snap"].flatMap { flag($0, f.name("snap")) } ?? false
    switch kind {
    case "points":
      return vectors(content, f.name("points"), "points: [[0.42, 0, 0]]").map {
        .cartesian($0, snap: snap)
      }
    case "hkl":
      if content.entries != nil { return ofCell(content, f.name("hkl"), snap: snap) }
      return vectors(content, f.name("hkl"), "hkl: [[2, 0, 0]]").flatMap {
        integers($0, at: content, f.name("hkl")).map { .supercell($0) }
      }
    case "sphere": return sphere(content, f.name("sphere"))
    default: return paths(content, f.name("paths"))
    }
  }

  private func number(_ node: Node, _ name: String) -> Double? {
    if let text = node.scalar, let (value, rest) = try? Number.scan(text), rest.isEmpty {
      return value
    }
    fail(node, "\(name): expected a number, found \(node.found)", "Write digits only")
    return nil
  }

  private func vectors(_ node: Node, _ name: String, _ example: String) -> [SIMD3<Double>]? {
    guard let list = items(node, name, example) else { return nil }
    var result: [SIMD3<Double>] = []
    for item in list {
      guard case .sequence(let parts) = item.content, parts.count == 3 else {
        fail(item, "\(name): expected three numbers, found \(item.found)", "Write \(example)")
        return nil
      }
      let v = parts.compactMap { number($0, name) }
      guard v.count == 3 else { return nil }
      result.append(SIMD3(v))
    }
    return result
  }

  private func integers(
    _ list: [SIMD3<Double>], at node: Node, _ name: String
  ) -> [SIMD3<Int>]? {
    for v in list
    where v != v.rounded(.toNearestOrEven) || (0..<3).contains(where: { abs(v[$0]) > 1e6 }) {
      fail(
        node,
        "\(name): [\((0..<3).map { Number.text(v[$0]) }.joined(separator: ", "))] is not "
          + "three whole numbers", "Points of another cell go as {of: primitive.xyz, points: […]}")
      return nil
    }
    return list.map { SIMD3<Int>($0) }
  }

  private func ofCell(_ node: Node, _ name: String, snap: Bool) -> ScatterPlan.Points? {
    let example = "hkl: {of: primitive.xyz, points: [[0.5, 0, 0.5]]}"
    guard let f = fields(node, name, known: ["of", "points"], example: example) else { return nil }
    let cell = path(require("of", in: f, example: example), f.name("of"))
    let list = require("points", in: f, example: example).flatMap {
      vectors($0, f.name("points"), example)
    }
    guard let cell, let list else { return nil }
    return .ofCell(cell, list, snap: snap)
  }

  private func waveVector(_ node: Node, _ name: String, zero: Bool = false) -> Double? {
    guard let value = quantity(node, .waveVector, name) else { return nil }
    guard value > 0 || (zero && value == 0), value <= 1000 else {
      fail(
        node, "\(name): \(Number.text(value)) 1/A is not \(zero ? "from" : "above") 0 to 1000 1/A")
      return nil
    }
    return value
  }

  private func sphere(_ node: Node, _ name: String) -> ScatterPlan.Points? {
    let example = "sphere: {max: 10 1/A, count: 500}"
    guard let f = fields(node, name, known: ScatterVocabulary.sphere, example: example) else {
      return nil
    }
    let maximum = require("max", in: f, example: example).flatMap { waveVector($0, f.name("max")) }
    let minimum = f["min"].map { waveVector($0, f.name("min"), zero: true) } ?? 0
    var count: Int?
    if let n = f["count"], n.scalar != "all" {
      guard let value = integer(n, f.name("count"), 1...100_000_000) else { return nil }
      count = value
    }
    let seed = f["seed"].map { integer($0, f.name("seed"), 0...Int(UInt32.max)) } ?? 42
    guard let maximum, let minimum, let seed else { return nil }
    guard minimum < maximum else {
      fail(node, "\(name): min is not below max", "Write \(example)")
      return nil
    }
    return .sphere(minimum: minimum, maximum: maximum, count: count, seed: UInt32(seed))
  }

  private func fractions(_ node: Node, _ name: String) -> [Rational]? {
    let example = "three fractions, such as [1/2, 0, 0.5]"
    guard case .sequence(let parts) = node.content, parts.count == 3 else {
      fail(node, "\(name): expected three fractions, found \(node.found)", "Write \(example)")
      return nil
    }
    var result: [Rational] = []
    for part in parts {
      guard let value = Rational(text: part.scalar ?? "") else {
        fail(part, "\(name): expected a fraction, found \(part.found)", "Write \(example)")
        return nil
      }
      result.append(value)
    }
    return result
  }

  private func paths(_ node: Node, _ name: String) -> ScatterPlan.Points? {
    let example = "paths: {primitive: primitive.xyz, segments: [[G, X], [X, K]]}"
    guard let f = fields(node, name, known: ScatterVocabulary.paths, example: example) else {
      return nil
    }
    let primitive = path(require("primitive", in: f, example: example), f.name("primitive"))
    let segments = require("segments", in: f, example: example).flatMap {
      items($0, f.name("segments"), example)?.map { item -> [ScatterPlan.Corner] in
        guard case .sequence(let corners) = item.content, corners.count >= 2 else {
          fail(
            item, "\(f.name("segments")): expected two corners or more, found \(item.found)",
            "Write \(example)")
          return []
        }
        return corners.compactMap { corner in
          if let label = corner.scalar, !label.isEmpty { return .label(label) }
          return fractions(corner, f.name("segments")).map { .coordinates($0) }
        }
      }
    }
    var labels: [String: [Rational]] = [:]
    if let n = f["labels"] {
      guard let entries = n.entries else {
        fail(
          n, "\(f.name("labels")): expected a mapping, found \(n.found)",
          "Write labels: {X: [1/2, 0, 1/2]}")
        return nil
      }
      for entry in entries {
        labels[entry.key] = fractions(entry.value, f.name("labels") + "." + entry.key)
      }
    }
    var zones = ScatterPlan.Zones.list([.zero])
    if let n = f["zones"] {
      if n.entries != nil {
        guard
          let inner = fields(n, f.name("zones"), known: ["max"], example: "zones: {max: 10 1/A}"),
          let radius = require("max", in: inner, example: "zones: {max: 10 1/A}").flatMap({
            waveVector($0, inner.name("max"))
          })
        else { return nil }
        zones = .within(radius)
      } else {
        guard let list = vectors(n, f.name("zones"), "zones: [[0, 0, 0], [1, 1, 1]]"),
          let whole = integers(list, at: n, f.name("zones"))
        else { return nil }
        zones = .list(whole)
      }
    }
    guard let primitive, let segments else { return nil }
    return .paths(
      ScatterPlan.Paths(primitive: primitive, segments: segments, labels: labels, zones: zones))
  }

  // MARK: functions

  private func correlation(_ node: Node, _ name: String) -> ScatterPlan.Correlation {
    var result = ScatterPlan.Correlation()
    guard
      let f = fields(
        node, name, known: ScatterVocabulary.correlation,
        example: "correlation: {maximum_lag: 500 frames}")
    else { return result }
    if let n = f["maximum_lag"] { result.maximumLag = lag(n, f.name("maximum_lag")) }
    if let n = f["origin_stride"] {
      result.originStride = integer(n, f.name("origin_stride"), 1...1_000_000_000) ?? 1
    }
    for (key, kind) in [
      ("coherent", CorrelationKinds.coherent), ("incoherent", .incoherent), ("currents", .currents),
    ] {
      guard let n = f[key], let isWanted = flag(n, f.name(key)) else { continue }
      if isWanted { result.kinds.insert(kind) } else { result.kinds.remove(kind) }
    }
    if let n = f["blocks"] { result.blocks = integer(n, f.name("blocks"), 1...1000) ?? 5 }
    if let n = f["window"] {
      if n.entries != nil {
        if let inner = fields(
          n, f.name("window"), known: ["gaussian"], example: "window: {gaussian: 1 ps}"),
          let width = require("gaussian", in: inner, example: "window: {gaussian: 1 ps}"),
          let sigma = picoseconds(width, inner.name("gaussian"))
        {
          result.window = .gaussian(sigma: sigma * 1000)
        }
      } else if word(n, f.name("window"), ["none", "hann"], [:]) == "hann" {
        result.window = .hann
      }
    }
    return result
  }

  private func lag(_ node: Node, _ name: String) -> ScatterPlan.Lag? {
    if let text = node.scalar, let (value, unit) = try? Number.scan(text),
      unit == "frames" || unit == "frame" || unit.isEmpty
    {
      guard !unit.isEmpty else {
        fail(
          node, "\(name): \(text.clipped) has no unit",
          "Write it with one of frames, fs, ps, ns: \(text.clipped) frames")
        return nil
      }
      guard let frames = Int(exactly: value), (0...1_000_000_000).contains(frames) else {
        fail(node, "\(name): \(text.clipped) is out of range", "Use a whole number from 0 on")
        return nil
      }
      return .frames(frames)
    }
    return picoseconds(node, name).map { .time($0 * 1000) }
  }

  private func shells(_ node: Node, _ name: String) -> ScatterPlan.ShellChoice? {
    let example = "shells: {width: 0.05 1/A, kernel: gaussian}"
    guard let f = fields(node, name, known: ScatterVocabulary.shells, example: example) else {
      return nil
    }
    let width = require("width", in: f, example: example).flatMap {
      waveVector($0, f.name("width"))
    }
    let kernel =
      f["kernel"].map { word($0, f.name("kernel"), ["gaussian", "bin"], [:]) } ?? "gaussian"
    guard let width, let kernel else { return nil }
    return ScatterPlan.ShellChoice(width: width, isGaussian: kernel == "gaussian")
  }

  // MARK: weights and corrections

  private func weights(_ node: Node, _ name: String) -> ScatterPlan.Weights? {
    guard let entries = node.entries else {
      let words = ["none", "neutron", "xray", "electron"]
      switch word(node, name, words, ["x-ray": "xray", "neutrons": "neutron"]) {
      case "neutron": return .neutron
      case "xray": return .xray
      case "electron": return .electron
      default: return ScatterPlan.Weights.none
      }
    }
    var lengths: [Element: ScatterPlan.Length] = [:]
    for entry in entries {
      let key = Node(.scalar(entry.key), at: entry.mark)
      let example = "\(entry.key): {coherent: 6.671 fm, incoherent: 2.05 barn}"
      guard let element = element(entry.key, at: key, name),
        let f = fields(
          entry.value, "\(name).\(entry.key)", known: ["coherent", "incoherent"], example: example)
      else { continue }
      let b = require("coherent", in: f, example: example).flatMap {
        quantity($0, .scatteringLength, f.name("coherent"))
      }
      let s = f["incoherent"].map { quantity($0, .crossSection, f.name("incoherent")) } ?? 0
      guard let b, let s else { continue }
      guard s >= 0 else {
        fail(entry.value, "\(f.name("incoherent")): a cross section is not below 0")
        continue
      }
      lengths[element] = ScatterPlan.Length(coherent: b, incoherent: s)
    }
    return .given(lengths)
  }

  private func isotopes(_ node: Node, _ name: String) -> [Element: [ScatterPlan.Isotope]] {
    guard let entries = node.entries else {
      fail(node, "\(name): expected a mapping, found \(node.found)", "Write isotopes: {H: D}")
      return [:]
    }
    var result: [Element: [ScatterPlan.Isotope]] = [:]
    for entry in entries {
      let key = Node(.scalar(entry.key), at: entry.mark)
      guard let element = element(entry.key, at: key, name) else { continue }
      var parts: [ScatterPlan.Isotope] = []
      if let inner = entry.value.entries {
        for part in inner {
          guard let fraction = number(part.value, "\(name).\(entry.key).\(part.key)") else {
            continue
          }
          parts.append(ScatterPlan.Isotope(name: part.key, fraction: fraction))
        }
      } else if let text = text(entry.value, "\(name).\(entry.key)") {
        parts = [ScatterPlan.Isotope(name: text, fraction: 1)]
      }
      var plan = ScatterPlan(points: .supercell([]))
      plan.weights = .neutron
      plan.isotopes = [element: parts]
      do throws(InputErrors) { _ = try plan.scatteringWeights(of: [element]) } catch {
        for e in error.errors { fail(entry.value, "\(name).\(entry.key): \(e.message)", e.remedy) }
      }
      result[element] = parts
    }
    return result
  }

  private func debyeWaller(_ node: Node, _ name: String) -> ScatterPlan.DebyeWallerChoice {
    if node.scalar == "none" { return .none }
    if node.scalar == "run" { return .run }
    guard let value = quantity(node, .area, name) else { return .none }
    guard value > 0, value < 100 else {
      fail(
        node, "\(name): \(Number.text(value)) A^2 is not above 0 and below 100 A^2",
        "Write none, run, or ⟨|r − ⟨r⟩|²⟩ as 0.013 A^2")
      return .none
    }
    return .given(value)
  }

  private func instrument(_ node: Node, _ name: String) -> ScatterPlan.InstrumentChoice? {
    if node.scalar == "none" { return nil }
    if let text = node.scalar, !text.isEmpty { return ScatterPlan.InstrumentChoice(name: text) }
    let example = "instrument: {name: ARCS, incident_energy: 97.5 meV}"
    guard let f = fields(node, name, known: ScatterVocabulary.instrument, example: example) else {
      return nil
    }
    guard let title = require("name", in: f, example: example).flatMap({ text($0, f.name("name")) })
    else { return nil }
    var choice = ScatterPlan.InstrumentChoice(name: title)
    func energy(_ key: String) -> Double? {
      f[key].flatMap { n in
        guard let value = quantity(n, .excitation, f.name(key)) else { return nil }
        if value > 0 { return value }
        fail(n, "\(f.name(key)): \(Number.text(value)) meV is not above 0 meV")
        return nil
      }
    }
    choice.incidentEnergy = energy("incident_energy")
    choice.finalEnergy = energy("final_energy")
    choice.frequency = f["frequency"].flatMap { quantity($0, .frequency, f.name("frequency")) }
    choice.chopper = f["chopper"].flatMap { text($0, f.name("chopper")) }
    choice.monochromator = f["monochromator"].flatMap { text($0, f.name("monochromator")) }
    if let n = f["angles"] {
      let form = "angles: [45, 135], or ranges as [[3, 60]], in degrees"
      choice.angles = items(n, f.name("angles"), form)?.compactMap { item in
        let ends: [Node] = if case .sequence(let parts) = item.content { parts } else { [item] }
        let values = ends.compactMap { number($0, f.name("angles")) }
        guard (1...2).contains(values.count), let low = values.first, let high = values.last,
          low <= high
        else {
          fail(item, "\(f.name("angles")): expected an angle or a range", "Write \(form)")
          return nil
        }
        return low...high
      }
    }
    if let n = f["resolution"] { choice.resolution = resolution(n, f.name("resolution")) }
    return choice
  }

  private func resolution(_ node: Node, _ name: String) -> [Double]? {
    let example = "resolution: {fwhm: 1.2 meV}"
    guard let f = fields(node, name, known: ["sigma", "fwhm", "polynomial"], example: example)
    else { return nil }
    if let n = f["polynomial"] {
      // σ = Σ c_i w^i with w and σ in meV.
      return items(n, f.name("polynomial"), "polynomial: [0.31, 0.005]")?.compactMap {
        number($0, f.name("polynomial"))
      }
    }
    for (key, scale) in [("sigma", 1.0), ("fwhm", 1 / 2.354820045030949)] {
      guard let n = f[key], let value = quantity(n, .excitation, f.name(key)) else { continue }
      if value > 0 { return [value * scale] }
      fail(n, "\(f.name(key)): \(Number.text(value)) meV is not above 0 meV")
      return nil
    }
    if f.meant.isEmpty, ["sigma", "fwhm"].allSatisfy({ f[$0] == nil }) {
      fail(node, "\(name): expected sigma, fwhm or polynomial", "Write \(example)")
    }
    return nil
  }

  private func spectrum(_ node: Node, _ name: String, _ plan: inout ScatterPlan) {
    guard
      let f = fields(
        node, name, known: ScatterVocabulary.spectrum, example: "spectrum: {q_width: 0.1 1/A}")
    else { return }
    plan.spectrumWidth = f["q_width"].flatMap { waveVector($0, f.name("q_width")) }
    if let n = f["order"] {
      plan.quantumFirst =
        word(n, f.name("order"), ["quantum-last", "quantum-first"], [:]) == "quantum-first"
    }
  }

  private func energy(_ node: Node, _ name: String, _ plan: inout ScatterPlan) {
    guard
      let f = fields(
        node, name, known: ScatterVocabulary.energy, example: "energy: {unit: meV, max: 200 meV}")
    else { return }
    if let n = f["unit"] {
      let words = ScatterPlan.EnergyUnit.allCases.map(\.rawValue)
      let foreign = ["mev": "meV", "cm^-1": "cm-1", "thz": "THz"]
      plan.energyUnit =
        word(n, f.name("unit"), words, foreign).flatMap { .init(rawValue: $0) } ?? .meV
    }
    func positive(_ key: String) -> Double? {
      guard let n = f[key], let value = quantity(n, .excitation, f.name(key)) else { return nil }
      if value > 0 { return value }
      fail(n, "\(f.name(key)): \(Number.text(value)) meV is not above 0 meV")
      return nil
    }
    plan.largestEnergy = positive("max")
    plan.energyStep = positive("step")
  }
}

/// The words of scatter decks.
enum ScatterVocabulary {
  static let deck = [
    "trajectory", "q", "correlation", "shells", "weights", "isotopes", "temperature",
    "quantum_correction", "debye_waller", "divide_by_q_squared", "times_energy_squared",
    "instrument", "spectrum", "energy",
  ]
  static let q = ["points", "hkl", "sphere", "paths", "snap"]
  static let sphere = ["max", "min", "count", "seed"]
  static let paths = ["primitive", "segments", "labels", "zones"]
  static let correlation = [
    "maximum_lag", "origin_stride", "coherent", "incoherent", "currents", "window", "blocks",
  ]
  static let shells = ["width", "kernel"]
  static let instrument = [
    "name", "incident_energy", "final_energy", "chopper", "frequency", "monochromator", "angles",
    "resolution",
  ]
  static let spectrum = ["q_width", "order"]
  static let energy = ["unit", "max", "step"]
  static let foreignFactors = [
    "kubo": "harmonic", "first-order": "harmonic", "detailed-balance": "standard",
  ]
}
