import Matter

/// Reads crystallographic information files: cell, symmetry operations, atom sites. Every data
/// block with atom sites is a frame, with all symmetry copies of its sites.
enum CIFReader {
  /// Sites nearer than this, in Å, are one atom.
  static let mergeDistance = 0.01

  struct Word {
    var text: String
    var line: Int
    var column: Int
    var quoted: Bool
  }
  struct Block {
    var name: String
    var line: Int
    var values: [String: Word] = [:]
    var loops: [[(tag: String, values: [Word])]] = []

    func column(_ tags: [String]) -> [Word]? {
      for loop in loops {
        for (tag, values) in loop where tags.contains(tag) { return values }
      }
      return tags.compactMap { values[$0] }.first.map { [$0] }
    }
    func value(_ tags: String...) -> Word? { column(tags)?.first }
  }

  static func read(_ path: String) throws(InputError) -> [StructureFrame] {
    let blocks = try parse(path).filter {
      $0.column(["_atom_site_fract_x", "_atom_site_cartn_x", "_atom_site.cartn_x"]) != nil
    }
    guard !blocks.isEmpty else {
      throw InputError(
        "expected a CIF with atom sites, found no _atom_site_fract_x", file: path)
    }
    var frames: [StructureFrame] = []
    for block in blocks { frames.append(try structure(block, path)) }
    return frames
  }

  // MARK: words

  private static func parse(_ path: String) throws(InputError) -> [Block] {
    let lines = try LineReader(path, expecting: "a CIF file")
    var words: [Word] = []
    var blocks: [Block] = []
    while let line = try lines.next() {
      if line.first == UInt8(ascii: ";") {
        let start = lines.number
        var text = String(decoding: line.dropFirst(), as: UTF8.self)
        while true {
          guard let next = try lines.next() else {
            throw InputError(
              "a text that begins with ';' has no end", file: path, line: start, column: 1)
          }
          if next.first == UInt8(ascii: ";") { break }
          text += "\n" + String(decoding: next, as: UTF8.self)
        }
        words.append(Word(text: text, line: start, column: 1, quoted: true))
        continue
      }
      var i = 0
      while i < line.count {
        let c = line[i]
        if c == 32 || c == 9 {
          i += 1
          continue
        }
        if c == UInt8(ascii: "#") { break }
        let start = i
        if c == 34 || c == 39 {
          // The closing quote is followed by a space.
          var j = i + 1
          while j < line.count,
            !(line[j] == c && (j + 1 == line.count || line[j + 1] == 32 || line[j + 1] == 9))
          {
            j += 1
          }
          guard j < line.count else {
            throw lines.error("a quoted text has no end", column: start + 1)
          }
          words.append(
            Word(
              text: String(decoding: line[start + 1..<j], as: UTF8.self), line: lines.number,
              column: start + 1, quoted: true))
          i = j + 1
        } else {
          while i < line.count, line[i] != 32, line[i] != 9 { i += 1 }
          words.append(
            Word(
              text: String(decoding: line[start..<i], as: UTF8.self), line: lines.number,
              column: start + 1, quoted: false))
        }
      }
    }

    func isTag(_ word: Word) -> Bool { !word.quoted && word.text.hasPrefix("_") }
    func isReserved(_ word: Word) -> Bool {
      if word.quoted { return false }
      let lower = word.text.lowercased()
      return lower == "loop_" || lower.hasPrefix("data_") || lower.hasPrefix("save_")
    }
    var i = 0
    while i < words.count {
      let word = words[i]
      let lower = word.text.lowercased()
      if !word.quoted, lower.hasPrefix("data_") {
        blocks.append(Block(name: String(word.text.dropFirst(5)), line: word.line))
        i += 1
        continue
      }
      guard !blocks.isEmpty else {
        throw InputError(
          "expected data_NAME at the start of a CIF, found '\(word.text.prefix(40))'", file: path,
          line: word.line, column: word.column)
      }
      let last = blocks.count - 1
      if !word.quoted, lower == "loop_" {
        i += 1
        var tags: [String] = []
        while i < words.count, isTag(words[i]) {
          tags.append(words[i].text.lowercased())
          i += 1
        }
        guard !tags.isEmpty else {
          throw InputError("loop_ has no names", file: path, line: word.line, column: word.column)
        }
        var values: [Word] = []
        while i < words.count, !isTag(words[i]), !isReserved(words[i]) {
          values.append(words[i])
          i += 1
        }
        guard values.count % tags.count == 0 else {
          let place = values.last ?? word
          throw InputError(
            "the loop of \(tags[0]) has \(tags.count) columns, but \(values.count) values",
            remedy: "A row is incomplete", file: path, line: place.line, column: place.column)
        }
        let rows = values.count / tags.count
        blocks[last].loops.append(
          tags.indices.map { k in
            (tag: tags[k], values: (0..<rows).map { values[$0 * tags.count + k] })
          })
      } else if isTag(word) {
        guard i + 1 < words.count, !isTag(words[i + 1]), !isReserved(words[i + 1]) else {
          throw InputError(
            "\(word.text) has no value", file: path, line: word.line, column: word.column)
        }
        blocks[last].values[lower] = words[i + 1]
        i += 2
      } else if isReserved(word) {
        i += 1
      } else {
        throw InputError(
          "expected a name that begins with '_', found '\(word.text.prefix(40))'", file: path,
          line: word.line, column: word.column)
      }
    }
    return blocks
  }

