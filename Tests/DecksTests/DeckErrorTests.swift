import Decks
import Matter
import Testing

@Suite("Errors of decks") struct DeckErrorTests {
  /// One replacement in the silicon deck and the whole message it gives.
  struct Slip: CustomTestStringConvertible, Sendable {
    var old, new: String
    var message: String
    init(_ old: String, _ new: String, _ message: String) {
      (self.old, self.new, self.message) = (old, new, message)
    }
    var testDescription: String { "\(old) becomes \(new)".debugDescription }
  }

  static let slips: [Slip] = [
    Slip(
      "structure: si.xyz", "",
      "deck.yaml:2:1: structure is missing. Add `structure: crystal.xyz`"),
    Slip(
      "structure: si.xyz", "structure:",
      "deck.yaml:1:11: structure: expected text, found nothing. Write a value "
        + "after the colon"),
    Slip(
      "structure: si.xyz", "structure: [a]",
      "deck.yaml:1:12: structure: expected text, found a list. Write a value "
        + "after the colon"),
    Slip(
      "structure: si.xyz", "structure: si.xyz\nsupercell: [2, 2]",
      "deck.yaml:2:12: supercell: expected three items, found 2 items. Write "
        + "three multiples, [2, 2, 4], or a 3x3 matrix of integers"),
    Slip(
      "structure: si.xyz", "structure: si.xyz\nsupercell: [2, 0, 2]",
      "deck.yaml:2:16: supercell: 0 is out of range. Use an integer from 1 to "
        + "10000"),
    Slip(
      "structure: si.xyz", "structure: si.xyz\nsupercell: [[1, 0, 0], [0, 1, 0], [1, 1, 0]]",
      "deck.yaml:2:12: supercell: the rows span no volume. Make the three "
        + "rows independent"),
    Slip(
      "structure: si.xyz", "structure: si.xyz\nsupercell: [[0, 1, 0], [1, 0, 0], [0, 0, 1]]",
      "deck.yaml:2:12: supercell: the matrix makes the cell left-handed "
        + "(determinant -1). Swap two rows"),
    Slip(
      "structure: si.xyz", "structure: si.xyz\nsupercell: 2",
      "deck.yaml:2:12: supercell: expected three items, found '2'. Write "
        + "three multiples, [2, 2, 4], or a 3x3 matrix of integers"),
    Slip(
      "structure: si.xyz", "structure: si.xyz\nmasses: {D: 2.014}",
      "deck.yaml:2:10: masses: 'D' is not an element. Write {H: 2.014} for "
        + "deuterium"),
    Slip(
      "structure: si.xyz", "structure: si.xyz\nmasses: {si: 28}",
      "deck.yaml:2:10: masses: 'si' is not an element. Write chemical "
        + "symbols, such as masses: {H: 2.014}"),
    Slip(
      "structure: si.xyz", "structure: si.xyz\nmasses: {Si: 2800}",
      "deck.yaml:2:14: masses.Si: 2800 amu is outside 0.1 to 500 amu. The "
        + "natural mass is 28.085 amu"),
    Slip(
      "structure: si.xyz", "structure: si.xyz\nseed: -1",
      "deck.yaml:2:7: seed: expected an integer from 0 to "
        + "18446744073709551615, found '-1'. Write seed: 1"),
    Slip(
      "structure: si.xyz", "structure: si.xyz\nseed: 18446744073709551616",
      "deck.yaml:2:7: seed: expected an integer from 0 to "
        + "18446744073709551615, found '18446744073709551616'. Write seed: 1"),
    Slip(
      "structure: si.xyz", "structure: si.xyz\nseed: 1e3",
      "deck.yaml:2:7: seed: expected an integer from 0 to "
        + "18446744073709551615, found '1e3'. Write seed: 1"),
    Slip(
      "structure: si.xyz", "structure: si.xyz\nstructure: ge.xyz",
      "deck.yaml:2:1: duplicate key 'structure', first on line 1. Keep one of "
        + "them"),
    Slip(
      "structure: si.xyz", "structure: si.xyz\nscatter: {every: 10 fs}",
      "deck.yaml:2:1: unknown key 'scatter' here: it belongs in a stage. Keys here: title, "
        + "structure, supercell, masses, potential, timestep, seed, velocities, output, stages, "
        + "checkpoint, analysis"),
    Slip(
      "structure: si.xyz", "structure: si.xyz\ncheckpoint: {every: 10}",
      "deck.yaml:2:21: checkpoint.every: 10 has no unit. Write it with one of "
        + "s, min, h, d: 10 s"),
    Slip(
      "structure: si.xyz", "structure: si.xyz\ncheckpoint: {every: 10 ps}",
      "deck.yaml:2:21: checkpoint.every: 'ps' is not a unit of wall-clock "
        + "time, but of time. Write it with one of s, min, h, d, such as 10 min"),
    Slip(
      "structure: si.xyz", "structure: si.xyz\ntemperature: 300 K",
      "deck.yaml:2:1: unknown key 'temperature' here: it belongs in a stage. "
        + "Keys here: title, structure, supercell, masses, potential, timestep, "
        + "seed, velocities, output, stages, checkpoint, analysis"),
    Slip(
      "structure: si.xyz", "structure: si.xyz\nfrobnicate: 1",
      "deck.yaml:2:1: unknown key 'frobnicate'. Keys here: title, structure, "
        + "supercell, masses, potential, timestep, seed, velocities, output, "
        + "stages, checkpoint, analysis"),
    Slip(
      "potential: {model: nep.txt}", "potential: nep.txt",
      "deck.yaml:2:12: potential: expected a mapping, found 'nep.txt'. Write "
        + "potential: {model: nep.txt}"),
    Slip(
      "potential: {model: nep.txt}", "potential: {}",
      "deck.yaml:2:12: potential.model is missing. Add `potential: {model: "
        + "nep.txt}`"),
    Slip(
      "potential: {model: nep.txt}", "potential: {ipi: \"unix:x\"}",
      "deck.yaml:2:13: potential.ipi: not in this version of Apus yet. Remove "
        + "the key"),
    Slip(
      "potential: {model: nep.txt}", "potential: {model: nep.txt, precision: single}",
      "deck.yaml:2:40: potential.precision: unknown word 'single'. Use one of "
        + "mixed, double"),
    Slip(
      "timestep: 1 fs", "dt: 1 fs",
      "deck.yaml:3:1: unknown key 'dt' — did you mean 'timestep'?"),
    Slip(
      "timestep: 1 fs", "timestep: 1",
      "deck.yaml:3:11: timestep: 1 has no unit. Write it with one of fs, ps, "
        + "ns, us: 1 fs"),
    Slip(
      "timestep: 1 fs", "timestep: 0.001 fs",
      "deck.yaml:3:11: timestep: 0.001 fs is outside 0.05 fs to 10 fs. Was 1 "
        + "fs meant, with the number in ps?"),
    Slip(
      "timestep: 1 fs", "timestep: 20 fs",
      "deck.yaml:3:11: timestep: 20 fs is outside 0.05 fs to 10 fs. Give the "
        + "time between two steps, such as 1 fs"),
    Slip(
      "timestep: 1 fs", "timestep: 1e999 fs",
      "deck.yaml:3:11: timestep: 1e999 is too large. Write a smaller number"),
    Slip(
      "timestep: 1 fs", "timestep: 1e-400 fs",
      "deck.yaml:3:11: timestep: 1e-400 is too small. Write a larger number, "
        + "or 0"),
    Slip(
      "timestep: 1 fs", "timestep: nan",
      "deck.yaml:3:11: timestep: 'nan' is not a number with a unit. Write a "
        + "number and one of fs, ps, ns, us, such as 200 ps"),
    Slip(
      "timestep: 1 fs", "timestep: 1_0 fs",
      "deck.yaml:3:11: timestep: '1_0 fs' is not a number. Write digits "
        + "without separators"),
    Slip(
      "timestep: 1 fs", "timestep: 1 FS",
      "deck.yaml:3:11: timestep: 'FS' is not a unit of time. Did you mean 1 "
        + "fs?"),
    Slip(
      "timestep: 1 fs", "timestep: 1 GPa",
      "deck.yaml:3:11: timestep: 'GPa' is not a unit of time, but of "
        + "pressure. Write it with one of fs, ps, ns, us, such as 200 ps"),
    Slip(
      "velocities: 300 K", "velocities: from file",
      "deck.yaml:4:13: velocities: expected a temperature or `from "
        + "structure`, found 'from file'. Write velocities: 300 K"),
    Slip(
      "velocities: 300 K", "",
      "deck.yaml:1:1: velocities is missing. Add `velocities: 300 K`"),
    Slip(
      "temperature: 300 K", "temprature: 300 K",
      "deck.yaml:8:5: unknown key 'temprature' — did you mean 'temperature'?"),
    Slip(
      "temperature: 300 K", "temperature: three hundred",
      "deck.yaml:8:18: stages.equilibrate.temperature: 'three hundred' is not "
        + "a number with a unit. Write a number and the unit K, such as 300 K"),
    Slip(
      "temperature: 300 K", "temperature: 27 C",
      "deck.yaml:8:18: stages.equilibrate.temperature: 27 C is not in K. "
        + "Write it in kelvin: 300.15 K"),
    Slip(
      "temperature: 300 K", "temperature: 0 K",
      "deck.yaml:8:18: stages.equilibrate.temperature: 0 K is not above 0 K "
        + "to 100000 K. Temperatures are in kelvin, such as 300 K"),
    Slip(
      "temperature: 300 K", "temperature: 1e9 K",
      "deck.yaml:8:18: stages.equilibrate.temperature: 1000000000 K is not "
        + "above 0 K to 100000 K. Temperatures are in kelvin, such as 300 K"),
    Slip(
      "temperature: 300 K", "temperature: {from: 100 K}",
      "deck.yaml:8:18: stages.equilibrate.temperature.to is missing. Add "
        + "`{from: ..., to: ...}`"),
    Slip(
      "temperature: 300 K", "temperature: {from: 100 K, to: 300}",
      "deck.yaml:8:36: stages.equilibrate.temperature.to: 300 has no unit. "
        + "Write it with the unit K: 300 K"),
    Slip(
      "temperature: 300 K", "temperature: 300 K\n    taut: 100 fs",
      "deck.yaml:9:5: unknown key 'taut' — did you mean 'thermostat: "
        + "{relaxation}'?"),
    Slip(
      "temperature: 300 K", "temperature: 300 K\n    tau: 100 fs",
      "deck.yaml:9:5: unknown key 'tau' — did you mean 'thermostat: "
        + "{relaxation}'?"),
    Slip(
      "temperature: 300 K", "temperature: 300 K\n    thermostat: {kind: nose_hoover}",
      "deck.yaml:9:24: stages.equilibrate.thermostat.kind: unknown word "
        + "'nose_hoover' — did you mean 'nose-hoover'?"),
    Slip(
      "temperature: 300 K", "temperature: 300 K\n    thermostat: {kind: csvr}",
      "deck.yaml:9:24: stages.equilibrate.thermostat.kind: unknown word "
        + "'csvr' — did you mean 'bussi'?"),
    Slip(
      "temperature: 300 K", "temperature: 300 K\n    thermostat: {kind: bussi, chain: 3}",
      "deck.yaml:9:31: stages.equilibrate.thermostat.chain: means nothing for "
        + "kind bussi. Remove the key"),
    Slip(
      "temperature: 300 K", "temperature: 300 K\n    thermostat: {tdamp: 100 fs}",
      "deck.yaml:9:18: unknown key 'tdamp' — did you mean 'relaxation'?"),
    Slip(
      "temperature: 300 K", "temperature: 300 K\n    thermostat: {relaxation: 9 fs}",
      "deck.yaml:9:30: stages.equilibrate.thermostat.relaxation: 9 fs is "
        + "below 10 time steps of 1 fs. Use at least 10 fs"),
    Slip(
      "temperature: 300 K", "temperature: 300 K\n    barostat: {coupling: aniso}",
      "deck.yaml:9:26: stages.equilibrate.barostat.coupling: unknown word "
        + "'aniso' — did you mean 'orthorhombic'?"),
    Slip(
      "temperature: 300 K", "temperature: 300 K\n    barostat: {coupling: tri}",
      "deck.yaml:9:26: stages.equilibrate.barostat.coupling: unknown word "
        + "'tri' — did you mean 'triclinic'?"),
    Slip(
      "temperature: 300 K", "temperature: 300 K\n    barostat: {pdamp: 1 ps}",
      "deck.yaml:9:16: unknown key 'pdamp' — did you mean 'relaxation'?"),
    Slip(
      "temperature: 300 K", "temperature: 300 K\n    barostat: {relaxation: 99 fs}",
      "deck.yaml:9:28: stages.equilibrate.barostat.relaxation: 99 fs is below "
        + "100 time steps of 1 fs. Use at least 100 fs"),
    Slip(
      "temperature: 300 K", "temperature: 300 K\n    barostat: {compressibility: 0.1 1/GPa}",
      "deck.yaml:9:16: stages.equilibrate.barostat.compressibility: means "
        + "nothing for kind mtk. Remove the key"),
    Slip(
      "temperature: 300 K", "temperature: 300 K\n    barostat: {kind: berendsen}",
      "deck.yaml:9:22: stages.equilibrate.barostat.kind: unknown word "
        + "'berendsen' — did you mean 'stochastic-cell-rescaling'?"),
    Slip(
      "pressure: 0 GPa", "pressure: 1.5",
      "deck.yaml:9:15: stages.equilibrate.pressure: 1.5 has no unit. Write it "
        + "with one of GPa, MPa, bar, kbar, atm, eV/A^3: 1.5 GPa"),
    Slip(
      "pressure: 0 GPa", "pressure: 1e6 GPa",
      "deck.yaml:9:15: stages.equilibrate.pressure: 1000000 GPa is not below "
        + "1000000 GPa in size. Check the unit: 1 bar is 0.0001 GPa"),
    Slip(
      "pressure: 0 GPa", "pressure: 1 Gpa",
      "deck.yaml:9:15: stages.equilibrate.pressure: 'Gpa' is not a unit of "
        + "pressure. Did you mean 1 GPa?"),
    Slip(
      "pressure: 0 GPa", "pressure: [0 GPa, 0 GPa, 0 GPa, 0 GPa]",
      "deck.yaml:9:15: stages.equilibrate.pressure: expected one pressure or "
        + "six components, found 4. Write [xx, yy, zz, yz, xz, xy], each with its "
        + "unit"),
    Slip(
      "pressure: 0 GPa", "pressure: [0 GPa, 0 GPa, 0 GPa, 1 GPa, 0 GPa, 0 GPa]",
      "deck.yaml:9:15: stages.equilibrate.pressure: shear components need a "
        + "cell that can shear. Add `barostat: {coupling: triclinic}`"),
    Slip(
      "pressure: 0 GPa", "",
      "deck.yaml:6:5: stages.equilibrate.pressure is missing. Add `pressure: "
        + "0 GPa`"),
    Slip(
      "duration: 20 ps", "duration: 20.0005 ps",
      "deck.yaml:10:15: stages.equilibrate.duration: 20.0005 ps is not a "
        + "whole number of time steps of 1 fs. The nearest is 20.001 ps"),
    Slip(
      "duration: 20 ps", "duration: 20",
      "deck.yaml:10:15: stages.equilibrate.duration: 20 has no unit. Write it "
        + "with one of fs, ps, ns, us: 20 fs"),
    Slip(
      "duration: 20 ps", "duration: 0 ps",
      "deck.yaml:10:15: stages.equilibrate.duration: 0 fs is out of range. "
        + "Use at least one time step, 1 fs"),
    Slip(
      "duration: 20 ps", "steps: -1",
      "deck.yaml:10:12: stages.equilibrate.steps: -1 is out of range. Use an "
        + "integer from 1 to 9007199254740992"),
    Slip(
      "duration: 20 ps", "steps: 2e4",
      "deck.yaml:10:12: stages.equilibrate.steps: expected an integer, found "
        + "'2e4'. Write 20000"),
    Slip(
      "duration: 20 ps", "steps: 99999999999999999999",
      "deck.yaml:10:12: stages.equilibrate.steps: expected an integer, found "
        + "'99999999999999999999'. Write digits only"),
    Slip(
      "duration: 20 ps", "steps: 20000\n    duration: 20 ps",
      "deck.yaml:10:5: stages.equilibrate: duration and steps are both given. "
        + "Keep one of them"),
    Slip(
      "duration: 20 ps", "",
      "deck.yaml:6:5: stages.equilibrate: duration is missing. Add `duration: "
        + "200 ps` or `steps: 200000`"),
    Slip(
      "duration: 20 ps", "duration: 20 ps\n    trajectory: {every: 10}",
      "deck.yaml:11:25: stages.equilibrate.trajectory.every: 10 has no unit. "
        + "Write it with one of fs, ps, ns, us, steps: 10 steps"),
    Slip(
      "duration: 20 ps", "duration: 20 ps\n    trajectory: {every: 0.5 fs}",
      "deck.yaml:11:25: stages.equilibrate.trajectory.every: 0.5 fs is not a "
        + "whole number of time steps of 1 fs. The nearest is 1 fs"),
    Slip(
      "duration: 20 ps", "duration: 20 ps\n    trajectory: {every: 10 fs, velocities: yes}",
      "deck.yaml:11:44: stages.equilibrate.trajectory.velocities: expected "
        + "true or false, found 'yes'. Write true or false"),
    Slip(
      "duration: 20 ps", "duration: 20 ps\n    trajectory: {velocities: true}",
      "deck.yaml:11:17: stages.equilibrate.trajectory.every is missing. Add "
        + "`trajectory: {every: 10 fs}`"),
    Slip(
      "duration: 20 ps", "duration: 20 ps\n    scatter: {every: 10 fs}",
      "deck.yaml:11:14: stages.equilibrate.scatter.q is missing. Add "
        + "`q: {sphere: {max: 10 1/A, count: 500}}`"),
    Slip(
      "duration: 20 ps", "duration: 20 ps\n    thermo: 10 fs",
      "deck.yaml:11:13: stages.equilibrate.thermo: expected a mapping, found "
        + "'10 fs'. Write thermo: {every: 100 steps}"),
    Slip(
      "ensemble: nvt", "ensemble: nve",
      "deck.yaml:13:5: stages.produce.temperature: means nothing in ensemble "
        + "nve. Remove the key"),
    Slip(
      "ensemble: nvt", "ensemble: nvt_nhc",
      "deck.yaml:12:15: stages.produce.ensemble: unknown word 'nvt_nhc' — did "
        + "you mean 'nvt'?"),
    Slip(
      "ensemble: nvt", "ensemble: nph",
      "deck.yaml:12:15: stages.produce.ensemble: unknown word 'nph' — did you "
        + "mean 'npt'?"),
    Slip(
      "ensemble: nvt", "ensemble: minimize",
      "deck.yaml:13:5: stages.produce.temperature: means nothing in ensemble "
        + "minimize. Remove the key\ndeck.yaml:14:11: stages.produce.cell: unknown "
        + "word 'mean of equilibrate'. Use one of fixed, isotropic, orthorhombic, "
        + "triclinic\ndeck.yaml:15:5: stages.produce.duration: means nothing in "
        + "ensemble minimize. Remove the key"),
    Slip(
      "name: produce", "name: Equilibrate",
      "deck.yaml:11:11: stage name 'Equilibrate' is used twice. Give every "
        + "stage its own name"),
    Slip(
      "name: produce", "name: ../produce",
      "deck.yaml:11:11: stage name '../produce' cannot name a folder. Use at "
        + "most 100 letters, digits, - and _, not digits alone"),
    Slip(
      "name: produce", "name: analysis",
      "deck.yaml:11:11: stage name 'analysis' is taken by Apus. Use another "
        + "name"),
    Slip(
      "name: produce", "nmae: produce",
      "deck.yaml:11:5: unknown key 'nmae' — did you mean 'name'?"),
    Slip(
      "cell: mean of equilibrate", "cell: mean of equilibrat",
      "deck.yaml:14:11: stages.produce.cell: 'equilibrat' is not an earlier "
        + "stage. Did you mean 'equilibrate'?"),
    Slip(
      "cell: mean of equilibrate", "cell: mean of produce",
      "deck.yaml:14:11: stages.produce.cell: 'produce' is not an earlier "
        + "stage. Earlier npt stages: equilibrate"),
    Slip(
      "cell: mean of equilibrate", "cell: mean of equilibrate after 20 ps",
      "deck.yaml:14:11: stages.produce.cell: nothing of stage 'equilibrate' "
        + "is left after 20 ps. It lasts 20 ps"),
    Slip(
      "cell: mean of equilibrate", "cell: average",
      "deck.yaml:14:11: stages.produce.cell: expected `last` or `mean of "
        + "STAGE`, found 'average'. Write cell: mean of equilibrate, or cell: "
        + "mean of equilibrate after 50 ps"),
  ]

  @Test("one slip gives one located line that says how to mend it", arguments: slips)
  func slip(_ slip: Slip) {
    print(
      "@@",
      Decks.errors(replacingFirst(slip.old, by: slip.new)).joined(separator: "\n").debugDescription,
      "@@", slip.old.debugDescription, "@@", slip.new.debugDescription)
    #expect(Decks.silicon.contains(slip.old))
    let deck = replacingFirst(slip.old, by: slip.new)
    #expect(Decks.errors(deck) == slip.message.split(separator: "\n").map(String.init))
  }

  private func replacingFirst(_ old: String, by new: String) -> String {
    guard let range = Decks.silicon.firstRange(of: old) else { return "" }
    return Decks.silicon.replacingCharacters(range, by: new)
  }
}

extension String {
  func replacingCharacters(_ range: Range<String.Index>, by new: String) -> String {
    self[..<range.lowerBound] + new + self[range.upperBound...]
  }
}
