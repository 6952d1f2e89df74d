import Foundation
import Matter

/// Texts of structures in the formats that others read.
public enum StructureWriter {
  /// What extended XYZ holds besides elements, positions, cell and carried-over entries.
  public struct Options: OptionSet, Sendable {
    /// The bits.
    public let rawValue: Int
    /// Options of bits.
    public init(rawValue: Int) { self.rawValue = rawValue }
    /// Velocities as `vel`, in Å/fs (GPUMD, dynasor, `velocities: from structure`).
    public static let vel = Options(rawValue: 1)
    /// Velocities as `momenta`, in ASE's units.
    public static let momenta = Options(rawValue: 2)
    /// Masses as `masses`, in amu.
    public static let masses = Options(rawValue: 4)
  }

  // MARK: extended XYZ

  /// A frame as extended XYZ; numbers read back as the same doubles. Velocities and masses are
  /// written where the structure has them and the options ask for them.
  public static func extendedXYZ(_ frame: StructureFrame, options: Options = [.vel, .masses])
    -> String
  {
    let s = frame.structure
    var text = "\(s.count)\n"
    var columns = frame.arrays
    let own: Set<String> = ["species", "pos", "vel", "velocities", "momenta", "mass", "masses"]
    columns.removeAll { own.contains($0.name.lowercased()) }
    if options.contains(.masses), let masses = s.masses {
      columns.append(AtomColumn(name: "masses", width: 1, values: .reals(masses)))
    }
    if let velocities = s.velocities {
      if options.contains(.vel) {
        columns.append(
          AtomColumn(
            name: "vel", vectors: velocities.map { $0 * Units.angstromPerFemtosecond }))
      }
      if options.contains(.momenta) {
        let masses = s.masses ?? s.elements.map(\.mass)
        columns.append(
          AtomColumn(name: "momenta", vectors: zip(velocities, masses).map { $0 * $1 }))
      }
    }
    if let cell = s.cell {
      let n = [cell.a, cell.b, cell.c].flatMap { ["\($0.x)", "\($0.y)", "\($0.z)"] }
      text += "Lattice=\"\(n.joined(separator: " "))\" "
    }
    text += "Properties=species:S:1:pos:R:3"
    for column in columns { text += ":\(column.name):\(column.letter):\(column.width)" }
    let p = s.cell == nil ? .none : s.periodicity
    text += " pbc=\"\((0..<3).map { p[$0] ? "T" : "F" }.joined(separator: " "))\""
    for entry in frame.info
    where !["lattice", "properties", "pbc"].contains(entry.key.lowercased()) {
      let quoted = entry.key.contains { " =\t".contains($0) }
      text += " " + (quoted ? "\"\(entry.key)\"" : entry.key)
      if let raw = entry.raw { text += "=" + raw }
    }
    text += "\n"
    for i in 0..<s.count {
      let r = s.positions[i]
      text += "\(s.elements[i].symbol) \(r.x) \(r.y) \(r.z)"
      for column in columns {
        for k in i * column.width..<(i + 1) * column.width {
          switch column.values {
          case .strings(let v): text += " " + v[k]
          case .reals(let v): text += " \(v[k])"
          case .integers(let v): text += " \(v[k])"
          case .logicals(let v): text += v[k] ? " T" : " F"
          }
        }
      }
      text += "\n"
    }
    return text
  }

  // MARK: POSCAR

  /// A structure as POSCAR of VASP 5 with Cartesian positions; atoms are grouped by element in the
  /// order of their first appearance, velocities in Å/fs.
  /// - Returns: nil for a molecule in no cell.
  public static func poscar(_ structure: Structure, title: String) -> String? {
    guard let cell = structure.cell else { return nil }
    var order: [Element] = []
    for element in structure.elements where !order.contains(element) { order.append(element) }
    let groups = order.map { e in structure.elements.indices.filter { structure.elements[$0] == e }
    }
    func line(_ v: SIMD3<Double>) -> String { "  \(v.x) \(v.y) \(v.z)\n" }
    var text = "\(oneLine(title))\n1.0\n" + line(cell.a) + line(cell.b) + line(cell.c)
    text += order.map(\.symbol).joined(separator: " ") + "\n"
    text += groups.map { "\($0.count)" }.joined(separator: " ") + "\nCartesian\n"
    for i in groups.joined() { text += line(structure.positions[i]) }
    if let velocities = structure.velocities {
      text += "\n"
      for i in groups.joined() { text += line(velocities[i] * Units.angstromPerFemtosecond) }
    }
    return text
  }

  // MARK: LAMMPS data

