import Matter

/// Reads LAMMPS text dumps of styles atom and custom: wrapped, unwrapped and scaled positions, image
/// flags, boxes of every shape; atoms are put in the order of their numbers. A last frame that is
/// not whole, or has no line end, is left out and reported.
final class LAMMPSDumpReader: TrajectoryReader {
  private(set) var facts: TrajectoryFacts
  private(set) var damage: String?
  private let scanner: TextScanner
  private var units: LAMMPSUnits
  private let unitsGiven: LAMMPSUnits?
  private var layout = Layout()
  private var order: AtomOrder?
  /// Symbol or type of each atom in the first frame.
  private var kinds: [Int] = []
  private var frame = 0
  /// Position, image, velocity and force of the line being read.
  private let numbers: UnsafeMutablePointer<Double>

  deinit { numbers.deallocate() }

  /// Opens a dump; without a line of units those given hold, or metal.
  init(path: String, units: LAMMPSUnits?) throws(InputError) {
    scanner = try TextScanner(path, expecting: "a LAMMPS dump")
    numbers = .allocate(capacity: 12)
    numbers.initialize(repeating: 0, count: 12)
    unitsGiven = units
    self.units = units ?? .metal
    facts = TrajectoryFacts(path: path, kind: .lammpsDump, atomCount: 0)
    facts.program = "LAMMPS"
    guard let heading = try heading() else { throw scanner.error(noFrame) }
    facts.atomCount = heading.count
    facts.hasVelocities = layout.has(Layout.velocity)
    facts.hasForces = layout.has(Layout.force)
    facts.hasCell = true
    if layout.isUnwrapped || heading.periodicity == .none {
      facts.wrapping = .unwrapped
    } else {
      facts.wrapping = .wrapped
    }
    try readAtoms()
    let assumed = unitsGiven == nil && !heading.hasUnits
    if assumed, facts.hasVelocities || facts.hasForces || heading.time != nil {
      facts.notes.append("the file does not tell its units; they are taken for metal (Å, ps, eV)")
    }
    if order == nil {
      facts.notes.append(
        "the dump has no column id: atoms are taken in the order in which they stand")
    }
    try scanner.rewind()
    frame = 0
    damage = nil
  }

  func next(into frame: inout TrajectoryFrame) throws(InputError) -> Bool {
    guard let heading = try heading() else { return false }
    frame.values = values(heading)
    let h = MatrixColumns(cartesian: heading.cell)
    let layout = self.layout
    let numbers = self.numbers
    let (positions, velocities, forces) = (
      VectorsView(frame.positions), VectorsView(frame.velocities), VectorsView(frame.forces)
    )
    let velocityUnit = units.velocity
    let forceUnit = units.force
    let (hasVelocities, hasForces) = (facts.hasVelocities, facts.hasForces)
    // Taken out of the object, so that no copy is made where it changes.
    var order = self.order.take()
    defer { self.order = order }
    order?.begin()
    let kinds = self.kinds
    for row in 0..<facts.atomCount {
      guard var fields = try line(of: row) else { return false }
      let atom = try read(&fields, row, numbers, layout, &order, kinds)
      var r = SIMD3(numbers[0], numbers[1], numbers[2])
      if layout.isScaled { r = heading.origin + h * r }
      if layout.usesImages { r += h * SIMD3(numbers[3], numbers[4], numbers[5]) }
      positions[atom] = r
      if hasVelocities {
        velocities[atom] = SIMD3(numbers[6], numbers[7], numbers[8]) * velocityUnit
      }
      if hasForces {
        forces[atom] = SIMD3(numbers[9], numbers[10], numbers[11]) * forceUnit
      }
    }
    self.frame += 1
    return true
  }

  func skip(into values: inout FrameValues) throws(InputError) -> Bool {
    guard let heading = try heading() else { return false }
    values = self.values(heading)
    for row in 0..<facts.atomCount {
      guard try line(of: row) != nil else { return false }
    }
    frame += 1
    return true
  }

  private func values(_ heading: Heading) -> FrameValues {
    FrameValues(
      timePs: heading.time.map { $0 * units.time }, step: heading.step, cell: heading.cell,
      periodicity: heading.periodicity)
  }

  // MARK: the head of a frame

  private struct Heading {
    var step: Int
    var time: Double?
    var count: Int
    var cell: Cell
    var origin: SIMD3<Double>
    var periodicity: Periodicity
    var hasUnits = false
  }

