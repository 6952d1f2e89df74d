import Matter

/// Reads trajectories in the AMBER convention: our own, and those of LAMMPS, GPUMD, ASE,
/// MDAnalysis and AMBER, frame by frame, in every NetCDF container. Frames missing from a short or
/// damaged file are never returned as zeros: they are not counted, and `damage` says so.
public final class AmberTrajectoryReader {
  /// Where the file is.
  public let path: String
  /// Frames that can be read, and atoms in each.
  public let frameCount, atomCount: Int
  /// What is wrong with the file, such as `file ends 512 bytes into frame 401 of 500; 400 frames
  /// usable`, or nil.
  public let damage: String?
  /// The element of each atom, where the file tells.
  public let elements: [Element]?
  /// Masses in amu, where the file tells.
  public let masses: [Double]?
  /// The title.
  public let title: String
  /// The program that wrote the file.
  public let program: String
  /// Whether frames hold velocities and forces.
  public let hasVelocities, hasForces: Bool
  /// Whether atoms are known to keep their image when they leave the cell.
  public let isUnwrapped: Bool
  /// Whether frames hold a cell.
  public let hasCell: Bool
  private let source: VariableSource
  private let factors: [String: Double]
  private let coordinates: String

  /// Opens a trajectory and checks its convention, dimensions and units.
  /// - Throws: `InputError` naming the variable for anything that cannot be read rightly.
  public init(path: String) throws(InputError) {
    self.path = path
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
    atomCount = atoms
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
    hasVelocities = source.variables["velocities"] != nil
    hasForces = source.variables["forces"] != nil
    hasCell = source.variables["cell_lengths"] != nil && source.variables["cell_angles"] != nil
    title = source.text("title") ?? ""
    program = source.text("program") ?? ""
    isUnwrapped =
      source.text("apus_coordinates") == "unwrapped" || coordinates == "unwrapped_coordinates"

    var factors: [String: Double] = [:]
    for (name, table) in Self.units {
      guard let variable = source.variables[name] else { continue }
      // ASE writes its own unit of velocity without saying so.
      if name == "velocities", program == "ASE" {
        factors[name] = 1
        continue
      }
      guard let text = variable.units, !text.isEmpty else {
        factors[name] = table[""]
        continue
      }
      let normal = text.lowercased().filter { !"() \0".contains($0) }
      guard let factor = table[normal] else {
        throw fail("variable \(name) has the unknown units '\(text)'")
      }
      factors[name] = factor
    }
    self.factors = factors

    var elements: [Element]?
    for name in ["atomic_numbers", "atom_types", "Z"] where elements == nil {
      guard let variable = source.variables[name], !variable.isRecord,
        variable.valueCount == atoms
      else { continue }
      let found = try source.values(variable).map { Element(atomicNumber: Int($0)) }
      if found.allSatisfy({ $0 != nil }) { elements = found.compactMap { $0 } }
    }
    self.elements = elements
    if let variable = source.variables["mass"], !variable.isRecord, variable.valueCount == atoms {
      masses = try source.values(variable)
    } else {
      masses = nil
    }
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

  /// A frame by index in 0..<frameCount; positions in Å, velocities in internal units, forces in
  /// eV/Å. A direction of length 0, which does not repeat, gets the extent of the atoms and 10 Å.
  public func frame(_ index: Int) throws(InputError) -> AmberFrame {
    precondition(index >= 0 && index < frameCount)
    let order = try atomOrder(index)
    let positions = try vectors(coordinates, index, factors["coordinates"] ?? 1, order)
    let values = try values(index, cell: try cell(index, positions))
    return AmberFrame(
      values, positions: Vectors(positions),
      velocities: Vectors(
        hasVelocities
          ? try vectors(
            "velocities", index, factors["velocities"] ?? 1, order) : []),
      forces: Vectors(
        hasForces ? try vectors("forces", index, factors["forces"] ?? 1, order) : []))
  }

  /// Whether frames hold a quantity of that name.
  package func holds(_ name: String) -> Bool { source.variables[name]?.isRecord ?? false }

  /// The numbers of all frames that are not per atom; cells of directions that do not repeat are
  /// left out.
  package func frameValues() throws(InputError) -> [AmberFrameValues] {
    var result: [AmberFrameValues] = []
    result.reserveCapacity(frameCount)
    for index in 0..<frameCount {
      let isPeriodic = try periodicity(index) == .all
      result.append(try values(index, cell: isPeriodic ? try cell(index, []) : nil))
    }
    return result
  }

  /// A frame by index as a structure; the file must tell the elements.
  public func structure(_ index: Int) throws(InputError) -> StructureFrame {
    guard let elements else {
      throw InputError(
        "the file does not tell the elements of its atoms",
        remedy: "Give a structure with the same atoms in the same order (topology)", file: path)
    }
    let frame = try frame(index)
    let cell = frame.values.cell
    var result = StructureFrame(
      structure: Structure(
        elements: elements, positions: frame.positions.array, cell: cell,
        periodicity: try periodicity(index),
        velocities: hasVelocities ? frame.velocities.array : nil, masses: masses))
    result.setInfo("time_ps", [frame.values.timePs])
    if source.variables["step"] != nil { result.setInfo("step", "\(frame.values.step)") }
    if source.variables["potential_energy"] != nil {
      result.setInfo("energy", [frame.values.potential])
    }
    if hasForces {
      result.arrays.append(AtomColumn(name: "forces", vectors: frame.forces.array))
    }
    return result
  }

  /// Which directions repeat: those of a length other than 0.
  public func periodicity(_ index: Int) throws(InputError) -> Periodicity {
    guard hasCell, let variable = source.variables["cell_lengths"] else { return .none }
    let lengths = try source.values(variable, record: index)
    return Periodicity(a: lengths[0] != 0, b: lengths[1] != 0, c: lengths[2] != 0)
  }

  // MARK: parts of a frame

  private func values(_ index: Int, cell: Cell?) throws(InputError) -> AmberFrameValues {
    func scalar(_ name: String) throws(InputError) -> Double? {
      guard let variable = source.variables[name], variable.valueCount == 1 else { return nil }
      return try source.values(variable, record: index).first.map { $0 * (factors[name] ?? 1) }
    }
    var values = AmberFrameValues(
      timePs: try scalar("time") ?? 0,
      step: try scalar("step").flatMap { Int(exactly: $0) } ?? 0,
      cell: cell, potential: try scalar("potential_energy") ?? 0,
      kinetic: try scalar("kinetic_energy") ?? 0, conserved: try scalar("conserved") ?? 0,
      temperature: try scalar("temperature") ?? 0)
    if let variable = source.variables["stress"], variable.valueCount == 6 {
      let s = try source.values(variable, record: index)
      values.stress = Tensor6(xx: s[0], yy: s[1], zz: s[2], yz: s[3], xz: s[4], xy: s[5])
    }
    return values
  }

  /// The places of the atoms in the order of their numbers, for files of LAMMPS that hold `id`.
  private func atomOrder(_ index: Int) throws(InputError) -> [Int]? {
    guard let variable = source.variables["id"], variable.valueCount == atomCount else {
      return nil
    }
    let ids = try source.values(variable, record: index)
    return ids.indices.sorted { ids[$0] < ids[$1] }
  }

  private func vectors(_ name: String, _ index: Int, _ factor: Double, _ order: [Int]?)
    throws(InputError) -> [SIMD3<Double>]
  {
    guard let variable = source.variables[name] else { return [] }
    let flat = try source.values(variable, record: index)
    var result: [SIMD3<Double>] = []
    result.reserveCapacity(atomCount)
    for k in 0..<atomCount {
      let i = 3 * (order?[k] ?? k)
      let v = SIMD3(flat[i], flat[i + 1], flat[i + 2]) * factor
      guard v.x.isFinite, v.y.isFinite, v.z.isFinite, abs(v.x) < 1e30 else {
        throw InputError(
          "variable \(name) of atom \(k + 1) in frame \(index + 1) is no finite number",
          file: path)
      }
      result.append(v)
    }
    return result
  }

  private func cell(_ index: Int, _ positions: [SIMD3<Double>]) throws(InputError) -> Cell? {
    guard hasCell, let lengthVariable = source.variables["cell_lengths"],
      let angleVariable = source.variables["cell_angles"]
    else { return nil }
    let l = try source.values(lengthVariable, record: index)
    let a = try source.values(angleVariable, record: index)
    guard l.count == 3, a.count == 3 else {
      throw InputError("variable cell_lengths or cell_angles has not 3 values", file: path)
    }
    var lengths = SIMD3(l[0], l[1], l[2]) * (factors["cell_lengths"] ?? 1)
    var angles = SIMD3(a[0], a[1], a[2]) * (factors["cell_angles"] ?? 1)
    if lengths == .zero { return nil }
    for k in 0..<3 where lengths[k] == 0 {
      let x = positions.map { $0[k] }
      lengths[k] = (x.max() ?? 0) - (x.min() ?? 0) + 10
    }
    for k in 0..<3 where angles[k] == 0 { angles[k] = 90 }
    do {
      return try Cell(lengths: lengths, angles: angles)
    } catch {
      throw InputError(
        "the cell of frame \(index + 1) has no volume: lengths \(l), angles \(a)", file: path)
    }
  }

  // MARK: units

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
