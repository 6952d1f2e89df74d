import Decks
import Dynamics
import Foundation
import Matter
import Testing

@Suite("Plans of decks") struct RunPlanDeckTests {
  @Test("a deck of required keys gets every default of the table")
  func defaults() throws {
    let checked = try Decks.read(Decks.silicon)
    let plan = checked.plan(cellIsOrthogonal: true)
    let here = FileManager.default.currentDirectoryPath
    #expect(plan.title == "deck.yaml")
    #expect(plan.structure == "/decks/si.xyz")
    #expect(plan.supercell == [[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    #expect(plan.masses.isEmpty)
    #expect(plan.potential.model == "/decks/nep.txt")
    #expect(plan.potential.precision == .mixed)
    #expect(plan.potential.head == nil)
    #expect(plan.timestepFs == 1)
    #expect(plan.seed == 1)
    #expect(plan.velocities == .temperature(300))
    #expect(plan.output == here + "/deck")
    #expect(plan.checkpointEvery == 600)
    let bath = RunPlan.Thermostat.noseHoover(relaxationFs: 100, chain: 3)
    let constant = RunPlan.Ramp(from: 300, to: 300)
    #expect(
      plan.stages == [
        RunPlan.Stage(
          name: "equilibrate",
          ensemble: .npt(
            temperature: constant, thermostat: bath,
            pressure: .scalar(RunPlan.Ramp(from: 0, to: 0)),
            barostat: .mtk(coupling: .orthorhombic, relaxationFs: 1000)),
          steps: 20000, cell: .last, trajectory: nil, thermoEvery: 100),
        RunPlan.Stage(
          name: "produce", ensemble: .nvt(temperature: constant, thermostat: bath), steps: 50000,
          cell: .mean(stage: "equilibrate", discardFs: nil), trajectory: nil, thermoEvery: 100),
      ])
    #expect(checked.warnings.isEmpty)
  }

  @Test("a barostat without coupling follows the cell, one with it does not")
  func coupling() throws {
    func coupling(_ deck: String, orthogonal: Bool) throws -> RunPlan.Coupling? {
      let plan = try Decks.read(deck).plan(cellIsOrthogonal: orthogonal)
      guard case .npt(_, _, _, .mtk(let coupling, _)) = plan.stages[0].ensemble else { return nil }
      return coupling
    }
    #expect(try coupling(Decks.silicon, orthogonal: true) == .orthorhombic)
    #expect(try coupling(Decks.silicon, orthogonal: false) == .triclinic)
    let isotropic = Decks.silicon.replacingOccurrences(
      of: "pressure: 0 GPa", with: "pressure: 0 GPa\n    barostat: {coupling: isotropic}")
    #expect(try coupling(isotropic, orthogonal: false) == .isotropic)
  }

  static let full = """
    title: "a: 'quoted' \\"title\\" # 2,5-\\u00e9\\n"
    structure: structures/my crystal é.xyz
    supercell: [[1, 1, 0], [-1, 1, 0], [0, 0, 3]]
    masses: {H: 2.014, Si: 28.0855 amu}
    potential: {model: /models/a.txt, precision: double, head: "1"}
    timestep: 0.3 fs
    seed: 18446744073709551615
    velocities: from structure
    output: runs/x
    checkpoint: {every: 90 s}
    stages:
      - {name: relax, ensemble: minimize, force: 0.003 eV/Å, steps: 77, cell: triclinic, pressure: 3 kbar,
         trajectory: {every: 5 steps}}
      - name: heat
        ensemble: npt
        temperature: {from: 77.7 K, to: 512.3 K}
        pressure: {from: -1.37 GPa, to: 12345 bar}
        thermostat: {kind: langevin}
        barostat: {kind: stochastic-cell-rescaling, coupling: isotropic, compressibility: 0.0123 1/GPa}
        duration: 99.9 ps
        thermo: {every: 3 fs}
      - name: shear
        ensemble: npt
        temperature: 300 K
        pressure: [1 atm, 0.1 GPa, 7 MPa, 1e-3 eV/A^3, -2 bar, 3.3 kbar]
        thermostat: {kind: bussi, relaxation: 0.3 ps}
        barostat: {coupling: triclinic, relaxation: 0.75 ps}
        steps: 333333
        trajectory: {every: 30 steps, velocities: true, forces: true}
      - name: produce
        ensemble: nvt
        temperature: 300 K
        thermostat: {kind: nose-hoover, relaxation: 33.3 fs, chain: 5}
        cell: mean of shear after 12.34 ps
        duration: 3 ns
      - {name: last-one, ensemble: nve, steps: 9007199254}
    """

  @Test(
    "the resolved deck reads back as the equal plan and writes itself again",
    arguments: [Decks.silicon, full], [true, false])
  func roundTrip(deck: String, orthogonal: Bool) throws {
    let plan = try Decks.read(deck).plan(cellIsOrthogonal: orthogonal)
    let again = try DeckReader.read(
      DeckSource(text: plan.yaml, name: "resolved.yaml", folder: "/elsewhere"))
    #expect(again.plan == plan)
    #expect(again.stagesOfDefaultCoupling.isEmpty)
    #expect(again.plan.yaml == plan.yaml)
    #expect(again.plan.differences(from: plan).isEmpty)
  }

  @Test("a deck with everything gives the values it says, in internal units")
  func values() throws {
    let plan = try Decks.read(Self.full).plan
    #expect(plan.title == "a: 'quoted' \"title\" # 2,5-é\n")
    #expect(plan.structure == "/decks/structures/my crystal é.xyz")
    #expect(plan.output == "/decks/runs/x")
    #expect(plan.supercell == [[1, 1, 0], [-1, 1, 0], [0, 0, 3]])
    #expect(plan.seed == .max)
    #expect(plan.velocities == .fromStructure)
    #expect(plan.checkpointEvery == 90)
    #expect(plan.potential.head == "1")
    #expect(Element(symbol: "Si").flatMap { plan.masses[$0] } == 28.0855)
    guard case .minimize(let force, .triclinic, let pressure) = plan.stages[0].ensemble else {
      Issue.record("not a minimization")
      return
    }
    #expect(force == 0.003)
    #expect(abs(pressure * 160.2176634 - 0.3) < 1e-15)
    #expect(plan.stages[0].steps == 77)
    guard
      case .npt(
        let temperature, .langevin(relaxationFs: 1000), .scalar(let ramp),
        .stochasticCellRescaling(.isotropic, relaxationFs: 1000, let compressibility)) =
        plan.stages[
          1
        ].ensemble
    else {
      Issue.record("not the barostat of the deck")
      return
    }
    #expect(temperature == RunPlan.Ramp(from: 77.7, to: 512.3))
    #expect(abs(ramp.from * 160.2176634 + 1.37) < 1e-14)
    #expect(abs(ramp.to * 160.2176634 - 1.2345) < 1e-14)
    #expect(abs(compressibility / 160.2176634 - 0.0123) < 1e-16)
    #expect(plan.stages[1].steps == 333000)
    #expect(plan.stages[1].thermoEvery == 10)
    guard case .npt(_, _, .components(let p), _) = plan.stages[2].ensemble else {
      Issue.record("not six components")
      return
    }
    let gigapascals = [1.01325e-4, 0.1, 0.007, 0.1602176634, -2e-4, 0.33]
    for (value, expected) in zip(p.components, gigapascals) {
      #expect(abs(value * 160.2176634 - expected) < 1e-15)
    }
    #expect(plan.stages[3].cell == .mean(stage: "shear", discardFs: 12340))
    #expect(plan.stages[3].steps == 10_000_000)
    #expect(plan.stages[4].steps == 9_007_199_254)
    #expect(plan.stages[2].trajectory == .init(every: 30, velocities: true, forces: true))
  }

  @Test("minimize-only decks need neither timestep nor velocities")
  func minimizeOnly() throws {
    let plan = try Decks.read(
      """
      structure: a.xyz
      potential: {model: m}
      stages: [{name: relax, ensemble: minimize}]
      """
    ).plan
    #expect(plan.timestepFs == nil)
    #expect(plan.velocities == nil)
    #expect(plan.stages[0].steps == 2000)
    #expect(plan.stages[0].ensemble == .minimize(force: 1e-4, cell: nil, pressure: 0))
    #expect(try Decks.read(plan.yaml).plan == plan)
  }

  @Test("a stage is counted in whole steps to rounding, for any time step")
  func wholeSteps() throws {
    for (timestep, duration, steps) in [
      ("0.1 fs", "0.3 fs", 3), ("0.7 fs", "7 ns", 10_000_000), ("0.05 fs", "1 us", 20_000_000_000),
      ("2.5 fs", "1 ns", 400_000), ("0.001 ps", "1 fs", 1),
    ] {
      let plan = try Decks.read(
        Decks.silicon,
        overrides: [
          "timestep=\(timestep)", "stages.1.duration=\(duration)", "stages.0.duration=7 ps",
        ]
      ).plan
      #expect(plan.stages[1].steps == steps)
    }
  }

  @Test("overrides reach keys by index and by name, add known keys and resolve from where we are")
  func overrides() throws {
    let plan = try Decks.read(
      Decks.silicon,
      overrides: [
        "timestep=0.5 fs", "stages.0.duration=1 ps", "stages.produce.steps=7",
        "stages.produce.trajectory.every=2 steps", "supercell=[2, 3, 4]", "seed=0",
        "potential.model=m.txt", "stages.produce.thermostat={kind: bussi}",
      ], output: "out"
    ).plan
    let here = FileManager.default.currentDirectoryPath
    #expect(plan.timestepFs == 0.5)
    #expect(plan.stages.map(\.steps) == [2000, 7])
    #expect(plan.stages[1].trajectory == .init(every: 2, velocities: false, forces: false))
    #expect(plan.supercell == [[2, 0, 0], [0, 3, 0], [0, 0, 4]])
    #expect(plan.seed == 0)
    #expect(plan.potential.model == here + "/m.txt")
    #expect(plan.output == here + "/out")
    #expect(
      plan.stages[1].ensemble
        == .nvt(temperature: .init(from: 300, to: 300), thermostat: .bussi(relaxationFs: 100)))
  }

  @Test(
    "a bad override says so by its own name",
    arguments: [
      ("timestp=1 fs", "--set timestp: unknown key 'timestp' — did you mean 'timestep'?"),
      ("timestep", "--set: 'timestep' is not key=value. Write it as: --set timestep='1 fs'"),
      (
        "stages.2.steps=5",
        "--set stages.2.steps: stages has no item '2'. Use 0 to 1, equilibrate, produce"
      ),
      (
        "timestep.fs=1",
        "--set timestep.fs: timestep is '1 fs', without keys. Set timestep as a whole"
      ),
      (
        "seed=[1",
        "--set seed: a bracket is opened and not closed rightly: did not find expected ',' or ']'. "
          + "Close it, with commas between values"
      ),
    ])
  func badOverrides(override: String, message: String) {
    #expect(Decks.errors(Decks.silicon, overrides: [override]) == [message])
  }

  @Test("differences name keys with both values, and a raised last duration is told apart")
  func differences() throws {
    let old = try Decks.read(Decks.silicon).plan
    let changed = try Decks.read(
      Decks.silicon,
      overrides: [
        "timestep=0.5 fs", "stages.0.temperature={from: 1 K, to: 300 K}", "masses={Si: 30}",
      ]
    ).plan
    #expect(
      changed.differences(from: old) == [
        "timestep: 1 fs → 0.5 fs",
        "stages.equilibrate.temperature: 300 K → {from: 1 K, to: 300 K}",
        "masses.Si: none → 30 amu",
      ])
    #expect(!changed.onlyRaisesLastDuration(of: old))
    let longer = try Decks.read(Decks.silicon, overrides: ["stages.1.duration=60 ps"]).plan
    #expect(longer.differences(from: old) == ["stages.produce.duration: 50 ps → 60 ps"])
    #expect(longer.onlyRaisesLastDuration(of: old))
    #expect(!old.onlyRaisesLastDuration(of: longer))
    #expect(!old.onlyRaisesLastDuration(of: old))
    let first = try Decks.read(Decks.silicon, overrides: ["stages.0.duration=60 ps"]).plan
    #expect(!first.onlyRaisesLastDuration(of: old))
    let both = try Decks.read(
      Decks.silicon, overrides: ["stages.1.duration=60 ps", "seed=2"]
    ).plan
    #expect(!both.onlyRaisesLastDuration(of: old))
  }

  @Test("what is allowed and looks wrong is a warning with its place")
  func warnings() throws {
    let checked = try Decks.read(
      Decks.silicon.replacingOccurrences(
        of: "pressure: 0 GPa",
        with: "pressure: 0 GPa\n    barostat: {relaxation: 400 fs}\n    trajectory: {every: 1 ns}"))
    #expect(
      checked.warnings.map(\.description) == [
        "deck.yaml:10:28: stages.equilibrate.barostat.relaxation: 400 fs is short: below 500 fs the "
          + "barostat rings with the crystal. 1 ps is the default",
        "deck.yaml:11:17: stages.equilibrate.trajectory: the stage ends before its first frame "
          + "(every 1000000 of 20000 steps). Write frames more often",
      ])
  }

  @Test("the silicon deck of inputs is read, with its structure beside it")
  func inputs() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let path = root.appending(path: "inputs/silicon-300K.yaml").path
    let checked = try DeckReader.read(path: path)
    let plan = checked.plan(cellIsOrthogonal: true)
    #expect(checked.warnings.isEmpty)
    #expect(plan.stages.map(\.steps) == [20000, 50000])
    #expect(plan.stages[1].trajectory == .init(every: 100, velocities: true, forces: false))
    #expect(plan.stages.map(\.thermoEvery) == [10, 10])
    #expect(FileManager.default.fileExists(atPath: plan.structure))
  }
}
