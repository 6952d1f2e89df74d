import Matter

/// What the comment line of an extended XYZ frame says: cell, periodicity, columns, and the rest.
struct ExtendedXYZHeader {
  /// A name in Properties.
  struct Column: Equatable {
    var name: String
    /// S, R, I or L.
    var kind: UInt8
    var width: Int
    /// Whether it holds reals of a width.
    func isReal(_ width: Int) -> Bool { kind == UInt8(ascii: "R") && self.width == width }
  }
  private struct Entry {
    var key: String
    var raw: String?
    var column: Int
  }

  private(set) var cell: Cell?
  private(set) var periodicity = Periodicity.none
  private(set) var columns = [
    Column(name: "species", kind: UInt8(ascii: "S"), width: 1),
    Column(name: "pos", kind: UInt8(ascii: "R"), width: 3),
  ]
  private(set) var info: [StructureInfo] = []
  /// Whether there are no Properties.
  private(set) var plain = true
  /// The line of the file.
  let line: Int
  private let path: String

  /// The header that a comment line holds.
  init(_ bytes: [UInt8], path: String, line: Int) throws(InputError) {
    self.path = path
    self.line = line
    let text = String(decoding: bytes, as: UTF8.self)
    let lower = text.lowercased()
    let entries: [Entry]
    do {
      entries = try split(bytes)
    } catch {
      if lower.contains("lattice=") || lower.contains("properties=") { throw error }
      entries = []
    }
    guard entries.contains(where: { $0.raw != nil }) else {
      // Plain XYZ: the comment is free text.
      if !LineReader.tokens(bytes).isEmpty {
        info = [StructureInfo(key: "comment", value: text)]
      }
      return
    }
    var lattice: Entry?
    var flagsEntry: Entry?
    var seen: Set<String> = []
    for entry in entries {
      let key = entry.key.lowercased()
      let special = ["lattice", "properties", "pbc"].contains(key)
      guard seen.insert(special ? key : entry.key).inserted else {
        throw fail("the key \(entry.key) is given twice", column: entry.column)
      }
      switch key {
      case "lattice": lattice = entry
      case "pbc": flagsEntry = entry
      case "properties":
        columns = try columns(of: entry)
        plain = false
      default: info.append(StructureInfo(key: entry.key, raw: entry.raw))
      }
    }
    if let lattice {
      cell = try cell(of: lattice)
      periodicity = .all
    }
    if let entry = flagsEntry {
      let flags = StructureInfo(key: entry.key, raw: entry.raw).value
        .split { " \t,[]".contains($0) }
      let values = flags.compactMap { Self.logical(String($0)) }
      guard values.count == flags.count, values.count == 3 || values.count == 1 else {
        throw fail(
          "expected pbc=\"T T T\" with T or F for each direction, found '\(entry.raw ?? "")'",
          column: entry.column)
      }
      periodicity = Periodicity(
        a: values[0], b: values[values.count / 2], c: values[values.count - 1])
      if periodicity != .none, cell == nil {
        throw fail(
          "pbc says that the structure repeats, but there is no Lattice",
          "Add Lattice=\"ax ay az bx by bz cx cy cz\"", column: entry.column)
      }
    }
  }

  private func fail(_ message: String, _ remedy: String = "", column: Int? = nil) -> InputError {
    InputError(message, remedy: remedy, file: path, line: line, column: column)
  }

