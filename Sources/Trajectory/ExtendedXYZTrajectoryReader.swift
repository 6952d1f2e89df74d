import Matter

/// Reads extended XYZ as a trajectory: positions, velocities and forces of the same atoms in every
/// frame, as ASE, GPUMD, MACE, janus-core and this program write them, without keeping anything
/// else. A last frame that is not whole, or has no line end, is left out and reported.
final class ExtendedXYZTrajectoryReader: TrajectoryReader {
  private(set) var facts: TrajectoryFacts
  private(set) var damage: String?
  private let scanner: TextScanner
  private let symbols: [UInt32]
  private let masses: [Double]
  private var frame = 0
  private var layout = Layout()
  /// Position, velocity and force of the line being read.
  private let numbers: UnsafeMutablePointer<Double>

  deinit { numbers.deallocate() }

  init(path: String) throws(InputError) {
    scanner = try TextScanner(path, expecting: "an extended XYZ file")
    numbers = .allocate(capacity: 9)
    numbers.initialize(repeating: 0, count: 9)
    facts = TrajectoryFacts(path: path, kind: .extendedXYZ, atomCount: 0)
    // The first frame is read twice: for its elements and masses, and as a frame.
    let first = try Self.firstFrame(path, scanner)
    facts.atomCount = first.structure.count
    facts.elements = first.structure.elements
    facts.masses = first.structure.masses
    masses = first.structure.masses ?? first.structure.elements.map(\.mass)
    symbols = first.structure.elements.map { Self.code(Array($0.symbol.utf8)) }
    let count = try scanner.next()
    guard count != nil, let comment = try scanner.next() else {
      throw scanner.error("holds no frame")
    }
    let header = try ExtendedXYZHeader(comment.bytes, path: path, line: 2)
    let layout = Layout(header)
    facts.hasVelocities = layout.velocity != .none
    facts.hasForces = layout.hasForces
    facts.hasCell = header.cell != nil
    facts.wrapping =
      header.cell == nil || layout.position == "unwrapped_position"
        || header.info.contains { $0.key == "apus_coordinates" && $0.value == "unwrapped" }
      ? .unwrapped : .unknown
    try scanner.rewind()
    var values = FrameValues()
    guard try skip(into: &values) else {
      throw InputError("holds no whole frame" + (damage.map { ": \($0)" } ?? ""), file: path)
    }
    try scanner.rewind()
    frame = 0
  }

  func next(into frame: inout TrajectoryFrame) throws(InputError) -> Bool {
    guard let header = try heading() else { return false }
    let count = facts.atomCount
    let layout = self.layout
    guard facts.hasVelocities == (layout.velocity != .none) else {
      throw unlike("velocities", layout.velocity != .none, header)
    }
    guard facts.hasForces == layout.hasForces else {
      throw unlike("forces", layout.hasForces, header)
    }
    frame.values = FrameValues(
      info: header.info, cell: header.cell, periodicity: header.periodicity)
    let velocityUnit = layout.velocity == .angstromPerFemtosecond ? Units.timeUnit : 1
    let numbers = self.numbers
    let (positions, velocities, forces) = (
      VectorsView(frame.positions), VectorsView(frame.velocities), VectorsView(frame.forces)
    )
    let (hasVelocities, hasForces) = (facts.hasVelocities, facts.hasForces)
    let isMomentum = layout.velocity == .momenta
    for atom in 0..<count {
      guard var fields = try line(of: atom) else { return false }
      for code in layout.codes {
        switch code {
        case Layout.unused:
          guard fields.skip() else { throw tooFew(fields, header, atom) }
        case Layout.species:
          let word = fields.word()
          guard Self.code(word) == symbols[atom] else {
            throw otherAtom(fields, word, header, atom)
          }
        default:
          guard let value = fields.double() else {
            if !fields.hasMore() { throw tooFew(fields, header, atom) }
            throw scanner.error(expected: "a number (\(layout.name(of: code)))", fields)
          }
          numbers[Int(code)] = value
        }
      }
      if fields.hasMore() {
        throw scanner.error(
          "expected \(layout.codes.count) columns for an atom, found more",
          header.plain ? "Name further columns by Properties=species:S:1:pos:R:3:…" : "",
          column: fields.column)
      }
      positions[atom] = SIMD3(numbers[0], numbers[1], numbers[2])
      if hasVelocities {
        let unit = isMomentum ? 1 / masses[atom] : velocityUnit
        velocities[atom] = SIMD3(numbers[3], numbers[4], numbers[5]) * unit
      }
      if hasForces { forces[atom] = SIMD3(numbers[6], numbers[7], numbers[8]) }
    }
    self.frame += 1
    return true
  }

  func skip(into values: inout FrameValues) throws(InputError) -> Bool {
    guard let header = try nextHeader() else { return false }
    values = FrameValues(
      info: header.info, cell: header.cell, periodicity: header.periodicity)
    return true
  }

  /// Passes over the next frame and reads its comment line; nil after the last whole frame.
  func nextHeader() throws(InputError) -> ExtendedXYZHeader? {
    guard let header = try heading() else { return nil }
    for atom in 0..<facts.atomCount {
      guard try line(of: atom) != nil else { return nil }
    }
    frame += 1
    return header
  }

  // MARK: lines

