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
    return try atoms(
      count, countLine,
      try ExtendedXYZHeader(comment, path: lines.path, line: lines.number))
  }

  private func checkNotEmpty() throws(InputError) -> StructureFrame? {
    if frame == 0 {
      throw lines.error("expected the number of atoms, found an empty file", line: 1)
    }
    return nil
  }

  // MARK: atoms

  private func atoms(_ count: Int, _ countLine: Int, _ header: ExtendedXYZHeader) throws(InputError)
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
            guard let value = ExtendedXYZHeader.logical(token.text) else {
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
    _ header: ExtendedXYZHeader, _ elements: [Element], _ strings: [[String]], _ reals: [[Double]],
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
