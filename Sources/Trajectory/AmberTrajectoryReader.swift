import Matter

/// Reads trajectories in the AMBER convention: our own, and those of LAMMPS, GPUMD, ASE,
/// MDAnalysis and AMBER, frame by frame, in every NetCDF container. Frames missing from a short or
/// damaged file are never returned as zeros: they are not counted, and `damage` says so.
public final class AmberTrajectoryReader: TrajectoryReader {
  /// What holds for every frame.
  public private(set) var facts: TrajectoryFacts
  /// Frames that can be read.
  public let frameCount: Int
  /// What is wrong with the file, such as `file ends 512 bytes into frame 401 of 500; 400 frames
  /// usable`, or nil.
  public let damage: String?
  private let source: VariableSource
  private let factors: [String: Double]
  private let coordinates: String
  private let hasImages: Bool
  private var order: AtomOrder?
  private var place = 0

  /// Opens a trajectory and checks its convention, dimensions and units.
  /// - Throws: `InputError` naming the variable for anything that cannot be read rightly.
  public init(path: String) throws(InputError) {
    let source = try VariableSource(path: path)
    self.source = source
    func fail(_ message: String, _ remedy: String = "") -> InputError {
      InputError(message, remedy: remedy, file: path)
    }
    let conventions = source.text("Conventions") ?? ""
    guard conventions.split(whereSeparator: { " ,\0".contains($0) }).contains("AMBER") else {
      throw fail(
        "expected a trajectory of the AMBER convention, found "
          + (conventions.isEmpty ? "no Conventions" : "Conventions '\(conventions)'"))
    }
    guard let atoms = source.lengths["atom"], atoms > 0 else {
      throw fail("its dimension atom is missing or 0")
    }
    coordinates =
      source.variables["unwrapped_coordinates"] != nil ? "unwrapped_coordinates" : "coordinates"
    for name in [coordinates, "velocities", "forces"] {
      guard let variable = source.variables[name] else {
        if name == coordinates { throw fail("it has no variable coordinates") }
        continue
      }
      guard variable.isRecord, variable.valueCount == 3 * atoms else {
        throw fail("its variable \(name) is not of (frame, atom, spatial)")
      }
    }
    frameCount = source.recordCount
    damage = source.damage
    guard frameCount > 0 else {
      throw fail("it holds no whole frame" + (source.damage.map { ": \($0)" } ?? ""))
    }
    let program = source.text("program") ?? ""
    factors = try Self.factors(source, program, path)
    hasImages =
      coordinates == "coordinates"
      && ["ix", "iy", "iz"].allSatisfy {
        source.variables[$0]?.isRecord == true && source.variables[$0]?.valueCount == atoms
      }

    facts = TrajectoryFacts(path: path, kind: .netCDF, atomCount: atoms)
    facts.frameCount = frameCount
    facts.program = program
    facts.title = source.text("title") ?? ""
    facts.hasVelocities = source.variables["velocities"] != nil
    facts.hasForces = source.variables["forces"] != nil
    facts.hasCell =
      source.variables["cell_lengths"] != nil && source.variables["cell_angles"] != nil
    facts.timeIsSingle = source.variables["time"]?.isSingle ?? false
    if source.text("apus_coordinates") == "unwrapped" || coordinates == "unwrapped_coordinates"
      || hasImages || !facts.hasCell
    {
      facts.wrapping = .unwrapped
    } else if program == "LAMMPS" {
      facts.wrapping = .wrapped
    }
    if let ids = try perAtom("id") {
      guard let order = AtomOrder(ids.map { Int(exactly: $0) ?? -1 }) else {
        throw fail("the numbers (id) of two atoms of the first frame are equal")
      }
      self.order = order
    }
    try identifyAtoms(program)
  }

  /// A text attribute of the file.
  public func attribute(_ name: String) -> String? { source.text(name) }

