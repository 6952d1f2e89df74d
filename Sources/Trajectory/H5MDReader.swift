import Matter

/// Reads H5MD trajectories (de Buyl, Colberg, Höfling, Comput. Phys. Commun. 185, 1546 (2014)) through
/// libnetcdf: positions, images, velocities, box, times and steps of the one group of particles. A
/// file that is cut cannot be opened at all.
final class H5MDReader: TrajectoryReader {
  private(set) var facts: TrajectoryFacts
  let damage: String? = nil
  private let position: Quantity
  private let velocity, image, box: Quantity?
  private let repeats: Periodicity
  private let timeFactor: Double
  private var place = 0

  /// Whether an HDF5 file is one of H5MD.
  static func recognizes(_ path: String) -> Bool {
    guard let file = try? NetCDFFile(opening: path), let names = try? file.groupNames() else {
      return false
    }
    return names.contains("h5md") && names.contains("particles")
  }

  /// Opens a trajectory and checks its shapes and units.
  init(path: String) throws(InputError) {
    func fail(_ message: String) -> InputError { InputError(message, file: path) }
    let file = try Quantity.ask(path) { () throws(FileError) in try NetCDFFile(opening: path) }
    let particles = try Quantity.ask(path) { () throws(FileError) in try file.group("particles") }
    let names = try Quantity.ask(path) { () throws(FileError) in try particles?.groupNames() } ?? []
    let group = try Quantity.ask(path) { () throws(FileError) in
      names.count == 1 ? try particles?.group(names[0]) : nil
    }
    guard let group, var position = try Quantity("position", in: group),
      position.shape.count == 3, position.shape[1] > 0, position.shape[2] == 3
    else {
      throw fail(
        "expected one group of particles with positions in three dimensions, found "
          + (names.isEmpty ? "none" : names.joined(separator: ", ")))
    }
    let (frames, atoms) = (position.shape[0], position.shape[1])
    var facts = TrajectoryFacts(path: path, kind: .h5md, atomCount: atoms)
    facts.frameCount = frames
    let length = try position.unit(position.value)
    position.factor = try Self.factor(length, Self.lengths, "length", path)
    if length == nil { facts.notes.append("lengths are taken for Å: the file does not tell") }
    timeFactor = try Self.factor(
      position.time == nil ? nil : position.unit(position.time), Self.times, "time", path)

    func each(_ name: String) throws(InputError) -> Quantity? {
      guard let found = try Quantity(name, in: group), found.shape == [frames, atoms, 3] else {
        return nil
      }
      return found
    }
    image = try each("image")
    var velocity = try each("velocity")
    if let unit = try velocity?.unit(velocity?.value) {
      let words = unit.split { " /".contains($0) }
      let second = String((words.last ?? "").prefix { $0.isLetter })
      velocity?.factor =
        try Self.factor(words.first.map(String.init), Self.lengths, "length", path)
        / Self.factor(second, Self.times, "time", path) / Units.angstromPerPicosecond
    } else {
      if velocity != nil { facts.notes.append("velocities are not used: their unit is not told") }
      velocity = nil
    }
    facts.hasVelocities = velocity != nil

    let parent = try Quantity.ask(path) { () throws(FileError) in try group.group("box") }
    let attributes =
      try Quantity.ask(path) { () throws(FileError) in try parent?.attributes() } ?? []
    var boundary = ["periodic", "periodic", "periodic"]
    for (name, value) in attributes where name == "boundary" {
      if case .text(let text) = value { boundary = text.split(separator: " ").map(String.init) }
    }
    if boundary.count == 1 { boundary = [String](repeating: boundary[0], count: 3) }
    guard boundary.count == 3 else { throw fail("its box has \(boundary.count) boundaries, not 3") }
    let directions = boundary.map { $0 != "none" }
    repeats = Periodicity(a: directions[0], b: directions[1], c: directions[2])
    var box = directions.contains(true) ? try parent.flatMap(Quantity.edges) : nil
    box?.factor = position.factor
    if let box, ![[3], [3, 3]].contains(box.isSeries ? Array(box.shape.dropFirst()) : box.shape) {
      throw fail("the edges of its box have the shape \(box.shape), not that of a cell")
    }
    self.box = box
    facts.hasCell = box != nil
    if box == nil || image != nil { facts.wrapping = .unwrapped }
    if let species = try Quantity("species", in: group) {
      let numbers = try species.values(species.isSeries ? 0 : nil).map { Int(exactly: $0) ?? 0 }
      if numbers.count == atoms, numbers.allSatisfy({ $0 > 0 }) { facts.types = numbers }
    }
    self.facts = facts
    self.position = position
    self.velocity = velocity
  }

