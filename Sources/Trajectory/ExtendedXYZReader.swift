import Matter

/// Reads the frames of an extended or plain XYZ file one after the other.
///
/// Accepted besides the standard: tabs, CRLF, D exponents, a missing final newline, blank lines at
/// the end, keys in any case, `{}` and `[]` for quotes, plain XYZ as molecules.
public final class ExtendedXYZReader {
  private let lines: LineReader
  private var frame = 0

  /// Opens a file, plain or compressed by gzip.
  public init(path: String) throws(InputError) {
    lines = try LineReader(path, expecting: "an extended XYZ file")
  }

  /// The next frame, or nil at the end of the file.
  public func next() throws(InputError) -> StructureFrame? {
    guard let first = try lines.next() else { return try checkNotEmpty() }
    let countTokens = LineReader.tokens(first)
    let countLine = lines.number
    if countTokens.isEmpty {
      while let line = try lines.next() {
        if !LineReader.tokens(line).isEmpty {
          throw lines.error(
            "expected the number of atoms of frame \(frame + 1) on line \(countLine), found a "
              + "blank line", "Remove blank lines between frames", line: countLine)
        }
      }
      return try checkNotEmpty()
    }
    guard countTokens.count == 1, let count = NumberText.integer(countTokens[0].bytes) else {
      let text = String(decoding: first.prefix(40), as: UTF8.self)
      if frame == 0 {
        throw lines.error("expected the number of atoms alone on the first line, found '\(text)'")
      }
      throw lines.error(
        "expected the number of atoms of frame \(frame + 1) or the end of the file, found "
          + "'\(text)'", "Compare the number of atoms of frame \(frame) with its lines")
    }
    guard count > 0 else {
      throw lines.error("expected a positive number of atoms, found \(count)", column: 1)
    }
    frame += 1
    guard let comment = try lines.next() else {
      throw lines.error(
        "expected the comment line of frame \(frame), found the end of the file",
        line: countLine + 1)
    }
    return try atoms(count, countLine, try header(comment))
  }

  private func checkNotEmpty() throws(InputError) -> StructureFrame? {
    if frame == 0 {
      throw lines.error("expected the number of atoms, found an empty file", line: 1)
    }
    return nil
  }

  // MARK: comment line

  private struct Column {
    var name: String
    var kind: UInt8
    var width: Int
  }

  private struct Header {
    var cell: Cell?
    var periodicity = Periodicity.none
    var columns = [
      Column(name: "species", kind: UInt8(ascii: "S"), width: 1),
      Column(name: "pos", kind: UInt8(ascii: "R"), width: 3),
    ]
    var info: [StructureInfo] = []
    var plain = true
    var line = 0
  }

  private struct Entry {
    var key: String
    var raw: String?
    var column: Int
  }

