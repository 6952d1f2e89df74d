import Matter
import Trajectory

/// `apus convert`: between structure and trajectory formats.
enum ConvertCommand: Command {
  static let name = "convert"
  static let grammar = Arguments.Grammar(
    options: TrajectoryArguments.options, flags: ["--unwrap"], operands: ["IN", "OUT"])
  static let help = """
    apus convert IN OUT: between structure and trajectory formats, recognized from the content of IN
    and the name of OUT: extended XYZ (.xyz), POSCAR (POSCAR, .vasp), LAMMPS data (.lmp, .data),
    LAMMPS dump (.dump, .lammpstrj), AMBER NetCDF (.nc); CIF, with its symmetry applied, and DCD can
    be read. IN may be a run directory or a stage of it. Formats of one structure take the last
    frame. OUT takes the place of any other file.

    \(TrajectoryArguments.help)
      --unwrap              follow atoms through the faces of the cell

    Example:
      apus convert crystal.cif crystal.xyz
      apus convert runs/silicon/produce produce.xyz --first '10 ps' --every 5
      apus convert lammps.dump lammps.nc --elements C,H,I,S --timestep '20 fs' --unwrap
    """

  private enum Format { case extendedXYZ, netCDF, dump, poscar, lammpsData }

  static func run(_ arguments: Arguments) throws -> ExitStatus {
    let (input, output) = (arguments.operands[0], arguments.operands[1])
    var options = try TrajectoryArguments.options(arguments)
    options.requiresEvenSpacing = false
    if arguments.flags.contains("--unwrap") { options.unwrapping = .lattice }
    let path = try TrajectoryFiles.locate(input).path
    let kind = try StructureReader.kind(of: path)
    var inputs = [path]
    if let topology = options.topology { inputs.append(topology) }
    try OutputFile.check(output, inputs: inputs)
    let format = try format(of: output)
    let draft = output + ".converting"
    // Structures keep what else their files say; a trajectory is atoms, times and cells.
    let keepsAll =
      kind == .extendedXYZ && format != .netCDF && format != .dump && options.topology == nil
      && options.elements == nil && options.unwrapping == nil
    do {
      switch format {
      case .extendedXYZ:
        let file = try GrowingFile(creating: draft)
        try forEachFrame(path, options, keepsAll: keepsAll) { frame, _ in
          file.append(StructureWriter.extendedXYZ(frame))
          try file.flush()
        }
        try file.synchronize()
        try FileLayer.rename(draft, to: output)
      case .dump:
        let file = try GrowingFile(creating: draft)
        var index = 0
        try forEachFrame(path, options, keepsAll: false) { frame, facts in
          file.append(
            try StructureWriter.lammpsDump(
              frame, step: frame.values.step ?? index,
              isUnwrapped: facts?.wrapping == .unwrapped))
          try file.flush()
          index += 1
        }
        try file.synchronize()
        try FileLayer.rename(draft, to: output)
      case .netCDF:
        try writeTrajectory(path, options, draft)
        try FileLayer.rename(draft, to: output)
      case .poscar, .lammpsData:
        var last: StructureFrame?
        try forEachFrame(path, options, keepsAll: keepsAll || kind != .extendedXYZ) { frame, _ in
          last = frame
        }
        guard let last else { throw InputError("holds no frame", file: path) }
        if format == .lammpsData {
          try FileLayer.write(StructureWriter.lammpsData(last, title: input), to: output)
        } else {
          guard let text = StructureWriter.poscar(last.structure, title: input) else {
            throw InputError("has no cell, which POSCAR needs", file: path)
          }
          try FileLayer.write(text, to: output)
        }
      }
    } catch {
      try? FileLayer.remove(draft)
      throw error
    }
    return .done
  }

