import Matter
import Trajectory

/// `apus convert`: between structure and trajectory formats.
enum ConvertCommand: Command {
  static let name = "convert"
  static let grammar = Arguments.Grammar(operands: ["IN", "OUT"])
  static let help = """
    apus convert IN OUT: between structure and trajectory formats, recognized from the content of IN
    and the name of OUT: extended XYZ (.xyz), POSCAR (POSCAR, .vasp), LAMMPS data (.lmp, .data),
    AMBER NetCDF (.nc); CIF can be read, with its symmetry applied. Formats of one structure take
    the last frame. OUT takes the place of any other file.

    Example:
      apus convert crystal.cif crystal.xyz
      apus convert produce/trajectory.nc produce.xyz
    """

  static func run(_ arguments: Arguments) throws -> ExitStatus {
    let (input, output) = (arguments.operands[0], arguments.operands[1])
    _ = try StructureReader.kind(of: input)
    try OutputFile.check(output, inputs: [input])
    let name = FileLayer.name(of: output).lowercased()
    func ends(_ suffixes: String...) -> Bool { suffixes.contains { name.hasSuffix($0) } }
    let draft = output + ".converting"
    do {
      if ends(".xyz", ".extxyz") {
        let file = try GrowingFile(creating: draft)
        try EvaluateCommand.forEachFrame(of: input) {
          file.append(StructureWriter.extendedXYZ($0))
          try file.flush()
        }
        try file.synchronize()
        try FileLayer.rename(draft, to: output)
      } else if ends(".nc") {
        try writeTrajectory(input, draft)
        try FileLayer.rename(draft, to: output)
      } else if ends(".vasp") || name.contains("poscar") || name.contains("contcar") {
        let frame = try last(input)
        guard let text = StructureWriter.poscar(frame.structure, title: input) else {
          throw InputError("has no cell, which POSCAR needs", file: input)
        }
        try FileLayer.write(text, to: output)
      } else if ends(".lmp", ".lammps", ".data") {
        try FileLayer.write(
          StructureWriter.lammpsData(last(input), title: input), to: output)
      } else {
        throw InputError(
          "\(output): unknown format",
          remedy: "Use a name with .xyz, .extxyz, .vasp, POSCAR, .lmp, .data or .nc")
      }
    } catch {
      try? FileLayer.remove(draft)
      throw error
    }
    return .done
  }

  private static func last(_ path: String) throws -> StructureFrame {
    var last: StructureFrame?
    try EvaluateCommand.forEachFrame(of: path) { last = $0 }
    guard let last else { throw InputError("holds no frame", file: path) }
    return last
  }

  private static func writeTrajectory(_ input: String, _ path: String) throws {
    var writer: AmberTrajectoryWriter?
    var elements: [Element] = []
    var index = 0
    try EvaluateCommand.forEachFrame(of: input) { frame in
      let s = frame.structure
      if let cell = s.cell { try AmberOrientation.check(cell, file: input) }
      if writer == nil {
        elements = s.elements
        writer = try AmberTrajectoryWriter(
          creating: path,
          header: AmberHeader(
            elements: s.elements, masses: s.masses ?? s.elements.map(\.mass),
            velocities: s.velocities != nil, forces: false, title: FileLayer.name(of: input),
            periodicity: s.cell == nil ? .none : s.periodicity, cell: s.cell))
      }
      guard s.elements == elements else {
        throw InputError(
          "frame \(index + 1) has other atoms than the first",
          remedy: "A NetCDF trajectory holds one set of atoms", file: input)
      }
      let time = frame.info.first { ["time_ps", "time"].contains($0.key) }
        .flatMap { entry in entry.numbers?.first.map { entry.key == "time" ? $0 / 1000 : $0 } }
      try writer?.append(
        AmberFrameValues(timePs: time ?? Double(index), step: index, cell: s.cell),
        positions: Vectors(s.positions),
        velocities: Vectors(s.velocities ?? [SIMD3<Double>](repeating: .zero, count: s.count)),
        forces: Vectors(count: s.count))
      index += 1
    }
    try writer?.fsync()
    try writer?.close()
  }
}
