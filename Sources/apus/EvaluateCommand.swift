import Dynamics
import Matter
import Parallel
import Potentials
import Trajectory

/// `apus evaluate`: energies, forces and stresses of structures, frame by frame.
enum EvaluateCommand: Command {
  static let name = "evaluate"
  static let grammar = Arguments.Grammar(
    options: ["--model": 1, "--head": 1, "--precision": 1, "--output": 1],
    operands: ["STRUCTURES"], repeated: true)
  static let help = """
    apus evaluate --model MODEL STRUCTURES... --output OUT.xyz: writes every frame with its energy
    (eV), forces (eV/Å), energies (eV per atom), stress (9 numbers, eV/Å^3, positive in tension,
    without kinetic part) and virial (9 numbers, eV, positive pushes the cell outward)

      --model MODEL         the file of the potential
      --output OUT.xyz      extended XYZ, in place of any other
      --precision P         mixed (default) or double
      --head NAME           of a model with several
      --threads N           threads (default: the cores this process may use)

    Labels of these names in the input are replaced; everything else is carried over.

    Example:
      apus evaluate --model Si.txt frames.xyz POSCAR --precision double --output labelled.xyz
    """

  static func run(_ arguments: Arguments) throws -> ExitStatus {
    let modelPath = try arguments.required("--model", "the file of the potential")
    let output = try arguments.required("--output", "the file to write")
    let precision = try BenchmarkCommand.precision(arguments)
    let team = ThreadTeam(count: try arguments.threads())
    let model = try PotentialLoader.load(
      RunPlan.PotentialChoice(
        model: modelPath, precision: precision, head: arguments.value("--head")))
    for path in arguments.operands { _ = try StructureReader.kind(of: path) }
    try OutputFile.check(output, inputs: arguments.operands + [modelPath])
    let draft = output + ".tmp"
    var frames = 0
    do {
      let file = try GrowingFile(creating: draft)
      for path in arguments.operands {
        var index = 0
        try forEachFrame(of: path) { frame in
          index += 1
          let labelled = try label(
            frame, model.potential, team, place: "\(path), frame \(index)", model: modelPath)
          file.append(StructureWriter.extendedXYZ(labelled))
          try file.flush()
          frames += 1
        }
      }
      try file.synchronize()
      try FileLayer.rename(draft, to: output)
      try FileLayer.synchronizeDirectory(of: output)
    } catch {
      try? FileLayer.remove(draft)
      throw error
    }
    if !arguments.flags.contains("--quiet") {
      Console.message("apus: \(frames) frame\(frames == 1 ? "" : "s") written to \(output)")
    }
    return .done
  }

  /// Frames one at a time where the format allows it.
  static func forEachFrame(of path: String, _ body: (StructureFrame) throws -> Void) throws {
    switch try StructureReader.kind(of: path) {
    case .extendedXYZ:
      let reader = try ExtendedXYZReader(path: path)
      while let frame = try reader.next() { try body(frame) }
    case .netCDF, .lammpsDump, .dcd, .h5md:
      var options = TrajectoryOptions()
      options.requiresEvenSpacing = false
      let stream = try TrajectoryFiles.open(path, options: options)
      guard let elements = stream.facts.elements else { throw stream.facts.elementsMissing }
      var frame = TrajectoryFrame(for: stream.facts)
      while try stream.next(into: &frame) {
        try body(frame.structure(elements: elements, masses: stream.facts.masses))
      }
      if let damage = stream.damage { Console.message("apus: warning: \(path): \(damage)") }
    default:
      for frame in try StructureReader.read(path: path) { try body(frame) }
    }
  }

  private static func label(
    _ frame: StructureFrame, _ potential: any Potential, _ team: ThreadTeam, place: String,
    model: String
  ) throws -> StructureFrame {
    let structure = frame.structure
    if let missing = Preflight.missingElements(structure, potential, model: model) {
      throw InputError(missing, remedy: "Use a model trained for it", file: place)
    }
    let configuration = structure.configuration()
    var result = Evaluation(count: structure.count)
    let overlaps: Overlaps
    do { overlaps = try Overlaps(configuration, team: team) } catch {
      throw InputError(error.description, file: place)
    }
    if overlaps.areCoincident, let pair = overlaps.pairs.first {
      throw InputError(
        "coincident atoms: \(Overlaps.describe(pair, structure.elements))",
        remedy: "Remove the doubled atoms", file: place)
    }
    do {
      try ForceEvaluator(potential: potential, team: team, skin: 0).evaluate(
        configuration, needing: .virial, into: &result)
    } catch { throw InputError(error.description, file: place) }
    var labelled = frame
    labelled.arrays.removeAll { ["forces", "energies"].contains($0.name) }
    labelled.info.removeAll { ["energy", "stress", "virial"].contains($0.key) }
    labelled.setInfo("energy", [result.energy])
    let w = Tensor6(result.virial).matrix
    let nine = [w.x, w.y, w.z].flatMap { [$0.x, $0.y, $0.z] }
    labelled.setInfo("virial", nine)
    if structure.cell != nil {
      labelled.setInfo("stress", nine.map { -$0 / configuration.cell.volume })
    }
    labelled.setColumn(AtomColumn(name: "forces", vectors: result.forces.array))
    labelled.setColumn(
      AtomColumn(name: "energies", width: 1, values: .reals(result.energies.array)))
    return labelled
  }
}