  private static let lengths = [
    "angstrom": 1, "angstroms": 1, "å": 1, "a": 1, "nm": 10, "nanometer": 10, "pm": 0.01,
  ]
  private static let times = ["ps": 1, "picosecond": 1, "fs": 1e-3, "ns": 1e3]

  private static func factor(
    _ unit: String?, _ known: [String: Double], _ what: String, _ path: String
  ) throws(InputError) -> Double {
    guard let unit else { return 1 }
    guard let factor = known[unit.lowercased()] else {
      throw InputError(
        "its \(what) unit '\(unit)' is not known",
        remedy: "Known are \(known.keys.sorted().joined(separator: ", "))", file: path)
    }
    return factor
  }

  /// Reads the next frame.
  func next(into frame: inout TrajectoryFrame) throws(InputError) -> Bool {
    let index = place
    guard try skip(into: &frame.values) else { return false }
    try position.vectors(index, into: frame.positions)
    try velocity?.vectors(index, into: frame.velocities)
    guard let box else { return true }
    let e = try box.values(box.isSeries ? index : nil)
    let cell: Cell
    do {
      cell =
        try e.count == 3
        ? Cell(orthogonal: [e[0], e[1], e[2]])
        : Cell(a: [e[0], e[1], e[2]], b: [e[3], e[4], e[5]], c: [e[6], e[7], e[8]])
    } catch {
      throw InputError("frame \(index + 1): \(error)", file: facts.path)
    }
    (frame.values.cell, frame.values.periodicity) = (cell, repeats)
    if let n = try image?.values(index) {
      for i in 0..<facts.atomCount {
        frame.positions[i] += cell.cartesian([n[3 * i], n[3 * i + 1], n[3 * i + 2]])
      }
    }
    return true
  }

  /// Passes over the next frame and reads its time and step.
  func skip(into values: inout FrameValues) throws(InputError) -> Bool {
    guard place < position.shape[0] else { return false }
    values = FrameValues(
      timePs: try position.number(position.time, place).map { $0 * timeFactor },
      step: try position.number(position.step, place).flatMap { Int(exactly: $0) })
    place += 1
    return true
  }

  /// `value` of a group with its times and steps, or a variable that does not change.
  private struct Quantity {
    let group: NetCDFFile
    let value: NetCDFFile.Variable
    let shape: [Int]
    let time, step: NetCDFFile.Variable?
    /// What makes the values ours.
    var factor = 1.0
    /// Whether there is a value for each frame.
    var isSeries: Bool { step != nil }

    init?(_ name: String, in parent: NetCDFFile) throws(InputError) {
      let own = try Self.ask(parent.path) { () throws(FileError) in try parent.group(name) }
      group = own ?? parent
      let (g, wanted) = (group, own == nil ? name : "value")
      guard let found = try Self.ask(g.path, { () throws(FileError) in try g.variable(wanted) })
      else { return nil }
      value = found
      shape = try Self.ask(g.path) { () throws(FileError) in try g.shape(of: found) }
      time = try Self.ask(g.path) { () throws(FileError) in try own?.variable("time") }
      step = try Self.ask(g.path) { () throws(FileError) in try own?.variable("step") }
    }

    static func edges(_ box: NetCDFFile) throws(InputError) -> Quantity? {
      try Quantity("edges", in: box)
    }

    static func ask<Answer>(_ path: String, _ body: () throws(FileError) -> Answer)
      throws(InputError) -> Answer
    {
      do throws(FileError) { return try body() } catch {
        throw InputError(error.message, file: path)
      }
    }

    func unit(_ variable: NetCDFFile.Variable?) throws(InputError) -> String? {
      guard let variable else { return nil }
      let all = try Self.ask(group.path) { () throws(FileError) in
        try group.attributes(of: variable)
      }
      for (name, value) in all where name == "unit" {
        if case .text(let text) = value { return text }
      }
      return nil
    }

    func values(_ record: Int?) throws(InputError) -> [Double] {
      try Self.ask(group.path) { () throws(FileError) in
        try group.doubles(value, record: record)
      }.map { $0 * factor }
    }

    func vectors(_ record: Int, into out: borrowing Vectors) throws(InputError) {
      let v = try values(record)
      for i in 0..<out.count { out[i] = [v[3 * i], v[3 * i + 1], v[3 * i + 2]] }
    }

    /// A time or step: of each frame, or the distance between frames.
    func number(_ variable: NetCDFFile.Variable?, _ frame: Int) throws(InputError) -> Double? {
      guard let variable else { return nil }
      return try Self.ask(group.path) { () throws(FileError) in
        try group.shape(of: variable).isEmpty
          ? group.doubles(variable).first.map { $0 * Double(frame) }
          : group.doubles(variable, record: frame).first
      }
    }
  }
}
