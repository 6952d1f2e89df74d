import Foundation
import Matter

/// What weights, corrections and an instrument make of the raw functions.
public struct DerivedScattering: Sendable {
  /// The energies of the frequencies, in meV.
  public let energies: [Double]
  /// The weighted classical intensity at (q, ω), per ω.
  public private(set) var weighted: ScatteringMap?
  /// Standard errors of partials, weighted and added: an upper bound of those of `weighted`.
  public private(set) var weightedErrors: [Double] = []
  /// With all corrections.
  public private(set) var corrected: ScatteringMap?
  /// With corrections and resolution, NaN where an instrument of a range of angles cannot see.
  public private(set) var seen: ScatteringMap?
  /// S(E) stage by stage.
  public private(set) var stages: SpectrumStages?
  /// The |q| that each bank sees at the energies of the first stage.
  public private(set) var limits: [(bank: String, limits: [ClosedRange<Double>?])] = []
  /// The unit of energies in files.
  public let unit: ScatterPlan.EnergyUnit

  /// What a plan makes of raw functions.
  /// - Throws: `InputError` where a correction is not possible.
  public init(_ table: ScatterTable, plan: ScatterPlan) throws(InputError) {
    let r = table.result
    unit = plan.energyUnit
    energies = r.frequencies.map { $0 * Units.excitationEnergy }
    let found: ScatteringWeights?
    do throws(InputErrors) {
      found = try plan.scatteringWeights(of: table.elements)
    } catch { throw error.errors[0] }
    guard let weights = found else { return }
    let partials = Self.partials(r, species: table.species, window: plan.correlation.window)
    let map = Self.map(partials, weights, energies)
    weighted = map
    weightedErrors = Self.errors(r, species: table.species, weights: weights)

    let final = try Self.corrected(partials, weights, table, plan, energies)
    if let final { corrected = final }
    let instrument = try plan.instrument?.instrument()
    if let instrument, !instrument.isLine {
      seen = Self.seen(final ?? map, by: instrument)
    }
    if energies.count > 1, !Self.isPath(table) || instrument != nil {
      let width = plan.spectrumWidth ?? plan.shells?.width ?? 0.1
      let classical = Self.perEnergy(map, upTo: plan.largestEnergy)
      let quantum: SpectrumStages.Quantum? =
        if let factor = plan.factor, plan.hasOnlyFactor, let temperature = table.temperature {
          .factor(factor, temperature: temperature)
        } else {
          final.map { .corrected(Self.perEnergy($0, upTo: plan.largestEnergy)) }
        }
      guard classical.norms.count > 0, (classical.norms.max() ?? 0) > 0 else { return }
      let made = try SpectrumStages(
        classical, instrument: instrument,
        shells: ShellAverage.grid(norms: classical.norms, step: width), width: width,
        quantum: quantum, order: plan.quantumFirst ? .quantumFirst : .quantumLast,
        energyStep: plan.energyStep)
      stages = made
      if let instrument {
        limits = instrument.banks.map { bank in
          (bank.name, made.raw.energies.map { instrument.limits(bank, energy: $0) })
        }
      }
    }
  }

  private static func isPath(_ table: ScatterTable) -> Bool { table.path != nil }

  /// The spectra of a result by index of species.
  private static func partials(
    _ r: CorrelationResult, species: [String], window: Taper
  ) -> PartialFunctions {
    var coherent: [PartialFunctions.Pair: [Double]] = [:]
    var incoherent: [Int: [Double]] = [:]
    for f in r.functions where !f.species.isEmpty {
      let places = f.species.compactMap { species.firstIndex(of: $0) }
      if f.kind == .coherent, places.count == 2 {
        coherent[PartialFunctions.Pair(places[0], places[1])] = f.spectrum
      } else if f.kind == .incoherent, places.count == 1 {
        incoherent[places[0]] = f.spectrum
      }
    }
    var history = [
      "classical " + (coherent.isEmpty ? "" : "coherent")
        + (coherent.isEmpty || incoherent.isEmpty ? "" : " and ")
        + (incoherent.isEmpty ? "" : "incoherent") + " functions, lags to "
        + "\(Decimals.text(r.times.last ?? 0)) fs"
    ]
    switch window {
    case .none: break
    case .hann: history.append("Hann window in time")
    case .gaussian(let sigma):
      history.append("Gaussian window in time, σ = \(Decimals.text(sigma)) fs")
    }
    return PartialFunctions(
      norms: r.norms, columns: r.frequencies.count, coherent: coherent, incoherent: incoherent,
      history: history)
  }