  private static func format(of output: String) throws(InputError) -> Format {
    let name = FileLayer.name(of: output).lowercased()
    func ends(_ suffixes: String...) -> Bool { suffixes.contains { name.hasSuffix($0) } }
    if ends(".xyz", ".extxyz") { return .extendedXYZ }
    if ends(".nc") { return .netCDF }
    if ends(".dump", ".lammpstrj") { return .dump }
    if ends(".vasp") || name.contains("poscar") || name.contains("contcar") { return .poscar }
    if ends(".lmp", ".lammps", ".data") { return .lammpsData }
    throw InputError(
      "\(output): unknown format",
      remedy: "Use a name with .xyz, .extxyz, .vasp, POSCAR, .lmp, .data, .dump, .lammpstrj or .nc")
  }

  /// Frames asked for as structures, with the facts where they were read as a trajectory.
  private static func forEachFrame(
    _ path: String, _ options: TrajectoryOptions, keepsAll: Bool,
    _ body: (StructureFrame, TrajectoryFacts?) throws -> Void
  ) throws {
    if keepsAll {
      var selection = FrameSelection(options, timeIsSingle: false, file: path)
      var isDone = false
      try EvaluateCommand.forEachFrame(of: path) { frame in
        guard !isDone else { return }
        var values = frame.values
        switch try selection.choose(&values) {
        case .stop: isDone = true
        case .before, .between: return
        case .take:
          var frame = frame
          if options.timestepPs != nil, let time = values.timePs {
            frame.setInfo("time_ps", [time])
          }
          try body(frame, nil)
        }
      }
      return
    }
    let stream = try TrajectoryFiles.open(path, options: options)
    let facts = stream.facts
    guard let elements = facts.elements else { throw facts.elementsMissing }
    var frame = TrajectoryFrame(for: facts)
    var count = 0
    while try stream.next(into: &frame) {
      var structure = frame.structure(elements: elements, masses: facts.masses)
      if facts.hasCell, facts.wrapping == .unwrapped {
        structure.setInfo("apus_coordinates", "unwrapped")
      }
      try body(structure, facts)
      count += 1
    }
    try checkCount(count, stream)
  }

  private static func checkCount(_ count: Int, _ stream: TrajectoryStream) throws(InputError) {
    guard count > 0 else {
      throw InputError(
        "no frame is left" + (stream.damage.map { ": \($0)" } ?? ""),
        remedy: stream.damage == nil ? "Choose first, last and every otherwise" : "",
        file: stream.facts.path)
    }
    TrajectoryArguments.report(stream)
  }

  private static func writeTrajectory(
    _ input: String, _ options: TrajectoryOptions, _ path: String
  ) throws {
    let stream = try TrajectoryFiles.open(input, options: options)
    let facts = stream.facts
    guard let elements = facts.elements else { throw facts.elementsMissing }
    var writer: AmberTrajectoryWriter?
    var frame = TrajectoryFrame(for: facts)
    var index = 0
    var hasTime = true
    while try stream.next(into: &frame) {
      if let cell = frame.values.cell { try AmberOrientation.check(cell, file: input) }
      let values = frame.values
      if writer == nil {
        let energies =
          [values.potential, values.kinetic, values.conserved, values.temperature]
          .allSatisfy { $0 != nil } && values.stress != nil
        writer = try AmberTrajectoryWriter(
          creating: path,
          header: AmberHeader(
            elements: elements, masses: facts.masses ?? elements.map(\.mass),
            velocities: facts.hasVelocities, forces: facts.hasForces, energies: energies,
            isUnwrapped: facts.wrapping == .unwrapped, title: FileLayer.name(of: input),
            periodicity: values.cell == nil ? .none : values.periodicity, cell: values.cell))
      }
      hasTime = hasTime && values.timePs != nil
      frame.values.timePs = values.timePs ?? Double(index)
      frame.values.step = values.step ?? index
      try writer?.append(frame)
      index += 1
    }
    try checkCount(index, stream)
    if !hasTime, index > 1 {
      Console.message(
        "apus: note: \(input): the file does not tell the time of its frames; their numbers stand in "
          + "its place (--timestep gives it)")
    }
    try writer?.fsync()
    try writer?.close()
  }
}
