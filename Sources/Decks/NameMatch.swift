/// Finds the name a misspelled word was meant to be.
enum NameMatch {
  /// The known name nearest to a word, if it is near enough to be meant.
  static func nearest(_ word: String, among names: some Sequence<String>) -> String? {
    let folded = fold(word.clipped)
    var best: (name: String, distance: Int)?
    for name in names {
      let other = fold(name)
      let distance = distance(folded, other)
      if distance <= max(1, max(folded.count, other.count) / 3),
        distance < (best?.distance ?? Int.max), distance < other.count
      {
        best = (name, distance)
      }
    }
    return best?.name
  }

  private static func fold(_ word: String) -> [Character] {
    word.lowercased().filter { $0 != "-" && $0 != "_" && $0 != " " }.map { $0 }
  }

  /// Insertions, deletions, replacements and swaps of neighbors.
  private static func distance(_ a: [Character], _ b: [Character]) -> Int {
    if a.isEmpty || b.isEmpty { return max(a.count, b.count) }
    var rows = [Array(0...b.count)]
    for i in 1...a.count {
      var row = [i]
      for j in 1...b.count {
        var cost = min(
          rows[i - 1][j] + 1, row[j - 1] + 1, rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
        if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
          cost = min(cost, rows[i - 2][j - 2] + 1)
        }
        row.append(cost)
      }
      rows.append(row)
    }
    return rows[a.count][b.count]
  }
}
