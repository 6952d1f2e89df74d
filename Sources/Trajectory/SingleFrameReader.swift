import Matter

/// A file of one structure as a trajectory of one frame.
final class SingleFrameReader: TrajectoryReader {
  let facts: TrajectoryFacts
  let damage: String? = nil
  private let structure: StructureFrame
  private var isDone = false

  init(path: String, kind: StructureKind) throws(InputError) {
    structure = try StructureReader.first(path: path)
    let frame = TrajectoryFrame(structure)
    var facts = TrajectoryFacts(path: path, kind: kind, atomCount: structure.structure.count)
    facts.frameCount = 1
    facts.elements = structure.structure.elements
    facts.masses = structure.structure.masses
    facts.hasVelocities = frame.velocities.count > 0
    facts.hasForces = frame.forces.count > 0
    facts.hasCell = structure.structure.cell != nil
    facts.wrapping = facts.hasCell ? .unknown : .unwrapped
    self.facts = facts
  }

  func next(into frame: inout TrajectoryFrame) throws(InputError) -> Bool {
    if isDone { return false }
    isDone = true
    frame = TrajectoryFrame(structure)
    return true
  }

  func skip(into values: inout FrameValues) throws(InputError) -> Bool {
    if isDone { return false }
    isDone = true
    values = structure.values
    return true
  }
}