  /// The rotation from the cell of the run to that of the file, where it was noted.
  public var rotation: Matrix3? {
    guard case .numbers(let n)? = source.attributes["apus_rotation"], n.count == 9 else {
      return nil
    }
    return Matrix3([n[0], n[1], n[2]], [n[3], n[4], n[5]], [n[6], n[7], n[8]])
  }

  // MARK: frames

  /// Reads the next frame.
  public func next(into frame: inout TrajectoryFrame) throws(InputError) -> Bool {
    guard place < frameCount else { return false }
    try read(place, into: &frame)
    place += 1
    return true
  }

  /// Passes over the next frame and reads its time and step.
  public func skip(into values: inout FrameValues) throws(InputError) -> Bool {
    guard place < frameCount else { return false }
    values = try self.values(place)
    place += 1
    return true
  }

  /// Time and step of a frame by index.
  func values(_ index: Int) throws(InputError) -> FrameValues {
    FrameValues(timePs: try scalar("time", index), step: try step(index))
  }

  /// A frame by index in 0..<frameCount, in buffers of its own.
  public func frame(_ index: Int) throws(InputError) -> TrajectoryFrame {
    var frame = TrajectoryFrame(for: facts)
    try read(index, into: &frame)
    return frame
  }

  /// A frame by index as a structure; the file must tell the elements.
  public func structure(_ index: Int) throws(InputError) -> StructureFrame {
    guard let elements = facts.elements else { throw facts.elementsMissing }
    return try frame(index).structure(elements: elements, masses: facts.masses)
  }

  /// Reads a frame by index in 0..<frameCount; positions in Å, velocities in internal units, forces
  /// in eV/Å. A direction of length 0, which does not repeat, gets the extent of the atoms and 10 Å.
  public func read(_ index: Int, into frame: inout TrajectoryFrame) throws(InputError) {
    precondition(index >= 0 && index < frameCount)
    let places = try places(index)
    try vectors(coordinates, index, places, frame.positions)
    if facts.hasVelocities { try vectors("velocities", index, places, frame.velocities) }
    if facts.hasForces { try vectors("forces", index, places, frame.forces) }
    let (cell, periodicity) = try cell(index, frame.positions)
    frame.values = try values(index, cell, periodicity)
    if hasImages, let cell {
      let x = try images("ix", index), y = try images("iy", index), z = try images("iz", index)
      for k in 0..<facts.atomCount {
        frame.positions[places?[k] ?? k] += cell.cartesian([x[k], y[k], z[k]])
      }
    }
  }

  /// The numbers of all frames that are not per atom, read without the atoms; cells that do not
  /// repeat in every direction are left out.
  func allValues() throws(InputError) -> [FrameValues] {
    let none = Vectors(count: 0)
    var result: [FrameValues] = []
    result.reserveCapacity(frameCount)
    for index in 0..<frameCount {
      let (cell, periodicity) = try cell(index, none)
      result.append(try values(index, periodicity == .all ? cell : nil, periodicity))
    }
    return result
  }

  // MARK: parts of a frame

  private func values(_ index: Int, _ cell: Cell?, _ periodicity: Periodicity) throws(InputError)
    -> FrameValues
  {
    var values = FrameValues(
      timePs: try scalar("time", index), step: try step(index), cell: cell,
      periodicity: periodicity, potential: try scalar("potential_energy", index),
      kinetic: try scalar("kinetic_energy", index), conserved: try scalar("conserved", index),
      temperature: try scalar("temperature", index))
    if let variable = source.variables["stress"], variable.valueCount == 6 {
      let s = try source.values(variable, record: index)
      values.stress = Tensor6(xx: s[0], yy: s[1], zz: s[2], yz: s[3], xz: s[4], xy: s[5])
    }
    return values
  }

  private func scalar(_ name: String, _ index: Int) throws(InputError) -> Double? {
    guard let variable = source.variables[name], variable.valueCount == 1 else { return nil }
    return try source.values(variable, record: index).first.map { $0 * (factors[name] ?? 1) }
  }