  /// A structure as LAMMPS data file in metal units, atom style atomic, or charge if the frame has
  /// a column `charge`; types are the elements by atomic number. The cell is turned to a along x
  /// and b in the xy plane, which LAMMPS asks for.
  /// - Throws: `InputError` for a left-handed cell.
  public static func lammpsData(_ frame: StructureFrame, title: String) throws(InputError)
    -> String
  {
    let s = frame.structure
    let given = s.framingCell
    try AmberOrientation.check(given)
    let rotation = AmberOrientation.rotation(of: given)
    func turned(_ v: SIMD3<Double>) -> SIMD3<Double> { rotation.map { $0 * v } ?? v }
    let (a, b, c) = (turned(given.a), turned(given.b), turned(given.c))
    let types = Set(s.elements).sorted()
    var charges: [Double]?
    for column in frame.arrays where column.name == "charge" && column.width == 1 {
      if case .reals(let values) = column.values { charges = values }
    }
    var text = "\(oneLine(title)), units = metal\n\n\(s.count) atoms\n\(types.count) atom types\n\n"
    text += "0.0 \(a.x) xlo xhi\n0.0 \(b.y) ylo yhi\n0.0 \(c.z) zlo zhi\n"
    if b.x != 0 || c.x != 0 || c.y != 0 { text += "\(b.x) \(c.x) \(c.y) xy xz yz\n" }
    text += "\nMasses\n\n"
    for (i, element) in types.enumerated() {
      let first = s.elements.firstIndex(of: element)
      let mass = first.flatMap { s.masses?[$0] } ?? element.mass
      text += "\(i + 1) \(mass) # \(element.symbol)\n"
    }
    text += "\nAtoms # \(charges == nil ? "atomic" : "charge")\n\n"
    for i in 0..<s.count {
      let r = turned(s.positions[i])
      let type = (types.firstIndex(of: s.elements[i]) ?? 0) + 1
      text += "\(i + 1) \(type) \(charges.map { "\($0[i]) " } ?? "")\(r.x) \(r.y) \(r.z)\n"
    }
    if let velocities = s.velocities {
      text += "\nVelocities\n\n"
      for i in 0..<s.count {
        let v = turned(velocities[i]) * Units.angstromPerPicosecond
        text += "\(i + 1) \(v.x) \(v.y) \(v.z)\n"
      }
    }
    return text
  }

  // MARK: LAMMPS dump

  /// A frame of a LAMMPS dump in metal units; types are the elements by atomic number, positions
  /// `xu yu zu` if they are unwrapped. The cell is turned to a along x and b in the xy plane, which
  /// LAMMPS asks for.
  /// - Throws: `InputError` for a left-handed cell.
  public static func lammpsDump(_ frame: StructureFrame, step: Int, isUnwrapped: Bool)
    throws(InputError) -> String
  {
    let s = frame.structure
    let given = s.framingCell
    try AmberOrientation.check(given)
    let rotation = AmberOrientation.rotation(of: given)
    func turned(_ v: SIMD3<Double>) -> SIMD3<Double> { rotation.map { $0 * v } ?? v }
    let (a, b, c) = (turned(given.a), turned(given.b), turned(given.c))
    let types = Set(s.elements).sorted()
    let type = Dictionary(uniqueKeysWithValues: types.enumerated().map { ($1, $0 + 1) })
    let flags = (0..<3).map { s.cell != nil && s.periodicity[$0] ? "pp" : "ff" }
      .joined(separator: " ")
    var text = "ITEM: TIMESTEP\n\(step)\nITEM: NUMBER OF ATOMS\n\(s.count)\n"
    if b.x != 0 || c.x != 0 || c.y != 0 {
      let (low, high) = (min(0, b.x, c.x, b.x + c.x), max(0, b.x, c.x, b.x + c.x))
      text += "ITEM: BOX BOUNDS xy xz yz \(flags)\n\(low) \(a.x + high) \(b.x)\n"
      text += "\(min(0, c.y)) \(b.y + max(0, c.y)) \(c.x)\n0.0 \(c.z) \(c.y)\n"
    } else {
      text += "ITEM: BOX BOUNDS \(flags)\n0.0 \(a.x)\n0.0 \(b.y)\n0.0 \(c.z)\n"
    }
    text += "ITEM: ATOMS id type element " + (isUnwrapped ? "xu yu zu" : "x y z")
    var forces: [Double]?
    for column in frame.arrays where column.name == "forces" && column.width == 3 {
      if case .reals(let values) = column.values { forces = values }
    }
    text += (s.velocities == nil ? "" : " vx vy vz") + (forces == nil ? "" : " fx fy fz") + "\n"
    for i in 0..<s.count {
      let r = turned(s.positions[i])
      text += "\(i + 1) \(type[s.elements[i]] ?? 0) \(s.elements[i].symbol) \(r.x) \(r.y) \(r.z)"
      if let velocities = s.velocities {
        let v = turned(velocities[i]) * Units.angstromPerPicosecond
        text += " \(v.x) \(v.y) \(v.z)"
      }
      if let forces {
        let f = turned([forces[3 * i], forces[3 * i + 1], forces[3 * i + 2]])
        text += " \(f.x) \(f.y) \(f.z)"
      }
      text += "\n"
    }
    return text
  }

  private static func oneLine(_ text: String) -> String {
    let words = text.split { $0.isNewline }.joined(separator: " ")
    return words.isEmpty ? "structure" : words
  }
}