  /// The lines of a frame before its atoms; nil at the end, or where the last frame is cut.
  private func heading() throws(InputError) -> Heading? {
    guard damage == nil else { return nil }
    var step: Int?
    var time: Double?
    var count: Int?
    var box: Box?
    var hasUnits = false
    var begun = false
    while true {
      guard var fields = try scanner.next() else {
        if begun || scanner.earlyEnd != nil { cut("in its head") }
        return nil
      }
      if scanner.lineIsCut {
        // White space after the last frame is no frame.
        if begun || fields.hasMore() { cut("in its head") }
        return nil
      }
      guard fields.hasMore() else { continue }
      let words = fields.words()
      guard words[0] == "ITEM:", words.count > 1 else {
        throw scanner.error(
          "expected a line 'ITEM: …' of frame \(frame + 1), found '\(fields.text.prefix(40))'",
          begun ? "" : "Compare the number of atoms of frame \(frame) with its lines")
      }
      begun = true
      if words[1] == "ATOMS" {
        guard let count else { throw scanner.error("ITEM: NUMBER OF ATOMS is missing") }
        guard let box else { throw scanner.error("ITEM: BOX BOUNDS is missing") }
        let columns = Array(words[2...])
        if columns != layout.columns || layout.columns.isEmpty {
          guard frame == 0 else {
            throw scanner.error("frame \(frame + 1) has other columns than the first")
          }
          layout = try Layout(columns, scanner)
        }
        return Heading(
          step: step ?? 0, time: time, count: count, cell: box.cell, origin: box.origin,
          periodicity: box.periodicity, hasUnits: hasUnits)
      }
      if words[1] == "BOX" {
        guard let found = try self.box(words) else {
          cut("in its box")
          return nil
        }
        box = found
        continue
      }
      guard let next = try scanner.next(), !scanner.lineIsCut else {
        cut("in its head")
        return nil
      }
      var value = next
      switch words[1] {
      case "UNITS":
        let name = value.words().first ?? ""
        guard let found = LAMMPSUnits(rawValue: name) else {
          throw scanner.error(
            "LAMMPS units \(name) are not read", "Units metal and real are")
        }
        if let given = unitsGiven, given != found {
          throw scanner.error("the units are \(name) here, but given as \(given.rawValue)")
        }
        units = found
        hasUnits = true
      case "TIMESTEP":
        guard let number = value.integer() else {
          throw scanner.error(expected: "the number of the step", value)
        }
        step = number
      case "TIME":
        guard let number = value.double() else { throw scanner.error(expected: "the time", value) }
        time = number
      case "NUMBER":
        guard let number = value.integer(), number > 0 else {
          throw scanner.error(
            "expected a positive number of atoms, found '\(next.text.prefix(40))'")
        }
        guard facts.atomCount == 0 || number == facts.atomCount else {
          throw scanner.error(
            "frame \(frame + 1) has \(number) atoms, the first has \(facts.atomCount)",
            "A trajectory holds one set of atoms; dump a group that does not change")
        }
        count = number
      default:
        throw scanner.error(
          "unknown section '\(words.joined(separator: " ").prefix(40))'",
          "Write the dump by style atom or custom",
          line: scanner.number - 1)
      }
    }
  }

  private struct Box {
    var cell: Cell
    var origin: SIMD3<Double>
    var periodicity: Periodicity
  }

  /// `BOX BOUNDS`, of which the bounds of a triclinic box are those around it; nil where cut.
  private func box(_ words: [String]) throws(InputError) -> Box? {
    let head = scanner.number
    var names = Array(words.dropFirst(3))
    var periodicity = Periodicity.all
    let flags = names.suffix(3)
    if flags.count == 3, flags.allSatisfy({ $0.count == 2 && $0.allSatisfy("pfsm".contains) }) {
      let periodic = flags.map { $0 == "pp" }
      periodicity = Periodicity(a: periodic[0], b: periodic[1], c: periodic[2])
      names.removeLast(3)
    }
    let width =
      names.isEmpty ? 2 : names == ["abc", "origin"] ? 4 : names == ["xy", "xz", "yz"] ? 3 : 0
    guard width > 0 else {
      throw scanner.error(
        "expected BOX BOUNDS of an orthogonal box, with 'xy xz yz' or with 'abc origin', found "
          + "'\(names.joined(separator: " "))'")
    }
    var rows: [[Double]] = []
    for _ in 0..<3 {
      guard let line = try scanner.next(), !scanner.lineIsCut else { return nil }
      var fields = line
      var row: [Double] = []
      for _ in 0..<width {
        guard let value = fields.double() else {
          throw scanner.error(expected: "\(width) numbers of the box", fields)
        }
        row.append(value)
      }
      rows.append(row)
    }
    do {
      if width == 4 {
        let v = rows.map { SIMD3($0[0], $0[1], $0[2]) }
        return Box(
          cell: try Cell(a: v[0], b: v[1], c: v[2]), origin: [rows[0][3], rows[1][3], rows[2][3]],
          periodicity: periodicity)
      }
      let (xy, xz, yz) = width == 3 ? (rows[0][2], rows[1][2], rows[2][2]) : (0, 0, 0)
      let low = SIMD3(
        rows[0][0] - min(0, xy, xz, xy + xz), rows[1][0] - min(0, yz), rows[2][0])
      let high = SIMD3(
        rows[0][1] - max(0, xy, xz, xy + xz), rows[1][1] - max(0, yz), rows[2][1])
      let edge = high - low
      guard edge.x > 0, edge.y > 0, edge.z > 0 else { throw Cell.Problem.noVolume }
      return Box(
        cell: try Cell(a: [edge.x, 0, 0], b: [xy, edge.y, 0], c: [xz, yz, edge.z]), origin: low,
        periodicity: periodicity)
    } catch {
      throw scanner.error("the box spans no volume", line: head + 1)
    }
  }