  private func step(_ index: Int) throws(InputError) -> Int? {
    try scalar("step", index).flatMap { Int(exactly: $0) }
  }

  private func images(_ name: String, _ index: Int) throws(InputError) -> [Double] {
    guard let variable = source.variables[name] else { return [] }
    return try source.values(variable, record: index)
  }

  /// A number for each atom of the first frame as the file has them, or nil.
  private func perAtom(_ name: String) throws(InputError) -> [Double]? {
    guard let variable = source.variables[name], variable.valueCount == facts.atomCount else {
      return nil
    }
    return try source.values(variable, record: 0)
  }

  /// Where each atom of a frame goes, for files of LAMMPS that hold `id`.
  private func places(_ index: Int) throws(InputError) -> [Int]? {
    guard let variable = source.variables["id"], variable.isRecord else {
      return try firstPlaces()
    }
    guard var order = order.take() else { return nil }
    defer { self.order = order }
    order.begin()
    var places: [Int] = []
    places.reserveCapacity(facts.atomCount)
    for value in try source.values(variable, record: index) {
      let id = Int(exactly: value) ?? -1
      do throws(AtomOrder.Problem) {
        places.append(try order.place(of: id))
      } catch {
        throw InputError(
          error == .twice
            ? "atom \(id) stands twice in frame \(index + 1)"
            : "atom \(id) of frame \(index + 1) is not in the first frame", file: facts.path)
      }
    }
    return places
  }

  private func firstPlaces() throws(InputError) -> [Int]? {
    guard var order, let ids = try perAtom("id") else { return nil }
    order.begin()
    var places: [Int] = []
    for id in ids {
      if let place = try? order.place(of: Int(exactly: id) ?? -1) { places.append(place) }
    }
    return places
  }

  private func vectors(
    _ name: String, _ index: Int, _ places: [Int]?, _ target: borrowing Vectors
  ) throws(InputError) {
    guard let variable = source.variables[name] else { return }
    let bad = try source.vectors(
      variable, record: index, factor: factors[name] ?? 1, places: places, into: target)
    if let bad {
      throw InputError(
        "variable \(name) of atom \(bad + 1) in frame \(index + 1) is no finite number",
        file: facts.path)
    }
  }

  private func cell(_ index: Int, _ positions: borrowing Vectors) throws(InputError) -> (
    Cell?, Periodicity
  ) {
    guard facts.hasCell, let lengthVariable = source.variables["cell_lengths"],
      let angleVariable = source.variables["cell_angles"]
    else { return (nil, .none) }
    let l = try source.values(lengthVariable, record: index)
    let a = try source.values(angleVariable, record: index)
    guard l.count == 3, a.count == 3 else {
      throw InputError("variable cell_lengths or cell_angles has not 3 values", file: facts.path)
    }
    let periodicity = Periodicity(a: l[0] != 0, b: l[1] != 0, c: l[2] != 0)
    if periodicity == .none { return (nil, .none) }
    var lengths = SIMD3(l[0], l[1], l[2]) * (factors["cell_lengths"] ?? 1)
    var angles = SIMD3(a[0], a[1], a[2]) * (factors["cell_angles"] ?? 1)
    for k in 0..<3 where lengths[k] == 0 {
      let x = k == 0 ? positions.x : k == 1 ? positions.y : positions.z
      let values = UnsafeBufferPointer(start: x, count: positions.count)
      lengths[k] = (values.max() ?? 0) - (values.min() ?? 0) + 10
    }
    for k in 0..<3 where angles[k] == 0 { angles[k] = 90 }
    do {
      return (try Cell(lengths: lengths, angles: angles), periodicity)
    } catch {
      throw InputError(
        "the cell of frame \(index + 1) has no volume: lengths \(l), angles \(a)", file: facts.path)
    }
  }

  // MARK: atoms

