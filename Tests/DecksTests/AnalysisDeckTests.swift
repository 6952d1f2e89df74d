import Analysis
import Decks
import Matter
import Testing
import Trajectory

@Suite struct AnalysisDeckTests {
  private static func read(_ text: String) throws(InputErrors) -> AnalysisPlan {
    try AnalysisDeck.read(DeckSource(text: text, name: "analyze.yaml", folder: "/decks"))
  }

  private static func errors(_ text: String) -> [String] {
    do throws(InputErrors) {
      _ = try read(text)
      return []
    } catch { return error.errors.map(\.description) }
  }

  /// Every key with a value that is not its default.
  private static let full = """
    trajectory: {timestep: 2 fs, topology: start.xyz, elements: [C, H], units: real, first: 10 ps, last: 1 ns, every: 2}
    msd: {by: element, maximum_lag: 500 ps, molecules: false, remove_drift: true}
    rdf: {cutoff: 8 A, bins: 200, pairs: [C-C, H-C], windows: [[100 ps, 300 ps], [800 ps, 1 ns]]}
    stress: {window: 500, viscosity: false}
    energy: {window: 200}
    heat_capacity: {quantum: false}
    vacf: {maximum_lag: 3 ps, window: none}
    molecules: {bond_factor: 1.2, herringbone: false}
    groups: {iodine: [element I], first: [atoms 1-72, atoms 80]}
    blocks: 8

    """

  @Test("every key of the contract is read")
  func everyKey() throws {
    let plan = try Self.read(Self.full)
    #expect(plan.source.timestep == 0.002 && plan.source.topology == "/decks/start.xyz")
    let symbols = plan.source.elements?.map { $0.symbol }
    #expect(symbols == ["C", "H"] && plan.source.units == .real)
    #expect(plan.source.first == 10 && plan.source.last == 1000 && plan.source.every == 2)
    #expect(plan.msd?.maximumLag == 500 && plan.msd?.molecules == false)
    #expect(plan.msd?.removeDrift == true)
    #expect(plan.rdf?.cutoff == 8 && plan.rdf?.bins == 200)
    let pairs = plan.rdf?.pairs?.map { $0.map { $0.symbol } }
    #expect(pairs == [["C", "C"], ["H", "C"]])
    #expect(plan.rdf?.windows == [100...300, 800...1000])
    #expect(plan.stress?.window == 500 && plan.stress?.viscosity == false)
    #expect(plan.energy?.window == 200 && plan.heatCapacity?.quantum == false)
    #expect(plan.vacf?.maximumLag == 3 && plan.vacf?.window == AnalysisPlan.Velocities.Window.none)
    #expect(plan.molecules?.bondFactor == 1.2 && plan.molecules?.herringbone == false)
    let iodine = try #require(Element(symbol: "I"))
    #expect(
      plan.groups == [
        .init(name: "iodine", members: [.element(iodine)]),
        .init(name: "first", members: [.atoms(1...72), .atoms(80...80)]),
      ])
    #expect(plan.blocks == 8)
  }

  @Test("the resolved deck reads back as the same plan")
  func resolved() throws {
    for text in [Self.full, "energy:\n", "blocks: 3\n"] {
      let plan = try Self.read(text)
      #expect(try Self.read(AnalysisDeck.text(plan)) == plan)
    }
  }

  @Test("a deck without observables asks for all of them, a deck with some for those")
  func defaults() throws {
    for text in ["", "# nothing\n", "trajectory: {every: 3}\n"] {
      let plan = try Self.read(text)
      #expect(plan.msd == .init() && plan.rdf == .init() && plan.vacf == .init())
      #expect(plan.stress == .init() && plan.energy == .init() && plan.molecules == .init())
      #expect(plan.heatCapacity == .init() && plan.blocks == 5)
    }
    let one = try Self.read("energy: {}\n")
    #expect(one.energy == .init() && one.stress == nil && one.msd == nil)
    #expect(try Self.read("energy:\nrdf: {pairs: all}\n").rdf == .init())
  }

  @Test(
    "errors name the place, the key and the way out",
    arguments: [
      (
        "enrgy: {window: 3}\n",
        "analyze.yaml:1:1: unknown key 'enrgy' — did you mean 'energy'?"
      ),
      (
        "stress: {window: 1}\n",
        "analyze.yaml:1:18: stress.window: 1 is out of range. Use an integer from 2 to 1000000000"
      ),
      (
        "rdf: {cutoff: 10}\n",
        "analyze.yaml:1:15: rdf.cutoff: 10 has no unit. Write it with the unit A: 10 A"
      ),
      (
        "rdf: {pairs: [C-Xx]}\n",
        "analyze.yaml:1:15: rdf.pairs: 'Xx' is not an element. Write chemical symbols"
      ),
      (
        "rdf: {windows: [[3 ps, 1 ps]]}\n",
        "analyze.yaml:1:17: rdf.windows: the window ends before it starts. Write windows: [[100 ps, 300 ps], [800 ps, 1 ns]]"
      ),
      (
        "trajectory: {first: 2 ps, last: 1 ps}\n",
        "analyze.yaml:1:33: trajectory.last: not after trajectory.first. Both count from the first frame"
      ),
      (
        "groups: {a: [atoms 5-2]}\n",
        "analyze.yaml:1:14: groups.a: expected `element I` or `atoms 1-72`, found 'atoms 5-2'. Write groups: {iodine: [element I], first: [atoms 1-72]}"
      ),
      (
        "vacf: {maximum_lag: 0 ps}\n",
        "analyze.yaml:1:21: vacf.maximum_lag: 0 fs is not above 0 fs"
      ),
      (
        "molecules: {bond_factor: 9}\n",
        "analyze.yaml:1:26: molecules.bond_factor: expected a number from 0.5 to 3, found '9'. Write bond_factor: 1.25"
      ),
      (
        "blocks: 1\n",
        "analyze.yaml:1:9: blocks: 1 is out of range. Use an integer from 2 to 1000"
      ),
    ])
  func located(text: String, message: String) {
    #expect(Self.errors(text) == [message])
  }

  @Test("the block of a run deck is a deck without trajectory, and stands in the resolved deck")
  func ofRun() throws {
    let deck = try Decks.read(Decks.silicon + "analysis: {energy: {window: 50}, blocks: 4}\n")
    #expect(deck.analysis?.energy?.window == 50 && deck.analysis?.stress == nil)
    #expect(deck.plan.yaml.hasSuffix("analysis: {energy: {window: 50}, blocks: 4}\n"))
    let again = try Decks.read(deck.plan.yaml)
    #expect(again.analysis == deck.analysis && again.plan == deck.plan)
    #expect(try Decks.read(Decks.silicon).analysis == nil)
    #expect(try Decks.read(Decks.silicon + "analysis:\n").analysis?.rdf == .init())
    #expect(
      Decks.errors(Decks.silicon + "analysis: {trajectory: {every: 2}}\n").first?
        .contains("unknown key 'trajectory' here: it belongs in a stage") == true)
    #expect(
      Decks.errors(Decks.silicon + "analysis: {stress: {window: 1}}\n") == [
        "deck.yaml:16:29: analysis.stress.window: 1 is out of range. Use an integer from 2 to 1000000000"
      ])
  }

  @Test("all errors of a deck come in one pass")
  func onePass() {
    #expect(Self.errors("stress: {window: x}\nenergy: 3\nblocks: no\n").count == 3)
  }
}
