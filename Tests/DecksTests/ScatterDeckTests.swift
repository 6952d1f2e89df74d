import Decks
import Matter
import Scattering
import Testing

@Suite struct ScatterDeckTests {
  private static func read(_ text: String) throws(InputErrors) -> ScatterDeck.Checked {
    try ScatterDeck.read(DeckSource(text: text, name: "scatter.yaml", folder: "/decks"))
  }

  private static func errors(_ text: String) -> [String] {
    do throws(InputErrors) {
      _ = try read(text)
      return []
    } catch { return error.errors.map(\.description) }
  }

  private static let points = [
    "{points: [[0.42, 0, 0], [0, -1.5, 2]], snap: true}",
    "{hkl: [[2, 0, 0], [-1, 3, 1]]}",
    "{hkl: {of: primitive.xyz, points: [[0.5, 0, 0.5]]}, snap: true}",
    "{sphere: {max: 14 1/A, min: 1 1/A, count: 2000, seed: 7}}",
    "{sphere: {max: 3 1/A}}",
    "{paths: {primitive: primitive.xyz, segments: [[G, X, K], [[1/2, 0.25, 0], L]], labels: {K: [3/8, 3/8, 3/4]}, zones: [[0, 0, 0], [1, 1, 1]]}}",
    "{paths: {primitive: primitive.xyz, segments: [[G, X]], zones: {max: 8 1/A}}}",
  ]

  /// Every key with a value that is not its default.
  private static let rest = """
    trajectory: {timestep: 2 fs, topology: start.xyz, first: 10 ps, every: 2}
    correlation: {maximum_lag: 2 ps, origin_stride: 3, coherent: true, incoherent: true, currents: true, window: {gaussian: 1 ps}, blocks: 8}
    weights: neutron
    isotopes: {H: {D: 0.98, H-1: 0.02}, C: C-13}
    temperature: 127 K
    quantum_correction: harmonic
    debye_waller: 0.013 A^2
    divide_by_q_squared: true
    times_energy_squared: true
    instrument: {name: mine, final_energy: 32 cm-1, angles: [45, [130, 140]], resolution: {fwhm: 2.354820045030949 meV}}
    spectrum: {q_width: 0.2 1/A, order: quantum-first}
    energy: {unit: cm-1, max: 200 meV, step: 0.5 meV}

    """

