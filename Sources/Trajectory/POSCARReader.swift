import Matter

/// Reads VASP's POSCAR and CONTCAR (VASP 5 and later, which name the elements).
enum POSCARReader {
  static func read(_ path: String) throws(InputError) -> StructureFrame {
    let lines = try LineReader(path, expecting: "a POSCAR file")
    func tokens(_ what: String) throws(InputError) -> [LineReader.Token] {
      guard let line = try lines.next() else {
        throw lines.error(
          "expected \(what), found the end of the file", line: lines.number + 1)
      }
      return LineReader.tokens(line)
    }
    let title = try lines.next() ?? []

    let scaleTokens = try tokens("the scale of the cell")
    guard scaleTokens.count == 1 || scaleTokens.count == 3 else {
      throw lines.error("expected the scale of the cell, found \(scaleTokens.count) words")
    }
    var scale: [Double] = []
    for token in scaleTokens { scale.append(try lines.real(token, "the scale of the cell")) }
    guard scale.allSatisfy({ $0 != 0 }), scale.count == 1 || scale.allSatisfy({ $0 > 0 }) else {
      throw lines.error("expected a scale other than 0, or three positive ones")
    }

    var vectors: [SIMD3<Double>] = []
    for name in ["a", "b", "c"] {
      let line = try tokens("the cell vector \(name)")
      vectors.append(try lines.vector(line[...], "the cell vector \(name)"))
    }
    let matrix = Matrix3(vectors[0], vectors[1], vectors[2])
    var factor = SIMD3<Double>(repeating: scale[0])
    if scale.count == 3 {
      factor = SIMD3(scale[0], scale[1], scale[2])
    } else if scale[0] < 0 {
      // A negative scale is the volume.
      factor = SIMD3(repeating: CubeRoot.of(-scale[0] / abs(matrix.determinant)))
    }
    let cell: Cell
    do {
      cell = try Cell(a: matrix.x * factor, b: matrix.y * factor, c: matrix.z * factor)
    } catch {
      throw lines.error("the cell vectors span no volume")
    }

    let symbols = try tokens("the element symbols")
    if let first = symbols.first, NumberText.integer(first.bytes) != nil {
      throw lines.error(
        "expected element symbols, found numbers: a file of VASP 4",
        "Add a line with the element symbols before the numbers of atoms")
    }
    guard !symbols.isEmpty else {
      throw lines.error("expected element symbols, found a blank line")
    }
    var species: [Element] = []
    for token in symbols {
      // VASP appends the name or hash of the pseudopotential: Si_pv, Si/0a1b.
      let text = String(token.text.prefix { $0 != "_" && $0 != "/" })
      species.append(
        try ElementSymbol.parse(text, file: path, line: lines.number, column: token.column))
    }
    let counts = try tokens("the numbers of atoms")
    guard counts.count == species.count else {
      throw lines.error(
        "expected \(species.count) numbers of atoms, one for each symbol, found \(counts.count)")
    }
    var numbers: [Int] = []
    var total = 0
    for token in counts {
      let count = try lines.integer(token, "a number of atoms")
      guard count > 0, count <= lines.fileSize else {
        throw lines.error(
          count > 0
            ? "\(count) atoms do not fit a file of \(ByteCount.text(lines.fileSize))"
            : "expected a positive number of atoms, found \(count)", column: token.column)
      }
      numbers.append(count)
      total += count
      guard total <= lines.fileSize else {
        throw lines.error("more atoms are stated than the file can hold")
      }
    }

    var mode = try tokens("Direct or Cartesian")
    if let c = mode.first?.text.lowercased(), c.hasPrefix("s") {
      mode = try tokens("Direct or Cartesian")
    }
    guard let letter = mode.first?.text.lowercased().first, "dck".contains(letter) else {
      throw lines.error(
        "expected Direct or Cartesian, found '\(mode.first?.text ?? "")'",
        column: mode.first?.column)
    }
    var positions: [SIMD3<Double>] = []
    for atom in 0..<total {
      let line = try tokens("\(total) positions")
      guard line.count >= 3 else {
        throw lines.error(
          "expected \(total) positions of three numbers, found \(atom) and then "
            + "\(line.count) words")
      }
      let v = try lines.vector(line[...], "a position")
      positions.append(letter == "d" ? cell.cartesian(v) : v * factor)
    }
    // Only now: the numbers above may be anything.
    let elements = zip(species, numbers).flatMap { [Element](repeating: $0, count: $1) }
    var frame = StructureFrame(
      structure: Structure(
        elements: elements, positions: positions, cell: cell, periodicity: .all,
        velocities: try velocities(lines, elements.count)))
    let words = LineReader.tokens(title)
    if !words.isEmpty {
      frame.setInfo("comment", words.map(\.text).joined(separator: " "))
    }
    return frame
  }

  /// The block of velocities in Å/fs after a blank line or the word Cartesian; nil if there is
  /// none, if it is in fractions of the cell, or if all are zero.
  private static func velocities(_ lines: LineReader, _ count: Int) throws(InputError)
    -> [SIMD3<Double>]?
  {
    guard var line = try lines.next() else { return nil }
    if let word = LineReader.tokens(line).first?.text.lowercased(), word.hasPrefix("l") {
      // Lattice velocities of VASP's own NPT: an initialization line, then six of vectors.
      for _ in 0..<7 { if try lines.next() == nil { return nil } }
      guard let next = try lines.next() else { return nil }
      line = next
    }
    if let word = LineReader.tokens(line).first?.text.lowercased(), !"ck".contains(word.prefix(1)) {
      if word.hasPrefix("d") { return nil }
      throw lines.error(
        "expected the end of the file or a blank line before velocities, found '\(word.prefix(40))'",
        "Compare the numbers of atoms with the lines of positions")
    }
    var result: [SIMD3<Double>] = []
    while result.count < count {
      guard let line = try lines.next() else { break }
      let tokens = LineReader.tokens(line)
      if tokens.isEmpty { break }
      result.append(try lines.vector(tokens[...], "a velocity") * Units.timeUnit)
    }
    if result.isEmpty { return nil }
    guard result.count == count else {
      throw lines.error("expected \(count) velocities, found \(result.count)")
    }
    return result.allSatisfy { $0 == .zero } ? nil : result
  }
}
