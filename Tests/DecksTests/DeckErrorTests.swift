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
    Slip("structure: si.xyz", "", "?"),
    Slip("structure: si.xyz", "structure:", "?"),
    Slip("structure: si.xyz", "structure: [a]", "?"),
    Slip("structure: si.xyz", "structure: si.xyz\nsupercell: [2, 2]", "?"),
    Slip("structure: si.xyz", "structure: si.xyz\nsupercell: [2, 0, 2]", "?"),
    Slip("structure: si.xyz", "structure: si.xyz\nsupercell: [[1, 0, 0], [0, 1, 0], [1, 1, 0]]", "?"),
    Slip("structure: si.xyz", "structure: si.xyz\nsupercell: [[0, 1, 0], [1, 0, 0], [0, 0, 1]]", "?"),
    Slip("structure: si.xyz", "structure: si.xyz\nsupercell: 2", "?"),
    Slip("structure: si.xyz", "structure: si.xyz\nmasses: {D: 2.014}", "?"),
    Slip("structure: si.xyz", "structure: si.xyz\nmasses: {si: 28}", "?"),
    Slip("structure: si.xyz", "structure: si.xyz\nmasses: {Si: 2800}", "?"),
    Slip("structure: si.xyz", "structure: si.xyz\nseed: -1", "?"),
    Slip("structure: si.xyz", "structure: si.xyz\nseed: 18446744073709551616", "?"),
    Slip("structure: si.xyz", "structure: si.xyz\nseed: 1e3", "?"),
    Slip("structure: si.xyz", "structure: si.xyz\nstructure: ge.xyz", "?"),
    Slip("structure: si.xyz", "structure: si.xyz\nanalysis: {msd: {}}", "?"),
    Slip("structure: si.xyz", "structure: si.xyz\ncheckpoint: {every: 10}", "?"),
    Slip("structure: si.xyz", "structure: si.xyz\ncheckpoint: {every: 10 ps}", "?"),
    Slip("structure: si.xyz", "structure: si.xyz\ntemperature: 300 K", "?"),
    Slip("structure: si.xyz", "structure: si.xyz\nfrobnicate: 1", "?"),
    Slip("potential: {model: nep.txt}", "potential: nep.txt", "?"),
    Slip("potential: {model: nep.txt}", "potential: {}", "?"),
    Slip("potential: {model: nep.txt}", "potential: {ipi: \"unix:x\"}", "?"),
    Slip("potential: {model: nep.txt}", "potential: {model: nep.txt, precision: single}", "?"),
    Slip("timestep: 1 fs", "dt: 1 fs", "?"),
    Slip("timestep: 1 fs", "timestep: 1", "?"),
    Slip("timestep: 1 fs", "timestep: 0.001 fs", "?"),
    Slip("timestep: 1 fs", "timestep: 20 fs", "?"),
    Slip("timestep: 1 fs", "timestep: 1e999 fs", "?"),
    Slip("timestep: 1 fs", "timestep: 1e-400 fs", "?"),
    Slip("timestep: 1 fs", "timestep: nan", "?"),
    Slip("timestep: 1 fs", "timestep: 1_0 fs", "?"),
    Slip("timestep: 1 fs", "timestep: 1 FS", "?"),
    Slip("timestep: 1 fs", "timestep: 1 GPa", "?"),
    Slip("velocities: 300 K", "velocities: from file", "?"),
    Slip("velocities: 300 K", "", "?"),
    Slip("temperature: 300 K", "temprature: 300 K", "?"),
    Slip("temperature: 300 K", "temperature: three hundred", "?"),
    Slip("temperature: 300 K", "temperature: 27 C", "?"),
    Slip("temperature: 300 K", "temperature: 0 K", "?"),
    Slip("temperature: 300 K", "temperature: 1e9 K", "?"),
    Slip("temperature: 300 K", "temperature: {from: 100 K}", "?"),
    Slip("temperature: 300 K", "temperature: {from: 100 K, to: 300}", "?"),
    Slip("temperature: 300 K", "temperature: 300 K\n    taut: 100 fs", "?"),
    Slip("temperature: 300 K", "temperature: 300 K\n    tau: 100 fs", "?"),
    Slip("temperature: 300 K", "temperature: 300 K\n    thermostat: {kind: nose_hoover}", "?"),
    Slip("temperature: 300 K", "temperature: 300 K\n    thermostat: {kind: csvr}", "?"),
    Slip("temperature: 300 K", "temperature: 300 K\n    thermostat: {kind: bussi, chain: 3}", "?"),
    Slip("temperature: 300 K", "temperature: 300 K\n    thermostat: {tdamp: 100 fs}", "?"),
    Slip("temperature: 300 K", "temperature: 300 K\n    thermostat: {relaxation: 9 fs}", "?"),
    Slip("temperature: 300 K", "temperature: 300 K\n    barostat: {coupling: aniso}", "?"),
    Slip("temperature: 300 K", "temperature: 300 K\n    barostat: {coupling: tri}", "?"),
    Slip("temperature: 300 K", "temperature: 300 K\n    barostat: {pdamp: 1 ps}", "?"),
    Slip("temperature: 300 K", "temperature: 300 K\n    barostat: {relaxation: 99 fs}", "?"),
    Slip("temperature: 300 K", "temperature: 300 K\n    barostat: {compressibility: 0.1 1/GPa}", "?"),
    Slip("temperature: 300 K", "temperature: 300 K\n    barostat: {kind: berendsen}", "?"),
    Slip("pressure: 0 GPa", "pressure: 1.5", "?"),
    Slip("pressure: 0 GPa", "pressure: 1e6 GPa", "?"),
    Slip("pressure: 0 GPa", "pressure: 1 Gpa", "?"),
    Slip("pressure: 0 GPa", "pressure: [0 GPa, 0 GPa, 0 GPa, 0 GPa]", "?"),
    Slip("pressure: 0 GPa", "pressure: [0 GPa, 0 GPa, 0 GPa, 1 GPa, 0 GPa, 0 GPa]", "?"),
    Slip("pressure: 0 GPa", "", "?"),
    Slip("duration: 20 ps", "duration: 20.0005 ps", "?"),
    Slip("duration: 20 ps", "duration: 20", "?"),
    Slip("duration: 20 ps", "duration: 0 ps", "?"),
    Slip("duration: 20 ps", "steps: -1", "?"),
    Slip("duration: 20 ps", "steps: 2e4", "?"),
    Slip("duration: 20 ps", "steps: 99999999999999999999", "?"),
    Slip("duration: 20 ps", "steps: 20000\n    duration: 20 ps", "?"),
    Slip("duration: 20 ps", "", "?"),
    Slip("duration: 20 ps", "duration: 20 ps\n    trajectory: {every: 10}", "?"),
    Slip("duration: 20 ps", "duration: 20 ps\n    trajectory: {every: 0.5 fs}", "?"),
    Slip("duration: 20 ps", "duration: 20 ps\n    trajectory: {every: 10 fs, velocities: yes}", "?"),
    Slip("duration: 20 ps", "duration: 20 ps\n    trajectory: {velocities: true}", "?"),
    Slip("duration: 20 ps", "duration: 20 ps\n    scatter: {every: 10 fs}", "?"),
    Slip("duration: 20 ps", "duration: 20 ps\n    thermo: 10 fs", "?"),
    Slip("ensemble: nvt", "ensemble: nve", "?"),
    Slip("ensemble: nvt", "ensemble: nvt_nhc", "?"),
    Slip("ensemble: nvt", "ensemble: nph", "?"),
    Slip("ensemble: nvt", "ensemble: minimize", "?"),
    Slip("name: produce", "name: Equilibrate", "?"),
    Slip("name: produce", "name: ../produce", "?"),
    Slip("name: produce", "name: analysis", "?"),
    Slip("name: produce", "nmae: produce", "?"),
    Slip("cell: mean of equilibrate", "cell: mean of equilibrat", "?"),
    Slip("cell: mean of equilibrate", "cell: mean of produce", "?"),
    Slip("cell: mean of equilibrate", "cell: mean of equilibrate after 20 ps", "?"),
    Slip("cell: mean of equilibrate", "cell: average", "?"),
  ]

  @Test("one slip gives one located line that says how to mend it", arguments: slips)
  func slip(_ slip: Slip) {
    print("@@", Decks.errors(replacingFirst(slip.old, by: slip.new)).joined(separator: "\n").debugDescription, "@@", slip.old.debugDescription, "@@", slip.new.debugDescription)
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
