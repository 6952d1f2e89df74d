import Matter

/// Reads LAMMPS data files of atom styles atomic, charge, molecular (bond, angle) and full.
enum LAMMPSDataReader {
  private static let sections: Set<String> = [
    "Masses", "Atoms", "Velocities", "Bonds", "Angles", "Dihedrals", "Impropers", "Pair", "PairIJ",
    "Bond", "Angle", "Dihedral", "Improper", "Atom", "Ellipsoids", "Lines", "Triangles", "Bodies",
    "BondBond", "BondAngle", "MiddleBondTorsion", "EndBondTorsion", "AngleTorsion",
    "AngleAngleTorsion", "BondBond13", "AngleAngle",
  ]

  private struct Row {
    var tokens: [LineReader.Token]
    var comment: String
    var line: Int
  }

  static func read(_ path: String) throws(InputError) -> StructureFrame {
    let lines = try LineReader(path, expecting: "a LAMMPS data file")
    let title = String(decoding: try lines.next() ?? [], as: UTF8.self)
    var low = SIMD3<Double>.zero
    var high = SIMD3<Double>.zero
    var bounds = [false, false, false]
    var tilt = SIMD3<Double>.zero
    var general: [String: SIMD3<Double>] = [:]
    var atomCount: Int?
    var rows: [String: [Row]] = [:]
    var style = ""
    var section = ""
    while let line = try lines.next() {
      let hash = line.firstIndex(of: 35)
      let comment =
        hash.map {
          LineReader.tokens(Array(line[($0 + 1)...])).map(\.text).joined(separator: " ")
        } ?? ""
      let tokens = LineReader.tokens(Array(line[..<(hash ?? line.count)]))
      guard let first = tokens.first else { continue }
      let isNumber = NumberText.double(first.bytes) != nil
      if !isNumber, sections.contains(first.text) {
        section = tokens.map(\.text).joined(separator: " ")
        guard rows[section] == nil else {
          throw lines.error("the section \(section) is given twice", column: first.column)
        }
        rows[section] = []
        if section == "Atoms" { style = comment.split(separator: " ").first.map(String.init) ?? "" }
        continue
      }
      if !section.isEmpty {
        if ["Masses", "Atoms", "Velocities", "Atom Type Labels"].contains(section) {
          rows[section]?.append(Row(tokens: tokens, comment: comment, line: lines.number))
        }
        continue
      }
      // The head: numbers, then words.
      let words = tokens.drop { NumberText.double($0.bytes) != nil }.map(\.text)
      switch words {
      case ["atoms"]:
        let count = try lines.integer(first, "the number of atoms")
        guard count > 0 else {
          throw lines.error("expected a positive number of atoms, found \(count)")
        }
        atomCount = count
      case ["xlo", "xhi"], ["ylo", "yhi"], ["zlo", "zhi"]:
        let k = words[0] == "xlo" ? 0 : words[0] == "ylo" ? 1 : 2
        guard tokens.count == 4 else {
          throw lines.error("expected two numbers before \(words[0])")
        }
        low[k] = try lines.real(tokens[0], words[0])
        high[k] = try lines.real(tokens[1], words[1])
        bounds[k] = true
      case ["xy", "xz", "yz"]: tilt = try lines.vector(tokens[...], "tilt")
      case ["avec"], ["bvec"], ["cvec"], ["abc", "origin"]:
        general[words[0]] = try lines.vector(tokens[...], words[0])
      default:
        guard isNumber else {
          throw lines.error(
            "expected a line of the head or a section such as Atoms, found '\(first.text.prefix(40))'",
            column: first.column)
        }
      }
    }

    guard let atomCount else {
      throw InputError("expected a line 'N atoms', found none", file: path)
    }
    let cell: Cell
    do {
      if let a = general["avec"], let b = general["bvec"], let c = general["cvec"] {
        cell = try Cell(a: a, b: b, c: c)
      } else {
        guard bounds.allSatisfy({ $0 }) else {
          throw InputError("expected lines 'xlo xhi', 'ylo yhi' and 'zlo zhi'", file: path)
        }
        let edge = high - low
        cell = try Cell(
          a: [edge.x, 0, 0], b: [tilt.x, edge.y, 0], c: [tilt.y, tilt.z, edge.z])
      }
    } catch let error as InputError {
      throw error
    } catch {
      throw InputError("the box spans no volume", file: path)
    }
    let types = try self.types(rows, path)
    return try atoms(
      rows, count: atomCount, style: style, types: types, cell: cell, title: title, path: path)
  }