  /// The intensity per ω, in the unit of the weights times fs.
  private static func map(
    _ partials: PartialFunctions, _ weights: ScatteringWeights, _ energies: [Double]
  ) -> ScatteringMap {
    ScatteringMap(
      norms: partials.norms, energies: energies,
      values: zip(partials.weightedCoherent(weights), partials.weightedIncoherent(weights)).map {
        $0 + $1
      }, unit: weights.unit == "1" ? "fs" : weights.unit + " fs",
      history: partials.history + [weights.description])
  }

  private static func errors(
    _ r: CorrelationResult, species: [String], weights: ScatteringWeights
  ) -> [Double] {
    var sum = [Double](repeating: 0, count: r.norms.count * r.frequencies.count)
    let columns = r.frequencies.count
    for f in r.functions where !f.species.isEmpty {
      guard f.kind == .coherent || f.kind == .incoherent else { continue }
      let places = f.species.compactMap { species.firstIndex(of: $0) }
      guard f.spectrumErrors.count == sum.count, let a = places.first, let b = places.last else {
        return []
      }
      for (i, q) in r.norms.enumerated() {
        let weight =
          f.kind == .coherent ? abs(weights.pair(a, b, q: q)) : weights.species[a].incoherent
        for c in i * columns..<(i + 1) * columns { sum[c] += weight * f.spectrumErrors[c] }
      }
    }
    return sum
  }

  /// The map with all corrections, or nil where none is asked for.
  private static func corrected(
    _ raw: PartialFunctions, _ weights: ScatteringWeights, _ table: ScatterTable,
    _ plan: ScatterPlan, _ energies: [Double]
  ) throws(InputError) -> ScatteringMap? {
    var partials = raw
    func temperature() throws(InputError) -> Double {
      guard let t = table.temperature else { throw ScatterPlan.temperatureMissing }
      return t
    }
    switch plan.quantum {
    case .orderResolved:
      partials = try partials.corrected(by: orders(table, temperature: try temperature()))
    case .egelstaff:
      partials = egelstaff(
        partials, table, window: plan.correlation.window, temperature: try temperature())
    default: break
    }
    switch plan.debyeWaller {
    case .none: break
    case .run:
      guard let squares = table.meanSquares else {
        throw InputError(
          "the result holds no displacements, which debye_waller: run needs",
          remedy: "Compute it again with this deck")
      }
      partials = partials.dividedByDebyeWaller(squares)
    case .given(let u):
      partials = partials.dividedByDebyeWaller(table.species.map { _ in u })
    }
    var map = Self.map(partials, weights, energies)
    if let factor = plan.factor { map = map.corrected(by: factor, temperature: try temperature()) }
    if plan.dividesByQSquare { map = map.dividedByQSquare() }
    if plan.timesEnergySquare {
      map = map.timesFrequencySquare()
      map.unit += " meV^2"
    }
    if plan.dividesByQSquare { map.unit += " angstrom^2" }
    return plan.isCorrected ? map : nil
  }

  private static func orders(
    _ table: ScatterTable, temperature: Double
  ) throws(InputError) -> [OrderResolvedCorrection] {
    let r = table.result
    let largest = r.norms.max() ?? 0
    return try table.species.map { name throws(InputError) in
      guard let f = r.function(.incoherent, [name]) else {
        throw InputError(
          "the result holds no incoherent function of \(name), which the order-resolved "
            + "correction needs", remedy: "Compute it with correlation: {incoherent: true}")
      }
      return OrderResolvedCorrection(
        try SelfSpectrum(functions: f.values, norms: r.norms, timestep: r.timestep),
        temperature: temperature, largestQ: largest)
    }
  }

  private static func egelstaff(
    _ raw: PartialFunctions, _ table: ScatterTable, window: Taper, temperature: Double
  ) -> PartialFunctions {
    let r = table.result
    let n = r.times.count
    let factors = window.factors(maximumLag: n - 1, timestep: r.timestep)
    var result = raw
    func corrected(_ kind: CorrelationFunction.Kind, _ species: [String]) -> [Double]? {
      guard let f = r.function(kind, species) else { return nil }
      return r.norms.indices.flatMap { q -> ArraySlice<Double> in
        EgelstaffCorrection.spectrum(
          of: zip(f.values[q * n..<(q + 1) * n], factors).map { $0 * $1 }, timestep: r.timestep,
          temperature: temperature)[
            (n - 1)...]
      }
    }
    for pair in raw.coherent.keys {
      let names = [table.species[pair.a], table.species[pair.b]]
      if let values = corrected(.coherent, names) { result.coherent[pair] = values }
    }
    for index in raw.incoherent.keys {
      if let values = corrected(.incoherent, [table.species[index]]) {
        result.incoherent[index] = values
      }
    }
    result.history.append("Egelstaff correction, T = \(Decimals.text(temperature)) K")
    return result
  }