  /// Elements, types and masses, in the order of the atoms. LAMMPS calls its types `atom_types`,
  /// which are atomic numbers elsewhere; GPUMD counts types from 0.
  private func identifyAtoms(_ program: String) throws(InputError) {
    let places = try firstPlaces()
    func ordered<T>(_ values: [T]) -> [T] {
      guard let places else { return values }
      var result = values
      for (k, place) in places.enumerated() { result[place] = values[k] }
      return result
    }
    let isLAMMPS = program == "LAMMPS"
    for name in ["atomic_numbers", "atom_types", "Z"] where facts.elements == nil {
      // ASE stores them in every frame.
      guard !isLAMMPS || name == "atomic_numbers",
        program == "ASE" || source.variables[name]?.isRecord == false,
        let numbers = try perAtom(name)
      else { continue }
      let found = numbers.map { Int(exactly: $0).flatMap { Element(atomicNumber: $0) } }
      if found.allSatisfy({ $0 != nil }) { facts.elements = ordered(found.compactMap { $0 }) }
    }
    let types = try perAtom(source.variables["type"] == nil ? "atom_types" : "type")
    if facts.elements == nil, let types {
      facts.types = ordered(
        types.map { (Int(exactly: $0) ?? -1) + (program == "GPUMD" ? 1 : 0) })
    }
    let masses = try perAtom("mass")
    if let masses, masses.allSatisfy({ $0 > 0 && $0.isFinite }) {
      facts.masses = ordered(masses)
    }
  }

  // MARK: units

  private static func factors(_ source: VariableSource, _ program: String, _ path: String)
    throws(InputError) -> [String: Double]
  {
    var factors: [String: Double] = [:]
    for (name, table) in units {
      guard let variable = source.variables[name] else { continue }
      // ASE writes its own unit of velocity without saying so, and gives coordinates the unit of
      // velocities.
      if program == "ASE", name == "velocities" || name == "coordinates" {
        factors[name] = 1
        continue
      }
      guard let text = variable.units, !text.isEmpty else {
        factors[name] = table[""]
        continue
      }
      let normal = text.lowercased().filter { !"() \0".contains($0) }
      guard let factor = table[normal] else {
        throw InputError("variable \(name) has the unknown units '\(text)'", file: path)
      }
      factors[name] = factor
    }
    return factors
  }

  /// Factors to ps, Å, degrees, internal velocity units and eV/Å by unit in small letters without
  /// spaces and brackets; the empty one is what the convention prescribes.
  private static let units: [String: [String: Double]] = {
    let time: [String: Double] = [
      "": 1, "picosecond": 1, "picoseconds": 1, "ps": 1, "femtosecond": 1e-3, "femtoseconds": 1e-3,
      "fs": 1e-3, "nanosecond": 1e3, "nanoseconds": 1e3, "ns": 1e3,
    ]
    let length: [String: Double] = [
      "": 1, "angstrom": 1, "angstroms": 1, "å": 1, "nanometer": 10, "nanometers": 10, "nm": 10,
    ]
    let perPicosecond = 1 / Units.angstromPerPicosecond
    var velocity: [String: Double] = ["": perPicosecond]
    for (l, x) in length where !l.isEmpty {
      for (t, y) in time where !t.isEmpty { velocity["\(l)/\(t)"] = x / y * perPicosecond }
    }
    let perKilocalorie = 1 / Units.kilocaloriePerMole
    var force: [String: Double] = ["": perKilocalorie]
    for l in ["angstrom", "angstroms", "å"] {
      for e in ["kilocalorie/mole", "kcal/mol", "kcal/mole", "kilocalories/mole"] {
        force["\(e)/\(l)"] = perKilocalorie
      }
      for e in ["ev", "electronvolt"] { force["\(e)/\(l)"] = 1 }
    }
    return [
      "time": time, "coordinates": length, "unwrapped_coordinates": length,
      "cell_lengths": length,
      "cell_angles": ["": 1, "degree": 1, "degrees": 1, "radian": 180 / .pi, "radians": 180 / .pi],
      "velocities": velocity, "forces": force,
    ]
  }()
}
