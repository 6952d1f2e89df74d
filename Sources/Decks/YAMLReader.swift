import CYAML
import Matter

/// Builds a located tree from the events of libyaml. Anchors, aliases, tags and further documents
/// are refused: a deck needs none, and an alias can grow without bound.
struct YAMLReader {
  private static let depthLimit = 20

  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let name: String
  private let text: String
  private(set) var errors: [InputError] = []

  /// The tree of a text, and the errors beside it that leave the rest readable (duplicate keys).
  static func tree(_ text: String, name: String) throws(InputError) -> (Node, [InputError]) {
    var bytes = Array(text.utf8)
    if bytes.isEmpty { bytes = [10] }
    let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    defer { parser.deallocate() }
    guard yaml_parser_initialize(parser) == 1 else {
      throw InputError("no memory for reading", file: name)
    }
    defer { yaml_parser_delete(parser) }
    let input = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
    defer { input.deallocate() }
    input.initialize(from: bytes, count: bytes.count)
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    yaml_parser_set_input_string(parser, input, bytes.count)
    var reader = YAMLReader(parser: parser, name: name, text: text)
    let root = try reader.document()
    return (root, reader.errors)
  }

  private init(parser: UnsafeMutablePointer<yaml_parser_t>, name: String, text: String) {
    self.parser = parser
    self.name = name
    self.text = text
  }

  private mutating func document() throws(InputError) -> Node {
    var root: Node?
    while true {
      var event = try next()
      defer { yaml_event_delete(&event) }
      switch event.type {
      case YAML_STREAM_START_EVENT, YAML_DOCUMENT_END_EVENT: continue
      case YAML_DOCUMENT_START_EVENT:
        if root != nil {
          throw mark(event.start_mark).error(
            "a second document begins here", remedy: "Keep one deck in one file")
        }
      case YAML_STREAM_END_EVENT:
        guard let root else {
          throw InputError(
            "holds no deck: it is empty", remedy: "Write at least structure, potential and stages",
            file: name)
        }
        return root
      default: root = try node(event, depth: 0)
      }
    }
  }

  private mutating func node(_ event: yaml_event_t, depth: Int) throws(InputError) -> Node {
    let place = mark(event.start_mark)
    guard depth < Self.depthLimit else {
      throw place.error("is nested deeper than any deck", remedy: "Check the brackets")
    }
    switch event.type {
    case YAML_ALIAS_EVENT:
      throw place.error("aliases (*) are not read", remedy: "Write the value out")
    case YAML_SCALAR_EVENT:
      let scalar = event.data.scalar
      try refuse(anchor: scalar.anchor, tag: scalar.tag, at: place)
      let text = String(
        decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      guard !text.utf8.contains(0) else {
        throw place.error("holds a NUL character", remedy: "Remove the \\0")
      }
      let plain = scalar.style == YAML_PLAIN_SCALAR_STYLE
      return Node(.scalar(plain && (text == "~" || text == "null") ? "" : text), at: place)
    case YAML_SEQUENCE_START_EVENT:
      let sequence = event.data.sequence_start
      try refuse(anchor: sequence.anchor, tag: sequence.tag, at: place)
      var nodes: [Node] = []
      while true {
        var event = try next()
        defer { yaml_event_delete(&event) }
        if event.type == YAML_SEQUENCE_END_EVENT { return Node(.sequence(nodes), at: place) }
        nodes.append(try node(event, depth: depth + 1))
      }
    default:
      let mapping = event.data.mapping_start
      try refuse(anchor: mapping.anchor, tag: mapping.tag, at: place)
      return Node(.mapping(try entries(depth: depth)), at: place)
    }
  }

  private mutating func entries(depth: Int) throws(InputError) -> [Node.Entry] {
    var entries: [Node.Entry] = []
    var lines: [String: Int] = [:]
    while true {
      var event = try next()
      defer { yaml_event_delete(&event) }
      if event.type == YAML_MAPPING_END_EVENT { return entries }
      let key = try node(event, depth: depth + 1)
      guard let word = key.scalar else {
        throw key.mark.error("a key must be a word, found \(key.found)")
      }
      var second = try next()
      defer { yaml_event_delete(&second) }
      let value = try node(second, depth: depth + 1)
      if let line = lines[word] {
        errors.append(
          key.mark.error(
            "duplicate key '\(word.clipped)', first on line \(line)", remedy: "Keep one of them"))
      } else {
        lines[word] = key.mark.line
        entries.append(Node.Entry(key: word, mark: key.mark, value: value))
      }
    }
  }

  private func refuse(
    anchor: UnsafePointer<yaml_char_t>?, tag: UnsafePointer<yaml_char_t>?, at place: Mark
  ) throws(InputError) {
    if anchor != nil {
      throw place.error("anchors (&) are not read", remedy: "Write the value out where it is used")
    }
    if tag != nil { throw place.error("tags (!) are not read", remedy: "Remove the tag") }
  }

  private func mark(_ mark: yaml_mark_t) -> Mark {
    Mark(file: name, line: Int(mark.line) + 1, column: Int(mark.column) + 1)
  }

  private func next() throws(InputError) -> yaml_event_t {
    var event = yaml_event_t()
    guard yaml_parser_parse(parser, &event) == 1 else { throw syntaxError() }
    return event
  }

  private func syntaxError() -> InputError {
    let state = parser.pointee
    let problem = state.problem.map { String(cString: $0) } ?? "unknown problem"
    let context = state.context.map { String(cString: $0) } ?? ""
    if state.error == YAML_READER_ERROR {
      let before = text.utf8.prefix(Int(state.problem_offset))
      let column = before.reversed().prefix { $0 != 10 }.count
      return Mark(file: name, line: 1 + before.count { $0 == 10 }, column: column + 1).error(
        "not YAML: \(problem)", remedy: "Remove that character")
    }
    let place = mark(state.problem_mark)
    if context.contains("quoted scalar"), !problem.contains("escape") {
      return mark(state.context_mark).error(
        "a quote is opened and not closed", remedy: "Close it on the same line")
    }
    if problem.contains("tab character")
      || (problem.contains("cannot start any token")
        && character(at: state.problem_mark) == "\t")
    {
      return place.error("a tab in the indentation", remedy: "Indent with spaces")
    }
    if problem.contains("could not find expected ':'") {
      return mark(state.context_mark).error(
        "a key without a colon", remedy: "Write `key: value`, with a space after the colon")
    }
    if problem.contains("mapping values are not allowed") {
      return place.error(
        "a second ': ' in one line, or wrong indentation",
        remedy: "Put one `key: value` in a line, or quote the text that holds the colon")
    }
    if context.contains("flow sequence") || context.contains("flow mapping") {
      return mark(state.context_mark).error(
        "a bracket is opened and not closed rightly: \(problem)",
        remedy: "Close it, with commas between values")
    }
    return place.error(
      "not YAML: \(problem)\(context.isEmpty ? "" : " (\(context))")",
      remedy: "Check indentation, quotes and brackets")
  }

  private func character(at mark: yaml_mark_t) -> Unicode.Scalar? {
    text.unicodeScalars.dropFirst(Int(mark.index)).first
  }
}
