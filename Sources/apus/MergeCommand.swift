import Decks
import Matter
import Scattering
import Trajectory

/// `apus merge`: parts of a sharded calculation as one.
enum MergeCommand: Command {
  static let name = "merge"
  static let grammar = Arguments.Grammar(operands: ["OUT.nc", "PART.nc"], repeated: true)
  static let help = """
    apus merge OUT.nc PART.nc...: puts the parts of `apus scatter --shard I/N` together, in any order.
    The merged file equals the one that a single calculation writes.

    Example:
      apus merge silicon.nc part-1.nc part-2.nc part-3.nc part-4.nc
    """

  /// The texts that parts have in common.
  private static let shared = ["title", "program", "deck", "sources", "sources_sha256"]

  static func run(_ arguments: Arguments) throws -> ExitStatus {
    let output = arguments.operands[0]
    let paths = Array(arguments.operands.dropFirst())
    try OutputFile.check(output, inputs: paths)
    let parts = try paths.map { (name: $0, part: try ScatterResultFile.read($0)) }
    let first = parts[0].part
    for (name, part) in parts {
      for key in shared where part[key] != first[key] {
        throw InputError(
          "is not of the same calculation as \(paths[0]): its \(key) differs",
          remedy: "Give parts of one deck, the same sources and one version", file: name)
      }
    }
    let table = try ScatterTable.merged(parts.map { (name: $0.name, table: $0.part.table) })
    let deck = try ScatterDeck.read(
      DeckSource(text: first["deck"] ?? "", name: paths[0] + " (attribute deck)"))
    let derived = try DerivedScattering(table, plan: deck.plan)
    do {
      try ScatterResultFile.write(
        table, derived: derived, attributes: shared.map { ($0, first[$0] ?? "") }, to: output)
    } catch {
      Console.message("apus: \(error)")
      return .failed
    }
    if !arguments.flags.contains("--quiet") { Console.message("apus: written: \(output)") }
    return .done
  }
}
