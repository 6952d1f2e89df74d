/// The nearest known word to a misspelt one.
enum Spelling {
  /// The word within an edit distance of 2 (3 for long words), or nil.
  static func nearest(_ word: String, among known: [String]) -> String? {
    let limit = word.count > 8 ? 3 : 2
    let best = known.map { (distance(word, $0), $0) }.min { ($0.0, $0.1) < ($1.0, $1.1) }
    guard let best, best.0 <= limit else { return nil }
    return best.1
  }

  private static func distance(_ a: String, _ b: String) -> Int {
    let b = Array(b)
    var row = Array(0...b.count)
    for (i, x) in a.enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for j in b.indices {
        let next = min(row[j + 1] + 1, row[j] + 1, diagonal + (x == b[j] ? 0 : 1))
        diagonal = row[j + 1]
        row[j + 1] = next
      }
    }
    return row[b.count]
  }
}
