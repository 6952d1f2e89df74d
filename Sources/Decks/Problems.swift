import Matter

/// Collects what is wrong with a deck while it is read to the end.
final class Problems {
  var errors: [InputError] = []
  var warnings: [InputError] = []

  /// In the order of the file, those of the command line last.
  func sorted(_ list: [InputError]) -> [InputError] {
    list.enumerated().sorted { a, b in
      let left = (a.element.line ?? .max, a.element.column ?? .max, a.offset)
      let right = (b.element.line ?? .max, b.element.column ?? .max, b.offset)
      return left < right
    }.map(\.element)
  }
}