  // MARK: atoms

  private func line(of row: Int) throws(InputError) -> Fields? {
    if let fields = try scanner.next(), !scanner.lineIsCut { return fields }
    if scanner.lineIsCut {
      cut("in line \(row + 1) of its atoms, which has no line end")
    } else {
      cut("after \(row) of \(facts.atomCount) atoms")
    }
    return nil
  }

  /// The numbers of a line of an atom.
  /// - Returns: the place of the atom.
  @inline(__always)
  private func read(
    _ fields: inout Fields, _ row: Int, _ numbers: UnsafeMutablePointer<Double>,
    _ layout: Layout,
    _ order: inout AtomOrder?, _ kinds: [Int]
  ) throws(InputError) -> Int {
    var number = row
    var kind = -1
    for code in layout.codes {
      switch code {
      case Layout.unused: if !fields.skip() { throw short(fields) }
      case Layout.id:
        guard let value = fields.integer() else {
          throw fields.hasMore()
            ? scanner.error(expected: "the number of an atom", fields) : short(fields)
        }
        number = value
      case Layout.type:
        guard let value = fields.integer() else {
          throw fields.hasMore() ? scanner.error(expected: "a type", fields) : short(fields)
        }
        if layout.kindIsType { kind = value }
      case Layout.element:
        kind = Self.code(fields.word())
      default:
        guard let value = fields.double() else {
          throw fields.hasMore()
            ? scanner.error(expected: "a number (\(layout.name(of: code)))", fields)
            : short(fields)
        }
        numbers[Int(code)] = value
      }
    }
    if fields.hasMore() {
      throw scanner.error(
        "expected \(layout.codes.count) columns for an atom, found more", column: fields.column)
    }
    var place = row
    do throws(AtomOrder.Problem) {
      if let found = try order?.place(of: number) { place = found }
    } catch {
      throw scanner.error(
        error == .twice
          ? "atom \(number) stands twice in frame \(frame + 1)"
          : "atom \(number) is not in the first frame",
        error == .twice ? "" : "A trajectory holds one set of atoms")
    }
    guard kinds[place] == kind else {
      throw scanner.error(
        "the \(layout.kindIsType ? "type" : "element") of atom \(number) differs from that in the "
          + "first frame", "A trajectory holds one set of atoms")
    }
    return place
  }

  private func short(_ fields: Fields) -> InputError {
    let words = fields.words(fromStart: true)
    if words.first == "ITEM:" {
      return scanner.error(
        "expected \(facts.atomCount) atoms in frame \(frame + 1), found fewer")
    }
    return scanner.error("expected \(layout.codes.count) columns for an atom, found \(words.count)")
  }

  /// The symbol of an element in one number.
  @inline(__always)
  private static func code(_ word: some Collection<UInt8>) -> Int {
    word.reduce(0) { $0 << 8 & 0xffff_ffff | Int($1) }
  }

