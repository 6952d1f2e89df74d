/// A YAML value with the place where it begins.
package struct Node: Sendable, Equatable {
  /// A key of a mapping with its value.
  package struct Entry: Sendable, Equatable {
    package var key: String
    package var mark: Mark
    package var value: Node
  }
  package enum Content: Sendable, Equatable {
    case scalar(String)
    case sequence([Node])
    case mapping([Entry])
  }

  package var content: Content
  package var mark: Mark

  package init(_ content: Content, at mark: Mark) {
    self.content = content
    self.mark = mark
  }

  package var scalar: String? {
    if case .scalar(let text) = content { text } else { nil }
  }

  package var entries: [Entry]? {
    if case .mapping(let entries) = content { entries } else { nil }
  }

  /// The value of a key, for mappings.
  package subscript(key: String) -> Node? { entries?.first { $0.key == key }?.value }

  /// What a message calls it: `'300'`, `a list`, `a mapping`, `nothing`.
  var found: String {
    switch content {
    case .scalar(""): "nothing"
    case .scalar(let text): "'\(text.clipped)'"
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }

  /// The same values, all standing at another place.
  func moved(to mark: Mark) -> Node {
    switch content {
    case .scalar: Node(content, at: mark)
    case .sequence(let nodes): Node(.sequence(nodes.map { $0.moved(to: mark) }), at: mark)
    case .mapping(let entries):
      Node(
        .mapping(
          entries.map { Entry(key: $0.key, mark: mark, value: $0.value.moved(to: mark)) }),
        at: mark)
    }
  }
}

extension String {
  /// Short enough for a one-line message, without control characters.
  var clipped: String {
    let line = String(
      String.UnicodeScalarView(
        unicodeScalars.prefix(61).map { $0.value < 32 || $0.value == 127 ? " " : $0 }))
    return line.unicodeScalars.count > 60 ? line.prefix(57) + "..." : line
  }
}
