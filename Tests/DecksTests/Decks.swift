import Decks
import Dynamics
import Matter

/// Decks the tests start from.
enum Decks {
  /// Every line has a known number; the tables of errors rely on it.
  static let silicon = """
    structure: si.xyz
    potential: {model: nep.txt}
    timestep: 1 fs
    velocities: 300 K
    stages:
      - name: equilibrate
        ensemble: npt
        temperature: 300 K
        pressure: 0 GPa
        duration: 20 ps
      - name: produce
        ensemble: nvt
        temperature: 300 K
        cell: mean of equilibrate
        duration: 50 ps

    """

  static func read(
    _ text: String, overrides: [String] = [], output: String? = nil
  ) throws(InputErrors) -> CheckedDeck {
    try DeckReader.read(
      DeckSource(text: text, name: "deck.yaml", folder: "/decks"), overrides: overrides,
      outputOverride: output)
  }

  /// The lines of the message, or none when the deck is right.
  static func errors(_ text: String, overrides: [String] = []) -> [String] {
    do throws(InputErrors) {
      _ = try read(text, overrides: overrides)
      return []
    } catch {
      return error.errors.map(\.description)
    }
  }
}