  /// Numbers, elements, types and masses of the atoms of the first frame.
  private func readAtoms() throws(InputError) {
    var ids: [Int] = []
    var types: [Int] = []
    var masses: [Double] = []
    var elements: [Element] = []
    var codes: [Int] = []
    for row in 0..<facts.atomCount {
      guard var fields = try line(of: row) else { throw scanner.error(noFrame) }
      for (column, code) in layout.codes.enumerated() {
        switch code {
        case Layout.id, Layout.type:
          guard let value = fields.integer() else {
            throw scanner.error(
              expected: code == Layout.id ? "the number of an atom" : "a type", fields)
          }
          if code == Layout.id { ids.append(value) } else { types.append(value) }
        case Layout.element:
          guard fields.hasMore() else { throw short(fields) }
          let place = fields.column
          let word = Array(fields.word())
          let value = Self.code(word)
          if let known = codes.firstIndex(of: value), codes.count < 1000 {
            elements.append(elements[known])
          } else {
            elements.append(
              try ElementSymbol.parse(
                String(decoding: word, as: UTF8.self), file: facts.path, line: scanner.number,
                column: place))
          }
          codes.append(value)
        default:
          if layout.columns[column] == "mass" {
            guard let mass = fields.double(), mass > 0 else {
              throw scanner.error(expected: "a positive mass", fields)
            }
            masses.append(mass)
          } else if !fields.skip() {
            throw short(fields)
          }
        }
      }
    }
    var places = Array(0..<facts.atomCount)
    if !ids.isEmpty {
      guard let order = AtomOrder(ids) else {
        throw InputError(
          "the numbers (id) of two atoms of the first frame are equal", file: facts.path)
      }
      self.order = order
      places.sort { ids[$0] < ids[$1] }
    }
    if !types.isEmpty { facts.types = places.map { types[$0] } }
    if !masses.isEmpty { facts.masses = places.map { masses[$0] } }
    if !elements.isEmpty {
      facts.elements = places.map { elements[$0] }
    } else if let masses = facts.masses {
      var known: [Double: Element] = [:]
      for mass in Set(masses) { known[mass] = Element(naturalMass: mass) }
      let found = masses.map { known[$0] }
      if found.allSatisfy({ $0 != nil }) { facts.elements = found.compactMap { $0 } }
    }
    kinds =
      layout.kindIsType
      ? (facts.types ?? []) : codes.isEmpty ? places.map { _ in -1 } : places.map { codes[$0] }
  }

  // MARK: damage

  private var noFrame: String { "holds no whole frame" + (damage.map { ": \($0)" } ?? "") }

  private func cut(_ place: String) {
    damage =
      (scanner.earlyEnd ?? "the file ends") + " inside frame \(frame + 1), \(place); \(frame) "
      + "frame\(frame == 1 ? "" : "s") usable"
  }

  // MARK: columns

  /// What each column holds. Codes 0 to 11 are components of position, image, velocity and force.
  private struct Layout {
    static let velocity: UInt8 = 6
    static let force: UInt8 = 9
    static let id: UInt8 = 12
    static let type: UInt8 = 13
    static let element: UInt8 = 14
    static let unused: UInt8 = 255
    var columns: [String] = []
    var codes: [UInt8] = []
    var isScaled = false
    var isUnwrapped = false
    var usesImages = false
    var kindIsType = false

    init() {}

    init(_ columns: [String], _ scanner: TextScanner) throws(InputError) {
      self.columns = columns
      codes = [UInt8](repeating: Self.unused, count: columns.count)
      guard Set(columns).count == columns.count else {
        throw scanner.error("a column is named twice: \(columns.joined(separator: " "))")
      }
      func all(_ names: [String]) -> Bool { names.allSatisfy(columns.contains) }
      let choices = [
        ["xu", "yu", "zu"], ["xsu", "ysu", "zsu"], ["x", "y", "z"], ["xs", "ys", "zs"],
      ]
      guard let position = choices.firstIndex(where: all) else {
        throw scanner.error(
          "expected columns x y z, xs ys zs, xu yu zu or xsu ysu zsu, found "
            + (columns.isEmpty ? "none" : "'\(columns.joined(separator: " ").prefix(60))'"),
          "Write the dump with 'dump … custom … id element xu yu zu'")
      }
      isScaled = position % 2 == 1
      let images = ["ix", "iy", "iz"]
      usesImages = position > 1 && all(images)
      isUnwrapped = position < 2 || usesImages
      let groups: [([String], UInt8)] = [
        (choices[position], 0), (usesImages ? images : [], 3),
        (all(["vx", "vy", "vz"]) ? ["vx", "vy", "vz"] : [], 6),
        (all(["fx", "fy", "fz"]) ? ["fx", "fy", "fz"] : [], 9),
      ]
      for (names, first) in groups {
        for (k, name) in names.enumerated() {
          if let column = columns.firstIndex(of: name) { codes[column] = first + UInt8(k) }
        }
      }
      for (name, code) in [("id", Self.id), ("type", Self.type), ("element", Self.element)] {
        if let column = columns.firstIndex(of: name) { codes[column] = code }
      }
      kindIsType = codes.contains(Self.type) && !codes.contains(Self.element)
    }

    func has(_ code: UInt8) -> Bool { codes.contains(code) }
    func name(of code: UInt8) -> String {
      codes.firstIndex(of: code).map { columns[$0] } ?? ""
    }
  }
}