  // MARK: types

  private struct AtomType {
    var element: Element
    var mass: Double
  }

  /// The element of each type by name or number: from the comment in Masses, from type labels, or
  /// by the mass.
  private static func types(_ rows: [String: [Row]], _ path: String) throws(InputError) -> [String:
    AtomType]
  {
    guard let masses = rows["Masses"], !masses.isEmpty else {
      throw InputError(
        "expected a section Masses, which tells the elements, found none",
        remedy: "Add one with comments: 1 28.085 # Si", file: path)
    }
    var labels: [String: String] = [:]
    for row in rows["Atom Type Labels"] ?? [] where row.tokens.count >= 2 {
      labels[row.tokens[0].text] = row.tokens[1].text
    }
    var result: [String: AtomType] = [:]
    for row in masses {
      guard row.tokens.count == 2, let mass = NumberText.double(row.tokens[1].bytes), mass > 0
      else {
        throw InputError(
          "expected a type and its positive mass", file: path, line: row.line)
      }
      let key = row.tokens[0].text
      let names = [row.comment.split(separator: " ").first.map(String.init), labels[key], key]
      var element: Element?
      for name in names.compactMap({ $0 }) where element == nil { element = Element(symbol: name) }
      element = element ?? Element(naturalMass: mass)
      guard let element else {
        throw InputError(
          "type \(key) of mass \(mass) is no single element",
          remedy: "Name it in a comment: \(key) \(mass) # Si", file: path, line: row.line)
      }
      result[key] = AtomType(element: element, mass: mass)
      if let label = labels[key] { result[label] = result[key] }
      for (number, label) in labels where label == key { result[number] = result[key] }
    }
    return result
  }

  // MARK: atoms

  private static func atoms(
    _ rows: [String: [Row]], count: Int, style: String, types: [String: AtomType], cell: Cell,
    title: String, path: String
  ) throws(InputError) -> StructureFrame {
    let atomRows = rows["Atoms"] ?? []
    guard atomRows.count == count else {
      throw InputError(
        "expected \(count) lines in the section Atoms, found \(atomRows.count)", file: path,
        line: atomRows.last?.line)
    }
    func error(_ message: String, _ row: Row, _ column: Int? = nil, _ remedy: String = "")
      -> InputError
    {
      InputError(message, remedy: remedy, file: path, line: row.line, column: column)
    }
    let width = atomRows[0].tokens.count
    for row in atomRows where row.tokens.count != width {
      throw error("expected \(width) columns for an atom, found \(row.tokens.count)", row)
    }
    let columns = try layout(style, width, atomRows, types, path)
    func real(_ row: Row, _ k: Int, _ what: String) throws(InputError) -> Double {
      guard let value = NumberText.double(row.tokens[k].bytes) else {
        throw error(
          "expected \(what), found \(NumberText.problem(row.tokens[k].bytes))", row,
          row.tokens[k].column)
      }
      return value
    }
    var atoms: [(id: Int, type: AtomType, position: SIMD3<Double>, charge: Double)] = []
    for row in atomRows {
      guard let id = NumberText.integer(row.tokens[0].bytes) else {
        throw error("expected the number of an atom, found '\(row.tokens[0].text)'", row, 1)
      }
      let token = row.tokens[columns.type]
      guard let type = types[token.text] else {
        throw error("type \(token.text) is not in the section Masses", row, token.column)
      }
      var p = SIMD3(
        try real(row, columns.x, "x"), try real(row, columns.x + 1, "y"),
        try real(row, columns.x + 2, "z"))
      if width == columns.x + 6 {
        p += cell.cartesian([
          try real(row, columns.x + 3, "ix"), try real(row, columns.x + 4, "iy"),
          try real(row, columns.x + 5, "iz"),
        ])
      }
      var charge = 0.0
      if let k = columns.charge { charge = try real(row, k, "the charge") }
      atoms.append((id, type, p, charge))
    }
    let order = atoms.indices.sorted { atoms[$0].id < atoms[$1].id }
    for (i, j) in zip(order, order.dropFirst()) where atoms[i].id == atoms[j].id {
      throw error("atom \(atoms[i].id) is given twice", atomRows[max(i, j)])
    }
    var structure = Structure(
      elements: order.map { atoms[$0].type.element }, positions: order.map { atoms[$0].position },
      cell: cell, periodicity: .all)
    let masses = order.map { atoms[$0].type.mass }
    // Rounded natural masses are not a choice of the user.
    if zip(masses, structure.elements).contains(where: { abs($0 - $1.mass) > 0.05 }) {
      structure.masses = masses
    }
    if let velocityRows = rows["Velocities"] {
      let perUnit = try velocityUnit(title, path)
      var byID: [Int: SIMD3<Double>] = [:]
      for row in velocityRows {
        guard row.tokens.count >= 4, let id = NumberText.integer(row.tokens[0].bytes) else {
          throw error("expected an atom and three numbers", row)
        }
        byID[id] =
          SIMD3(try real(row, 1, "vx"), try real(row, 2, "vy"), try real(row, 3, "vz")) * perUnit
      }
      var velocities: [SIMD3<Double>] = []
      for i in order {
        guard let v = byID[atoms[i].id] else {
          throw error("atom \(atoms[i].id) has no velocity", atomRows[i])
        }
        velocities.append(v)
      }
      structure.velocities = velocities
    }
    var frame = StructureFrame(structure: structure)
    if columns.charge != nil {
      frame.arrays.append(
        AtomColumn(name: "charge", width: 1, values: .reals(order.map { atoms[$0].charge })))
    }
    return frame
  }

