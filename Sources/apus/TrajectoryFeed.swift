import Analysis
import Matter
import Parallel
import Trajectory

/// Feeds the frames of a trajectory that a user asked for to an analysis.
struct TrajectoryFeed {
  let path: String
  let source: AnalysisPlan.Source

  func analyze(_ plan: AnalysisPlan, team: ThreadTeam, temperature: Double?) throws
    -> TrajectoryAnalysis.Outcome
  {
    let reader = try AmberTrajectoryReader(path: path)
    let (elements, masses) = try atoms(reader)
    let values = try reader.frameValues()
    let times =
      source.timestep.map { step in values.indices.map { Double($0) * step } }
      ?? values.map(\.timePs)
    let tolerance = 1e-6
    let chosen = times.indices.filter { k in
      let t = times[k] - times[0]
      return t >= (source.first ?? 0) - tolerance && t <= (source.last ?? .infinity) + tolerance
    }
    let frames = chosen.enumerated().filter { $0.offset % source.every == 0 }.map(\.element)
    guard let first = frames.first, let last = frames.last else {
      throw InputError(
        "has no frame in the part that is used (--first, --last)", file: path)
    }
    let spacing = frames.count > 1 ? (times[last] - times[first]) / Double(frames.count - 1) : 1
    guard spacing > 0 else {
      throw InputError(
        "the times of its frames do not grow", remedy: "Give their distance: --timestep '10 fs'",
        file: path)
    }
    var analysis = TrajectoryAnalysis(
      plan,
      facts: TrajectoryAnalysis.Facts(
        elements: elements, masses: masses, frameCount: frames.count, frameSpacing: spacing,
        hasVelocities: reader.hasVelocities, isUnwrapped: reader.isUnwrapped), team: team)
    for k in frames {
      let frame = try reader.frame(k)
      try analysis.accumulate(
        time: times[k], cell: frame.values.cell, positions: frame.positions,
        velocities: frame.velocities)
    }
    return analysis.outcome(temperature: temperature)
  }

  private func atoms(_ reader: AmberTrajectoryReader) throws -> ([Element], [Double]) {
    var elements = source.elements ?? reader.elements
    var masses = reader.masses
    if let topology = source.topology {
      let structure = try StructureReader.first(path: topology).structure
      elements = structure.elements
      masses = structure.masses ?? masses
    }
    guard let elements else {
      throw InputError(
        "the file does not tell the elements of its atoms",
        remedy: "Give a structure with the same atoms in the same order (--topology)", file: path)
    }
    guard elements.count == reader.atomCount else {
      throw InputError(
        "it has \(reader.atomCount) atoms, given are the elements of \(elements.count)",
        remedy: "Give a structure with the same atoms in the same order (--topology)", file: path)
    }
    return (elements, masses ?? elements.map(\.mass))
  }
}