  @Test("every key of the contract is read")
  func everyKey() throws {
    let deck = try Self.read("q: \(Self.points[5])\n" + Self.rest)
    let plan = deck.plan
    guard case .paths(let paths) = plan.points else {
      Issue.record("no paths")
      return
    }
    #expect(paths.primitive == "/decks/primitive.xyz" && paths.segments.count == 2)
    #expect(paths.segments[1][0] == .coordinates([Rational(1, 2), Rational(1, 4), Rational(0)]))
    #expect(paths.labels["K"] == [Rational(3, 8), Rational(3, 8), Rational(3, 4)])
    #expect(paths.zones == .list([[0, 0, 0], [1, 1, 1]]))
    #expect(deck.source.timestep == 0.002 && deck.source.topology == "/decks/start.xyz")
    #expect(deck.source.first == 10 && deck.source.every == 2)
    let c = plan.correlation
    #expect(c.maximumLag == .time(2000) && c.originStride == 3 && c.blocks == 8)
    #expect(c.kinds == [.coherent, .incoherent, .currents] && c.window == .gaussian(sigma: 1000))
    let h = try #require(Element(symbol: "H"))
    #expect(plan.weights == .neutron && plan.temperature == 127)
    #expect(
      plan.isotopes[h] == [.init(name: "D", fraction: 0.98), .init(name: "H-1", fraction: 0.02)])
    #expect(plan.quantum == .harmonic && plan.debyeWaller == .given(0.013))
    #expect(plan.dividesByQSquare && plan.timesEnergySquare && plan.quantumFirst)
    let instrument = try #require(plan.instrument)
    #expect(abs(try #require(instrument.finalEnergy) - 3.967494) < 1e-6)
    #expect(instrument.angles == [45...45, 130...140])
    #expect(abs(try #require(instrument.resolution?.first) - 1) < 1e-15)
    #expect(plan.energyUnit == .wavenumber && plan.largestEnergy == 200 && plan.energyStep == 0.5)
    #expect(plan.spectrumWidth == 0.2)
  }

  @Test("the resolved deck reads back as the same plan", arguments: points)
  func resolved(points: String) throws {
    for rest in ["", Self.rest, "correlation: {incoherent: false}\nweights: xray\n"] {
      let deck = try Self.read("q: \(points)\n" + rest)
      let again = try Self.read(ScatterDeck.text(deck.plan, deck.source))
      #expect(again.plan == deck.plan && again.source == deck.source)
    }
  }

  @Test("what is left out has the defaults of the contract")
  func defaults() throws {
    let plan = try Self.read("q: {sphere: {max: 3 1/A}}\n").plan
    #expect(plan == ScatterPlan(points: .sphere(minimum: 0, maximum: 3, count: nil, seed: 42)))
    #expect(plan.correlation.kinds == [.coherent, .incoherent] && plan.correlation.blocks == 5)
    #expect(plan.weights == .none && plan.quantum == .none && plan.instrument == nil)
    let shells = try Self.read(
      "q: {sphere: {max: 3 1/A, count: 9}}\nshells: {width: 0.05 1/Å}\n"
    ).plan.shells
    #expect(shells == .init(width: 0.05, isGaussian: true))
  }

  @Test(
    "errors name the place, the key and the way out",
    arguments: [
      (
        "weights: neutron\n",
        "scatter.yaml:1:1: q is missing. Add `q: {sphere: {max: 10 1/A, count: 500}}`"
      ),
      (
        "q: {hkl: [[1, 0, 0]], sphere: {max: 3 1/A}}\n",
        "scatter.yaml:1:4: q: expected exactly one of points, hkl, sphere, paths, found hkl, sphere. Write q: {sphere: {max: 10 1/A, count: 500}}"
      ),
      (
        "q: {hkl: [[1, 0, 0.5]]}\n",
        "scatter.yaml:1:10: q.hkl: [1, 0, 0.5] is not three whole numbers. Points of another cell go as {of: primitive.xyz, points: […]}"
      ),
      (
        "q: {sphere: {max: 14}}\n",
        "scatter.yaml:1:19: q.sphere.max: 14 has no unit. Write it with the unit 1/A: 14 1/A"
      ),
      (
        "q: {hkl: [[1, 0, 0]]}\nwieghts: neutron\n",
        "scatter.yaml:2:1: unknown key 'wieghts' — did you mean 'weights'?"
      ),
      (
        "q: {hkl: [[1, 0, 0]]}\ncorrelation: {maximum_lag: 500}\n",
        "scatter.yaml:2:28: correlation.maximum_lag: 500 has no unit. Write it with one of frames, fs, ps, ns: 500 frames"
      ),
      (
        "q: {hkl: [[1, 0, 0]]}\ninstrument: {name: TOSCA}\n",
        "scatter.yaml:1:1: weights: corrections and instruments need to know what atoms scatter. Write weights: neutron, xray or electron"
      ),
      (
        "q: {hkl: [[1, 0, 0]]}\nweights: neutron\ninstrument: {name: ARCS}\n",
        "scatter.yaml:3:13: instrument: ARCS needs an incident energy. Give `incident_energy` above 20 and up to 1500 meV"
      ),
      (
        "q: {hkl: [[1, 0, 0]]}\nweights: neutron\nquantum_correction: harmonc\n",
        "scatter.yaml:3:21: quantum_correction: unknown word 'harmonc' — did you mean 'harmonic'?"
      ),
      (
        "q: {sphere: {max: 3 1/A}}\nshells: {width: 0.1 1/A}\n",
        "scatter.yaml:2:9: shells: incoherent functions are not made at every point of a sphere. Set correlation: {incoherent: false}, or give the sphere a count"
      ),
      (
        "q: {hkl: [[1, 0, 0]]}\nweights: neutron\nquantum_correction: order-resolved\ncorrelation: {incoherent: false}\n",
        "scatter.yaml:3:21: quantum_correction: order-resolved takes the vibrations from incoherent functions. Set correlation: {incoherent: true}"
      ),
    ])
  func located(text: String, message: String) {
    #expect(Self.errors(text) == [message])
  }

  @Test("all errors of a deck are found in one pass, in the order of the file")
  func onePass() {
    let errors = Self.errors(
      """
      q: {sphere: {max: 3, count: none}}
      correlation: {maximum_lag: 0 ps, origin_stride: 0}
      temperature: 300
      energy: {unit: Kelvin, max: -1 meV}
      colour: red
      """)
    let places = errors.map { String($0.split(separator: ":")[1]) }
    #expect(places == places.sorted() && Set(places) == ["1", "2", "3", "4", "5"], "\(errors)")
  }

  @Test("the block of a stage is a deck with `every`, and stands in the resolved deck")
  func ofStage() throws {
    let block =
      "    scatter: {every: 20 fs, q: {hkl: [[1, 0, 0]]}, correlation: {maximum_lag: 30 frames}}\n"
    let text = Decks.silicon + block
    let deck = try Decks.read(text)
    let index = deck.plan.stages.count - 1
    let scatter = try #require(deck.plan.stages[index].scatter)
    let timestep = try #require(deck.plan.timestepFs)
    #expect(Double(scatter.every) * timestep == 20)
    #expect(deck.scatter[index]?.points == .supercell([[1, 0, 0]]))
    let again = try Decks.read(deck.plan.yaml)
    #expect(again.plan == deck.plan && again.scatter == deck.scatter)
    #expect(
      Decks.errors(Decks.silicon + block.replacing("every: 20 fs, ", with: "")).first?
        .contains("scatter.every is missing") == true)
  }
}