  /// The comment line of the next frame; nil at the end, or where the last frame is cut.
  private func heading() throws(InputError) -> ExtendedXYZHeader? {
    guard damage == nil, var fields = try scanner.next() else { return ended() }
    if !fields.hasMore() {
      while let line = try scanner.next() {
        var rest = line
        if rest.hasMore() {
          throw scanner.error(
            "expected the number of atoms of frame \(frame + 1), found a blank line",
            "Remove blank lines between frames", line: scanner.number - 1)
        }
      }
      return ended()
    }
    if scanner.lineIsCut { return cut("in its number of atoms") }
    let rest = fields
    guard let count = fields.integer(), !fields.hasMore() else {
      throw scanner.error(
        "expected the number of atoms of frame \(frame + 1) or the end of the file, found "
          + "'\(rest.text.prefix(40))'")
    }
    guard count == facts.atomCount else {
      throw scanner.error(
        "frame \(frame + 1) has \(count) atoms, the first has \(facts.atomCount)",
        "A trajectory holds one set of atoms")
    }
    guard let comment = try scanner.next(), !scanner.lineIsCut else {
      return cut("in its comment line")
    }
    let header = try ExtendedXYZHeader(comment.bytes, path: facts.path, line: scanner.number)
    if frame == 0 || header.columns != layout.columns { layout = Layout(header) }
    guard (header.cell != nil) == facts.hasCell else {
      throw unlike("a cell", !facts.hasCell, header)
    }
    return header
  }

  private func line(of atom: Int) throws(InputError) -> Fields? {
    if let fields = try scanner.next(), !scanner.lineIsCut { return fields }
    if scanner.lineIsCut {
      cut("in the line of atom \(atom + 1), which has no line end")
    } else {
      cut("after \(atom) of \(facts.atomCount) atoms")
    }
    return nil
  }

  @discardableResult
  private func cut(_ place: String) -> ExtendedXYZHeader? {
    damage =
      (scanner.earlyEnd ?? "the file ends") + " inside frame \(frame + 1), \(place); \(frame) "
      + "frame\(frame == 1 ? "" : "s") usable"
    return nil
  }

  private func ended() -> ExtendedXYZHeader? {
    if damage == nil, let early = scanner.earlyEnd {
      damage = "\(early), after frame \(frame)"
    }
    return nil
  }

  // MARK: errors

  private func unlike(_ what: String, _ has: Bool, _ header: ExtendedXYZHeader) -> InputError {
    scanner.error(
      "frame \(frame + 1) has \(has ? "" : "no ")\(what.hasPrefix("a ") && !has ? String(what.dropFirst(2)) : what), unlike the first",
      line: header.line)
  }

  private func tooFew(_ fields: Fields, _ header: ExtendedXYZHeader, _ atom: Int) -> InputError {
    let words = fields.words(fromStart: true)
    if words.isEmpty || (words.count == 1 && Int(words[0]) != nil) {
      return scanner.error(
        "expected \(facts.atomCount) atoms in frame \(frame + 1) (line \(header.line - 1)), found "
          + "\(atom)")
    }
    return scanner.error(
      "expected \(layout.codes.count) columns for an atom, found \(words.count)")
  }

  private func otherAtom(
    _ fields: Fields, _ word: UnsafeBufferPointer<UInt8>, _ header: ExtendedXYZHeader, _ atom: Int
  ) -> InputError {
    if word.isEmpty || fields.words(fromStart: true).count == 1 {
      return tooFew(fields, header, atom)
    }
    let symbol = facts.elements?[atom].symbol ?? ""
    return scanner.error(
      "atom \(atom + 1) of frame \(frame + 1) is \(String(decoding: word, as: UTF8.self)), in the "
        + "first frame it is \(symbol)", "A trajectory holds one set of atoms in one order")
  }

  // MARK: parts

  /// The symbol of an element in one number.
  @inline(__always)
  private static func code(_ word: some Collection<UInt8>) -> UInt32 {
    word.count > 3 ? .max : word.reduce(0) { $0 << 8 | UInt32($1) }
  }

  private static func firstFrame(_ path: String, _ scanner: TextScanner) throws(InputError)
    -> StructureFrame
  {
    guard let frame = try ExtendedXYZReader(path: path).next() else {
      throw scanner.error("holds no frame")
    }
    return frame
  }

  /// What is done with each column of a line.
  private struct Layout {
    enum Velocity { case none, angstromPerFemtosecond, internalUnits, momenta }
    static let species: UInt8 = 254
    static let unused: UInt8 = 255
    var columns: [ExtendedXYZHeader.Column] = []
    /// 0 to 8 are components of position, velocity and force.
    var codes: [UInt8] = []
    var velocity = Velocity.none
    var hasForces = false
    var position = "pos"
    private var velocityName = ""
    private var forceName = ""

    init() {}

    init(_ header: ExtendedXYZHeader) {
      columns = header.columns
      func find(_ names: [String]) -> String? {
        for name in names {
          for column in header.columns where column.name.lowercased() == name && column.isReal(3) {
            return column.name
          }
        }
        return nil
      }
      position = find(["unwrapped_position", "pos"]) ?? "pos"
      velocityName = find(["vel", "velocities", "momenta"]) ?? ""
      forceName = find(["forces", "force"]) ?? ""
      hasForces = !forceName.isEmpty
      velocity =
        switch velocityName.lowercased() {
        case "vel": .angstromPerFemtosecond
        case "velocities": .internalUnits
        case "momenta": .momenta
        default: .none
        }
      for column in columns {
        for k in 0..<column.width {
          switch column.name {
          case position: codes.append(UInt8(k))
          case velocityName where !velocityName.isEmpty: codes.append(3 + UInt8(k))
          case forceName where hasForces: codes.append(6 + UInt8(k))
          default:
            codes.append(column.name.lowercased() == "species" ? Self.species : Self.unused)
          }
        }
      }
    }

    func name(of code: UInt8) -> String {
      code < 3 ? position : code < 6 ? velocityName : forceName
    }
  }
}