  private func header(_ line: [UInt8]) throws(InputError) -> Header {
    var header = Header()
    header.line = lines.number
    let text = String(decoding: line, as: UTF8.self)
    let lower = text.lowercased()
    let entries: [Entry]
    do {
      entries = try split(line)
    } catch {
      if lower.contains("lattice=") || lower.contains("properties=") { throw error }
      entries = []
    }
    guard entries.contains(where: { $0.raw != nil }) else {
      // Plain XYZ: the comment is free text.
      if !LineReader.tokens(line).isEmpty {
        header.info = [StructureInfo(key: "comment", value: text)]
      }
      return header
    }
    var lattice: Entry?
    var periodicity: Entry?
    var seen: Set<String> = []
    for entry in entries {
      let key = entry.key.lowercased()
      let special = ["lattice", "properties", "pbc"].contains(key)
      guard seen.insert(special ? key : entry.key).inserted else {
        throw lines.error("the key \(entry.key) is given twice", column: entry.column)
      }
      switch key {
      case "lattice": lattice = entry
      case "pbc": periodicity = entry
      case "properties":
        header.columns = try columns(entry)
        header.plain = false
      default: header.info.append(StructureInfo(key: entry.key, raw: entry.raw))
      }
    }
    if let lattice {
      header.cell = try cell(lattice)
      header.periodicity = .all
    }
    if let entry = periodicity {
      let flags = StructureInfo(key: entry.key, raw: entry.raw).value
        .split { " \t,[]".contains($0) }
      let values = flags.compactMap { Self.logical(String($0)) }
      guard values.count == flags.count, values.count == 3 || values.count == 1 else {
        throw lines.error(
          "expected pbc=\"T T T\" with T or F for each direction, found '\(entry.raw ?? "")'",
          column: entry.column)
      }
      header.periodicity = Periodicity(
        a: values[0], b: values[values.count / 2], c: values[values.count - 1])
      if header.periodicity != .none, header.cell == nil {
        throw lines.error(
          "pbc says that the structure repeats, but there is no Lattice",
          "Add Lattice=\"ax ay az bx by bz cx cy cz\"", column: entry.column)
      }
    }
    return header
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
          throw lines.error("a quoted text has no end", column: i + 1)
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
      guard !key.isEmpty else { throw lines.error("a value has no key", column: start + 1) }
      i = after + 1
      while i < line.count, isSpace(line[i]) { i += 1 }
      let begin = i
      if i < line.count, [34, 39, 123, 91].contains(line[i]) {
        guard let end = close(i) else {
          throw lines.error("the value of \(key) has no end", column: i + 1)
        }
        i = end
      } else {
        while i < line.count, !isSpace(line[i]) { i += 1 }
      }
      result.append(Entry(key: key, raw: text(begin..<i), column: start + 1))
    }
  }

  private static func logical(_ text: String) -> Bool? {
    switch text {
    case "T", "t", "True", "true", "TRUE", "1": true
    case "F", "f", "False", "false", "FALSE", "0": false
    default: nil
    }
  }

  private func cell(_ entry: Entry) throws(InputError) -> Cell {
    let info = StructureInfo(key: entry.key, raw: entry.raw)
    guard let numbers = info.numbers, numbers.count == 9 else {
      let found = info.value.split { " \t,[]".contains($0) }
      let bad = found.first { NumberText.double(Array($0.utf8)[...]) == nil }
      throw lines.error(
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
      throw lines.error(
        zero.isEmpty
          ? "the cell vectors of Lattice span no volume"
          : "the cell vector \(names[zero[0]]) of Lattice is zero",
        "Give three vectors; where nothing repeats make one long enough and write pbc=\"T T F\"",
        column: entry.column)
    }
  }

  private func columns(_ entry: Entry) throws(InputError) -> [Column] {
    let parts = StructureInfo(key: entry.key, raw: entry.raw).value
      .split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    var result: [Column] = []
    guard parts.count % 3 == 0 else {
      throw lines.error(
        "expected Properties=name:type:columns:…, found \(parts.count) parts",
        "For example Properties=species:S:1:pos:R:3", column: entry.column)
    }
    for i in stride(from: 0, to: parts.count, by: 3) {
      guard let kind = parts[i + 1].utf8.first, parts[i + 1].utf8.count == 1,
        "SRIL".utf8.contains(kind)
      else {
        throw lines.error(
          "expected S, R, I or L as the type of \(parts[i]), found '\(parts[i + 1])'",
          column: entry.column)
      }
      guard let width = Int(parts[i + 2]), width > 0, width <= 1000 else {
        throw lines.error(
          "expected the number of columns of \(parts[i]), found '\(parts[i + 2])'",
          column: entry.column)
      }
      guard !result.contains(where: { $0.name == parts[i] }) else {
        throw lines.error("Properties names \(parts[i]) twice", column: entry.column)
      }
      result.append(Column(name: parts[i], kind: kind, width: width))
    }
    func require(_ name: String, _ kind: UInt8, _ width: Int) throws(InputError) {
      guard let column = result.first(where: { $0.name.lowercased() == name }),
        column.kind == kind, column.width == width
      else {
        throw lines.error(
          "Properties has no \(name):\(Character(UnicodeScalar(kind))):\(width)",
          column: entry.column)
      }
    }
    try require("species", UInt8(ascii: "S"), 1)
    try require("pos", UInt8(ascii: "R"), 3)
    return result
  }

  // MARK: atoms

  private func atoms(_ count: Int, _ countLine: Int, _ header: Header) throws(InputError)
    -> StructureFrame
  {
    let columns = header.columns
    let width = columns.reduce(0) { $0 + $1.width }
    // No more is reserved than the file can hold.
    let expected = min(count, lines.fileSize / 4)
    var elements: [Element] = []
    elements.reserveCapacity(expected)
    var strings = [[String]](repeating: [], count: columns.count)
    var reals = [[Double]](repeating: [], count: columns.count)
    var integers = [[Int]](repeating: [], count: columns.count)
    var logicals = [[Bool]](repeating: [], count: columns.count)
    let isSpecies = columns.map { $0.name.lowercased() == "species" }
    var lastWord: [UInt8] = []
    var lastElement: Element?
    for atom in 0..<count {
      guard let line = try lines.next() else {
        throw lines.error(
          "expected \(count) atoms in frame \(frame) (line \(countLine)), found the end of the "
            + "file after \(atom)", line: lines.number + 1)
      }
      let tokens = LineReader.tokens(line)
      guard tokens.count == width else {
        if tokens.isEmpty || (tokens.count == 1 && NumberText.integer(tokens[0].bytes) != nil) {
          throw lines.error(
            "expected \(count) atoms in frame \(frame) (line \(countLine)), found \(atom)")
        }
        throw lines.error(
          "expected \(width) columns for an atom, found \(tokens.count)",
          header.plain
            ? "Name further columns by Properties=species:S:1:pos:R:3:… on line "
              + "\(header.line)" : "Properties on line \(header.line) says \(width)",
          column: tokens.count > width ? tokens[width].column : nil)
      }
      var i = 0
      for (k, column) in columns.enumerated() {
        for _ in 0..<column.width {
          let token = tokens[i]
          i += 1
          switch column.kind {
          case UInt8(ascii: "R"):
            reals[k].append(try lines.real(token, "a number (\(column.name))"))
          case UInt8(ascii: "I"):
            integers[k].append(try lines.integer(token, "an integer (\(column.name))"))
          case UInt8(ascii: "L"):
            guard let value = Self.logical(token.text) else {
              throw lines.error(
                "expected T or F (\(column.name)), found '\(token.text.prefix(40))'",
                column: token.column)
            }
            logicals[k].append(value)
          default:
            if isSpecies[k] {
              if lastElement == nil || !token.bytes.elementsEqual(lastWord) {
                lastElement = try ElementSymbol.parse(
                  token.text, file: lines.path, line: lines.number, column: token.column)
                lastWord = Array(token.bytes)
              }
              if let lastElement { elements.append(lastElement) }
            } else {
              strings[k].append(token.text)
            }
          }
        }
      }
    }
    return try assemble(header, elements, strings, reals, integers, logicals)
  }

  private func assemble(
    _ header: Header, _ elements: [Element], _ strings: [[String]], _ reals: [[Double]],
    _ integers: [[Int]], _ logicals: [[Bool]]
  ) throws(InputError) -> StructureFrame {
    func vectors(_ values: [Double]) -> [SIMD3<Double>] {
      (0..<elements.count).map { SIMD3(values[3 * $0], values[3 * $0 + 1], values[3 * $0 + 2]) }
    }
    var frame = StructureFrame(
      structure: Structure(
        elements: elements, positions: [], cell: header.cell, periodicity: header.periodicity),
      info: header.info)
    var motion: [String: [SIMD3<Double>]] = [:]
    for (k, column) in header.columns.enumerated() {
      let name = column.name.lowercased()
      let isReal = column.kind == UInt8(ascii: "R")
      switch name {
      case "species": continue
      case "pos": frame.structure.positions = vectors(reals[k])
      case "vel" where isReal && column.width == 3,
        "velocities" where isReal && column.width == 3,
        "momenta" where isReal && column.width == 3:
        motion[name] = vectors(reals[k])
      case "mass" where isReal && column.width == 1,
        "masses" where isReal && column.width == 1:
        if let bad = reals[k].firstIndex(where: { $0 <= 0 }) {
          throw lines.error(
            "expected a positive mass, found \(reals[k][bad])",
            line: lines.number - elements.count + 1 + bad)
        }
        frame.structure.masses = reals[k]
      default:
        let values: AtomColumn.Values =
          switch column.kind {
          case UInt8(ascii: "R"): .reals(reals[k])
          case UInt8(ascii: "I"): .integers(integers[k])
          case UInt8(ascii: "L"): .logicals(logicals[k])
          default: .strings(strings[k])
          }
        frame.arrays.append(AtomColumn(name: column.name, width: column.width, values: values))
      }
    }
    if let vel = motion["vel"] {
      frame.structure.velocities = vel.map { $0 * Units.timeUnit }
    } else if let velocities = motion["velocities"] {
      frame.structure.velocities = velocities
    } else if let momenta = motion["momenta"] {
      let masses = frame.structure.masses ?? elements.map(\.mass)
      frame.structure.velocities = zip(momenta, masses).map { $0 * (1 / $1) }
    }
    return frame
  }
}
