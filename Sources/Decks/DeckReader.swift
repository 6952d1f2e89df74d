import Dynamics
import Matter

/// Reads run decks.
package enum DeckReader {
  /// The checked plan of a deck file.
  /// - Parameters:
  ///   - overrides: `key.path=value` texts of `--set`, applied before validation
  ///   - outputOverride: the run directory instead of the deck's, from the working directory
  /// - Throws: all that is wrong, in the order of the file.
  package static func read(
    path: String, overrides: [String] = [], outputOverride: String? = nil
  ) throws(InputErrors) -> CheckedDeck {
    try read(
      DeckSource(path: path), overrides: overrides, outputOverride: outputOverride)
  }

  /// The checked plan of a deck's text.
  package static func read(
    _ source: DeckSource, overrides: [String] = [], outputOverride: String? = nil
  ) throws(InputErrors) -> CheckedDeck {
    let problems = Problems()
    var root = try source.tree(problems)
    for text in overrides {
      do throws(InputError) {
        try Override(text).apply(to: &root)
      } catch {
        problems.errors.append(error)
      }
    }
    let validator = DeckValidator(
      problems: problems, source: source, outputOverride: outputOverride)
    let result = validator.deck(root)
    guard problems.errors.isEmpty, let result else {
      throw InputErrors(problems.sorted(problems.errors))
    }
    return CheckedDeck(
      plan: result.plan, warnings: problems.sorted(problems.warnings),
      stagesOfDefaultCoupling: result.stagesOfDefaultCoupling, analysis: result.analysis,
      scatter: result.scatter)
  }
}
