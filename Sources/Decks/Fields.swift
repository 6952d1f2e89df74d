/// The keys of one mapping of a deck, checked to be known.
struct Fields {
  /// The mapping's name in messages: empty for the deck, else like `stages.equilibrate`.
  let path: String
  let mark: Mark
  /// Keys that a misspelled key was meant to be; they are not missing as well.
  var meant: Set<String> = []
  private let values: [String: Node.Entry]

  init(path: String, mark: Mark, entries: [Node.Entry]) {
    self.path = path
    self.mark = mark
    values = Dictionary(entries.map { ($0.key, $0) }, uniquingKeysWith: { first, _ in first })
  }

  subscript(key: String) -> Node? { values[key]?.value }

  func keyMark(_ key: String) -> Mark { values[key]?.mark ?? mark }

  func name(_ key: String) -> String { path.isEmpty ? key : path + "." + key }
}
