import CZlib
import Matter

/// Kinds of files that hold atoms, recognized by content and name.
public enum StructureKind: String, Sendable, CaseIterable {
  /// Extended or plain XYZ.
  case extendedXYZ = "extended XYZ"
  /// VASP's POSCAR or CONTCAR.
  case poscar = "POSCAR"
  /// Crystallographic information file.
  case cif = "CIF"
  /// LAMMPS data file.
  case lammpsData = "LAMMPS data"
  /// NetCDF: a trajectory, checkpoint or result.
  case netCDF = "NetCDF"
  /// LAMMPS text dump.
  case lammpsDump = "LAMMPS dump"
  /// Trajectory of CHARMM, NAMD and others.
  case dcd = "DCD"
  /// Trajectory in HDF5.
  case h5md = "H5MD"
}

/// Reads structures of any kind.
public enum StructureReader {
  /// All frames of a file; of a NetCDF file, all frames of the trajectory.
  /// - Throws: `InputError` with file, line and column.
  public static func read(path: String) throws(InputError) -> [StructureFrame] {
    switch try kind(of: path) {
    case .extendedXYZ:
      let reader = try ExtendedXYZReader(path: path)
      var frames: [StructureFrame] = []
      while let frame = try reader.next() { frames.append(frame) }
      return frames
    case .poscar: return [try POSCARReader.read(path)]
    case .cif: return try CIFReader.read(path)
    case .lammpsData: return [try LAMMPSDataReader.read(path)]
    case .netCDF, .lammpsDump, .dcd, .h5md:
      let reader = try TrajectoryFiles.reader(path)
      var frames: [StructureFrame] = []
      while let frame = try next(of: reader) { frames.append(frame) }
      return frames
    }
  }

  /// The first frame of a file.
  /// - Throws: `InputError` with file, line and column.
  public static func first(path: String) throws(InputError) -> StructureFrame {
    switch try kind(of: path) {
    case .extendedXYZ:
      guard let frame = try ExtendedXYZReader(path: path).next() else {
        throw InputError("holds no frame", file: path)
      }
      return frame
    case .netCDF, .lammpsDump, .dcd, .h5md:
      guard let frame = try next(of: TrajectoryFiles.reader(path)) else {
        throw InputError("holds no whole frame", file: path)
      }
      return frame
    default:
      guard let frame = try read(path: path).first else {
        throw InputError("holds no structure", file: path)
      }
      return frame
    }
  }

  private static func next(of reader: any TrajectoryReader) throws(InputError) -> StructureFrame? {
    guard let elements = reader.facts.elements else { throw reader.facts.elementsMissing }
    var frame = TrajectoryFrame(for: reader.facts)
    guard try reader.next(into: &frame) else { return nil }
    return frame.structure(elements: elements, masses: reader.facts.masses)
  }

  /// The kind of a file.
  public static func kind(of path: String) throws(InputError) -> StructureKind {
    let what =
      "a structure or trajectory (extended XYZ, POSCAR, CIF, LAMMPS data or dump, AMBER NetCDF, DCD, H5MD)"
    try InputFile.check(path, expecting: what)
    let start = try beginning(path)
    if start.starts(with: Array("CDF".utf8)) { return .netCDF }
    if start.starts(with: [0x89, 0x48, 0x44, 0x46]) {
      return H5MDReader.recognizes(path) ? .h5md : .netCDF
    }
    if start.starts(with: Array("ITEM:".utf8)) { return .lammpsDump }
    let mark = Array(start.dropFirst(4).prefix(4))
    if start.first == 84 || start.dropFirst(3).first == 84,
      mark == Array("CORD".utf8) || mark == Array("VELD".utf8)
    {
      return .dcd
    }
    var name = FileLayer.name(of: path).lowercased()
    if name.hasSuffix(".gz") { name.removeLast(3) }
    func ends(_ suffixes: String...) -> Bool { suffixes.contains { name.hasSuffix($0) } }
    if ends(".xyz", ".extxyz") { return .extendedXYZ }
    if ends(".cif") { return .cif }
    if name.contains("poscar") || name.contains("contcar") || ends(".vasp") { return .poscar }
    if ends(".lmp", ".lammps", ".data") { return .lammpsData }

    if start.contains(0) {
      throw InputError("expected \(what), found binary data", file: path)
    }
    let lines = start.split(separator: 10, maxSplits: 60, omittingEmptySubsequences: false)
      .map { LineReader.tokens(Array($0)) }
    if let first = lines.first, first.count == 1, NumberText.integer(first[0].bytes) != nil {
      return .extendedXYZ
    }
    for line in lines {
      if let word = line.first?.text, word.lowercased().hasPrefix("data_") { return .cif }
      if line.count >= 2, NumberText.integer(line[0].bytes) != nil, line[1].text == "atoms" {
        return .lammpsData
      }
    }
    if lines.count > 5, [1, 3].contains(lines[1].count),
      lines[1...4].allSatisfy({ $0.allSatisfy { NumberText.double($0.bytes) != nil } }),
      lines[2...4].allSatisfy({ $0.count == 3 })
    {
      return .poscar
    }
    throw InputError(
      "expected \(what), found text of another kind",
      remedy: "Name the file .xyz, .cif, .vasp or .lmp if it is one of these", file: path)
  }

  /// The first bytes of a file, uncompressed.
  private static func beginning(_ path: String) throws(InputError) -> [UInt8] {
    guard let handle = gzopen(path, "rb") else {
      throw InputError("cannot be read", file: path)
    }
    defer { gzclose(handle) }
    var got: Int32 = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: 8192) { buffer, count in
      got = gzread(handle, buffer.baseAddress, 8192)
      count = max(0, Int(got))
    }
    if got < 0 { throw InputError("cannot be uncompressed: it is damaged", file: path) }
    return bytes
  }
}