  /// `key=value` pairs; values bare, in quotes, braces or brackets.
  private func split(_ line: [UInt8]) throws(InputError) -> [Entry] {
    var result: [Entry] = []
    var i = 0
    func isSpace(_ c: UInt8) -> Bool { c == 32 || c == 9 }
    func text(_ range: Range<Int>) -> String { String(decoding: line[range], as: UTF8.self) }
    /// The end of a quoted or bracketed text that begins at i.
    func close(_ start: Int) -> Int? {
      let open = line[start]
      if open == 34 || open == 39 {
        var j = start + 1
        while j < line.count {
          if line[j] == 92 { j += 1 } else if line[j] == open { return j + 1 }
          j += 1
        }
        return nil
      }
      let end: UInt8 = open == 123 ? 125 : 93
      var depth = 0
      for j in start..<line.count {
        if line[j] == open { depth += 1 }
        if line[j] == end {
          depth -= 1
          if depth == 0 { return j + 1 }
        }
      }
      return nil
    }
    while true {
      while i < line.count, isSpace(line[i]) { i += 1 }
      guard i < line.count else { return result }
      let start = i
      var key: String
      if line[i] == 34 || line[i] == 39 {
        guard let end = close(i) else {
          throw fail("a quoted text has no end", column: i + 1)
        }
        key = text(i + 1..<end - 1)
        i = end
      } else {
        while i < line.count, !isSpace(line[i]), line[i] != 61 { i += 1 }
        key = text(start..<i)
      }
      var after = i
      while after < line.count, isSpace(line[after]) { after += 1 }
      guard after < line.count, line[after] == 61 else {
        result.append(Entry(key: key, raw: nil, column: start + 1))
        continue
      }
      guard !key.isEmpty else { throw fail("a value has no key", column: start + 1) }
      i = after + 1
      while i < line.count, isSpace(line[i]) { i += 1 }
      let begin = i
      if i < line.count, [34, 39, 123, 91].contains(line[i]) {
        guard let end = close(i) else {
          throw fail("the value of \(key) has no end", column: i + 1)
        }
        i = end
      } else {
        while i < line.count, !isSpace(line[i]) { i += 1 }
      }
      result.append(Entry(key: key, raw: text(begin..<i), column: start + 1))
    }
  }

  static func logical(_ text: String) -> Bool? {
    switch text {
    case "T", "t", "True", "true", "TRUE", "1": true
    case "F", "f", "False", "false", "FALSE", "0": false
    default: nil
    }
  }

  private func cell(of entry: Entry) throws(InputError) -> Cell {
    let info = StructureInfo(key: entry.key, raw: entry.raw)
    guard let numbers = info.numbers, numbers.count == 9 else {
      let found = info.value.split { " \t,[]".contains($0) }
      let bad = found.first { NumberText.double(Array($0.utf8)[...]) == nil }
      throw fail(
        "expected Lattice=\"ax ay az bx by bz cx cy cz\" with 9 numbers, found "
          + (bad.map { NumberText.problem(Array($0.utf8)[...]) } ?? "\(found.count)"),
        column: entry.column)
    }
    let vectors = (0..<3).map { SIMD3(numbers[3 * $0], numbers[3 * $0 + 1], numbers[3 * $0 + 2]) }
    do {
      return try Cell(a: vectors[0], b: vectors[1], c: vectors[2])
    } catch {
      let names = ["a", "b", "c"]
      let zero = vectors.indices.filter { dot(vectors[$0], vectors[$0]) == 0 }
      throw fail(
        zero.isEmpty
          ? "the cell vectors of Lattice span no volume"
          : "the cell vector \(names[zero[0]]) of Lattice is zero",
        "Give three vectors; where nothing repeats make one long enough and write pbc=\"T T F\"",
        column: entry.column)
    }
  }

  private func columns(of entry: Entry) throws(InputError) -> [Column] {
    let parts = StructureInfo(key: entry.key, raw: entry.raw).value
      .split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    var result: [Column] = []
    guard parts.count % 3 == 0 else {
      throw fail(
        "expected Properties=name:type:columns:…, found \(parts.count) parts",
        "For example Properties=species:S:1:pos:R:3", column: entry.column)
    }
    for i in stride(from: 0, to: parts.count, by: 3) {
      guard let kind = parts[i + 1].utf8.first, parts[i + 1].utf8.count == 1,
        "SRIL".utf8.contains(kind)
      else {
        throw fail(
          "expected S, R, I or L as the type of \(parts[i]), found '\(parts[i + 1])'",
          column: entry.column)
      }
      guard let width = Int(parts[i + 2]), width > 0, width <= 1000 else {
        throw fail(
          "expected the number of columns of \(parts[i]), found '\(parts[i + 2])'",
          column: entry.column)
      }
      guard !result.contains(where: { $0.name == parts[i] }) else {
        throw fail("Properties names \(parts[i]) twice", column: entry.column)
      }
      result.append(Column(name: parts[i], kind: kind, width: width))
    }
    func require(_ name: String, _ kind: UInt8, _ width: Int) throws(InputError) {
      guard let column = result.first(where: { $0.name.lowercased() == name }),
        column.kind == kind, column.width == width
      else {
        throw fail(
          "Properties has no \(name):\(Character(UnicodeScalar(kind))):\(width)",
          column: entry.column)
      }
    }
    try require("species", UInt8(ascii: "S"), 1)
    try require("pos", UInt8(ascii: "R"), 3)
    return result
  }
}