  /// A number without the uncertainty in parentheses.
  private static func number(_ word: Word, _ what: String, _ path: String) throws(InputError)
    -> Double
  {
    var text = word.text
    if text.hasSuffix(")"), let open = text.firstIndex(of: "(") { text = String(text[..<open]) }
    guard let value = NumberText.double(Array(text.utf8)[...]) else {
      throw InputError(
        "expected a number (\(what)), found \(NumberText.problem(Array(word.text.utf8)[...]))",
        file: path, line: word.line, column: word.column)
    }
    return value
  }

  // MARK: structure

  private static func structure(_ block: Block, _ path: String) throws(InputError)
    -> StructureFrame
  {
    func error(_ message: String, _ remedy: String = "", at word: Word? = nil) -> InputError {
      InputError(
        message, remedy: remedy, file: path, line: word?.line ?? block.line, column: word?.column)
    }
    func cellValue(_ name: String) throws(InputError) -> Double {
      guard let word = block.value("_cell_" + name, "_cell." + name) else {
        throw error("expected _cell_\(name), found none in data_\(block.name)")
      }
      return try number(word, "_cell_" + name, path)
    }
    let lengths = SIMD3(
      try cellValue("length_a"), try cellValue("length_b"), try cellValue("length_c"))
    let angles = SIMD3(
      try cellValue("angle_alpha"), try cellValue("angle_beta"), try cellValue("angle_gamma"))
    guard (0..<3).allSatisfy({ lengths[$0] > 0 && angles[$0] > 0 && angles[$0] < 180 }),
      let cell = try? Cell(lengths: lengths, angles: angles)
    else {
      throw error("there is no cell of these lengths and angles", at: block.value("_cell_length_a"))
    }
    let operations = try symmetry(block, path)

    guard let xs = block.column(["_atom_site_fract_x"]),
      let ys = block.column(["_atom_site_fract_y"]), let zs = block.column(["_atom_site_fract_z"]),
      ys.count == xs.count, zs.count == xs.count
    else {
      throw error(
        "expected _atom_site_fract_x, _y and _z; Cartesian sites are not read",
        "Export the structure with fractional coordinates")
    }
    let types = block.column(["_atom_site_type_symbol"])
    let labels = block.column(["_atom_site_label"])
    let occupancies = block.column(["_atom_site_occupancy"])
    let flags = block.column(["_atom_site_calc_flag"])
    guard types != nil || labels != nil else {
      throw error("expected _atom_site_type_symbol or _atom_site_label, found neither")
    }

    var elements: [Element] = []
    var positions: [SIMD3<Double>] = []
    var fractions: [SIMD3<Double>] = []
    for site in xs.indices {
      if let flag = flags?[site], flag.text.lowercased() == "dum" {
        throw error("a dummy site", "Remove it: a potential knows elements only", at: flag)
      }
      let element: Element
      if let types {
        element = try ElementSymbol.parse(
          types[site].text, file: path, line: types[site].line, column: types[site].column)
      } else if let label = labels?[site] {
        let letters = String(label.text.prefix { $0.isASCII && $0.isLetter })
        guard let found = Element(symbol: letters) else {
          _ = try ElementSymbol.parse(letters, file: path, line: label.line, column: label.column)
          throw error("expected a label that begins with an element symbol", at: label)
        }
        element = found
      } else {
        continue
      }
      if let word = occupancies?[site], word.text != ".", word.text != "?" {
        let occupancy = try number(word, "_atom_site_occupancy", path)
        guard abs(occupancy - 1) < 1e-3 else {
          throw error(
            "the site \(labels?[site].text ?? element.symbol) is occupied to \(word.text)",
            "Write an ordered structure: every site whole or absent", at: word)
        }
      }
      let s = SIMD3(
        try number(xs[site], "_atom_site_fract_x", path),
        try number(ys[site], "_atom_site_fract_y", path),
        try number(zs[site], "_atom_site_fract_z", path))
      let first = fractions.count
      for operation in operations {
        var image = operation(s)
        // The listed site stays where it is written; its copies go into the cell.
        if operation != .identity {
          for k in 0..<3 {
            image[k] -= image[k].rounded(.down)
            if image[k] > 1 - 1e-9 { image[k] = 0 }
          }
        }
        if let same = fractions.indices.first(where: {
          distance(fractions[$0], image, cell) < mergeDistance
        }) {
          guard same >= first || elements[same] == element else {
            throw error(
              "the sites of \(elements[same]) and \(element) coincide",
              "Write an ordered structure: one element for each site", at: xs[site])
          }
          continue
        }
        fractions.append(image)
        elements.append(element)
        positions.append(cell.cartesian(image))
      }
    }
    guard !elements.isEmpty else { throw error("there are no atom sites") }
    var frame = StructureFrame(
      structure: Structure(
        elements: elements, positions: positions, cell: cell, periodicity: .all))
    if !block.name.isEmpty { frame.setInfo("comment", block.name) }
    return frame
  }