  private static func layout(
    _ style: String, _ width: Int, _ rows: [Row], _ types: [String: AtomType], _ path: String
  ) throws(InputError) -> (type: Int, charge: Int?, x: Int) {
    let columns: (type: Int, charge: Int?, x: Int)
    switch style {
    case "atomic": columns = (1, nil, 2)
    case "charge": columns = (1, 2, 3)
    case "molecular", "bond", "angle": columns = (2, nil, 3)
    case "full": columns = (2, 3, 4)
    case "":
      switch width {
      case 5, 8: columns = (1, nil, 2)
      case 6, 9:
        // id molecule type, or id type charge: charges that are all numbers of types are unlikely.
        let molecular = rows.allSatisfy { types[$0.tokens[2].text] != nil }
        let charge = rows.allSatisfy { types[$0.tokens[1].text] != nil }
        guard molecular || charge else {
          throw InputError(
            "the atom style cannot be told from the columns",
            remedy: "Write the head of the section as 'Atoms # charge' or 'Atoms # molecular'",
            file: path, line: rows[0].line)
        }
        columns = molecular ? (2, nil, 3) : (1, 2, 3)
      case 7, 10: columns = (2, 3, 4)
      default:
        throw InputError(
          "expected 5 to 10 columns for an atom, found \(width)", file: path, line: rows[0].line)
      }
    default:
      throw InputError(
        "the atom style \(style) is not read",
        remedy: "Write the data file with atom style atomic, charge, molecular or full",
        file: path, line: rows[0].line)
    }
    guard width == columns.x + 3 || width == columns.x + 6 else {
      throw InputError(
        "expected \(columns.x + 3) or \(columns.x + 6) columns for atom style \(style), found "
          + "\(width)", file: path, line: rows[0].line)
    }
    return columns
  }

  /// One velocity unit of the file in internal units: `units = NAME` in the title, metal without.
  private static func velocityUnit(_ title: String, _ path: String) throws(InputError) -> Double {
    guard let range = title.firstRange(of: "units = ") else {
      return 1 / Units.angstromPerPicosecond
    }
    switch title[range.upperBound...].prefix(while: { $0.isLetter }) {
    case "metal": return 1 / Units.angstromPerPicosecond
    case "real": return Units.timeUnit
    case let name:
      throw InputError(
        "LAMMPS units \(name) are not read", remedy: "Convert the file to metal units", file: path,
        line: 1)
    }
  }
}