  /// A map as a density in energy, up to an energy; rows without numbers are left out.
  private static func perEnergy(_ map: ScatteringMap, upTo limit: Double?) -> ScatteringMap {
    let n = map.energies.count
    let count = max(2, limit.map { l in map.energies.prefix { $0 <= l * (1 + 1e-9) }.count } ?? n)
    let kept = min(n, count)
    func isWhole(_ m: ScatteringMap, _ q: Int) -> Bool {
      !m.values[q * n..<(q + 1) * n].contains { $0.isNaN }
    }
    let rows = map.norms.indices.filter { isWhole(map, $0) }
    let scale = 1 / (2 * Double.pi * Units.excitationEnergy)
    return ScatteringMap(
      norms: rows.map { map.norms[$0] }, energies: Array(map.energies[0..<kept]),
      values: rows.flatMap { q in map.values[q * n..<q * n + kept].map { $0 * scale } },
      unit: map.unit == "fs" ? "1/meV" : map.unit.replacingOccurrences(of: " fs", with: "/meV"),
      history: map.history)
  }

  /// Each row blurred, and NaN where the instrument does not see its |q|.
  private static func seen(_ map: ScatteringMap, by instrument: Instrument) -> ScatteringMap {
    var result = map
    let n = map.energies.count
    for (i, q) in map.norms.enumerated() {
      if let resolution = instrument.resolution {
        let row = Spectrum(
          energies: map.energies, values: Array(map.values[i * n..<(i + 1) * n]), unit: map.unit)
        result.values.replaceSubrange(
          i * n..<(i + 1) * n, with: row.broadened(by: resolution).values)
      }
      for (c, energy) in map.energies.enumerated()
      where !instrument.banks.contains(where: {
        instrument.limits($0, energy: energy)?.contains(q) ?? false
      }) {
        result.values[i * n + c] = .nan
      }
    }
    if let resolution = instrument.resolution {
      result.history.append("resolution: " + resolution.description)
    }
    result.history.append("kinematic limits of \(instrument.name)")
    return result
  }
}

extension ScatterPlan {
  /// The factor of the quantum correction, where it is one.
  var factor: QuantumFactor? { QuantumFactor(rawValue: quantum.rawValue) }

  /// Whether a correction is asked for.
  public var isCorrected: Bool {
    quantum != .none || debyeWaller != .none || dividesByQSquare || timesEnergySquare
  }

  /// Whether a quantum factor is the only correction.
  var hasOnlyFactor: Bool {
    factor != nil && debyeWaller == .none && !dividesByQSquare && !timesEnergySquare
  }

  static let temperatureMissing = InputError(
    "the temperature is not known, which the quantum correction needs",
    remedy: "Write temperature: 300 K in the deck")

  /// What elements scatter; nil for raw functions alone.
  /// - Throws: a line for each element or isotope that has no weight.
  public func scatteringWeights(of elements: [Element]) throws(InputErrors) -> ScatteringWeights? {
    switch weights {
    case .none: return nil
    case .xray:
      return try ScatteringWeights.formFactors(elements.map(\.symbol), source: .waasmaierKirfel)
    case .electron:
      return try ScatteringWeights.formFactors(elements.map(\.symbol), source: .peng)
    case .neutron:
      var errors: [InputError] = []
      var compositions: [Element: IsotopeComposition] = [:]
      for (element, parts) in isotopes.sorted(by: { $0.key < $1.key }) {
        do throws(InputError) {
          let isPure = parts.count == 1 && parts[0].fraction == 1
          compositions[element] =
            isPure
            ? try IsotopeComposition(parts[0].name, of: element)
            : try IsotopeComposition(parts.map { ($0.name, $0.fraction) }, of: element)
        } catch {
          errors.append(error)
        }
      }
      if !errors.isEmpty { throw InputErrors(errors) }
      return try ScatteringWeights.neutron(elements, isotopes: compositions)
    case .given(let lengths):
      let missing = elements.filter { lengths[$0] == nil }
      guard missing.isEmpty else {
        throw InputErrors(
          missing.map {
            InputError(
              "weights: nothing is given for \($0.symbol)",
              remedy: "Add \($0.symbol): {coherent: …, incoherent: …}")
          })
      }
      let species = elements.map { element in
        let length = lengths[element] ?? Length(coherent: 0, incoherent: 0)
        return ScatteringWeights.Species(
          name: element.symbol, coherent: .constant(real: length.coherent, imaginary: 0),
          incoherent: length.incoherent * Units.barn / (4 * .pi))
      }
      let text = species.map {
        "\($0.name) b = \(Decimals.text($0.coherent.value(0).real)) fm, b_inc² = "
          + "\(Decimals.text($0.incoherent)) fm²"
      }
      return ScatteringWeights(
        species: species, unit: "fm^2",
        description: "weights of the deck: " + text.joined(separator: "; "))
    }
  }
}