  private static func distance(_ s: SIMD3<Double>, _ t: SIMD3<Double>, _ cell: Cell) -> Double {
    var d = s - t
    for k in 0..<3 { d[k] -= d[k].rounded() }
    let v = cell.cartesian(d)
    return dot(v, v).squareRoot()
  }

  private static func symmetry(_ block: Block, _ path: String) throws(InputError)
    -> [SymmetryOperation]
  {
    let tags = [
      "_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz",
      "_space_group_symop.operation_xyz",
    ]
    if let words = block.column(tags) {
      var result: [SymmetryOperation] = []
      for word in words {
        // Some programs put the number of the operation before it.
        let text = word.text.drop { $0 == " " }
        guard let operation = SymmetryOperation(String(text)) else {
          throw InputError(
            "expected a symmetry operation such as -x,y+1/2,-z, found '\(word.text.prefix(40))'",
            file: path, line: word.line, column: word.column)
        }
        result.append(operation)
      }
      if !result.contains(.identity) { result.insert(.identity, at: 0) }
      return result
    }
    let number = block.value("_space_group_it_number", "_symmetry_int_tables_number")
    let name = block.value(
      "_space_group_name_h-m_alt", "_symmetry_space_group_name_h-m", "_space_group_name_h-m")
    let isTrivial = [".", "?", "1", "p1"]
    if let word = [number, name].compactMap({ $0 }).first(where: {
      !isTrivial.contains($0.text.lowercased().filter { $0 != " " })
    }) {
      throw InputError(
        "the space group \(word.text) is named, but its symmetry operations are not listed",
        remedy: "Export the CIF with _space_group_symop_operation_xyz, or expand it to P 1",
        file: path, line: word.line, column: word.column)
    }
    return [.identity]
  }
}
