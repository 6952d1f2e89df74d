import Analysis
import Matter
import Parallel
import Trajectory

/// Feeds the frames of a trajectory that a user asked for to an analysis.
struct TrajectoryFeed {
  let path: String
  let source: AnalysisPlan.Source

  /// The observables of a plan that need frames. Atoms that are or may be put back into the cell are
  /// followed through its faces for displacements; where that fails there are none.
  func analyze(_ plan: AnalysisPlan, team: ThreadTeam, temperature: Double?) throws
    -> TrajectoryAnalysis.Outcome
  {
    guard plan.msd != nil else {
      return try read(plan, unwrapping: nil, team: team, temperature: temperature)
    }
    do {
      return try read(plan, unwrapping: .lattice, team: team, temperature: temperature)
    } catch let error as InputError {
      var rest = plan
      rest.msd = nil
      var outcome = try read(rest, unwrapping: nil, team: team, temperature: temperature)
      outcome.obstacles.insert(("msd", error.description), at: 0)
      return outcome
    }
  }

  private func read(
    _ plan: AnalysisPlan, unwrapping: Unwrapper.Scheme?, team: ThreadTeam, temperature: Double?
  ) throws -> TrajectoryAnalysis.Outcome {
    var options = TrajectoryOptions(source)
    let survey = try TrajectoryFiles.surveyUsed(path, options: options)
    options.unwrapping = unwrapping
    let frames: any FrameSource
    if team.count > 1 {
      frames = FramePrefetcher(try TrajectoryFiles.open(path, options: options))
    } else {
      frames = try TrajectoryFiles.open(path, options: options)
    }
    let facts = frames.facts
    guard let elements = facts.elements else { throw facts.elementsMissing }
    var analysis = TrajectoryAnalysis(
      plan,
      facts: TrajectoryAnalysis.Facts(
        elements: elements, masses: facts.masses ?? elements.map(\.mass),
        frameCount: survey.frameCount, frameSpacing: survey.spacingPs ?? 1,
        hasVelocities: facts.hasVelocities, isUnwrapped: facts.wrapping == .unwrapped),
      team: team)
    var frame = TrajectoryFrame(for: facts)
    var count = 0
    while count < survey.frameCount, try frames.next(into: &frame) {
      try analysis.accumulate(
        time: frame.values.timePs ?? Double(count), cell: frame.values.cell,
        positions: frame.positions, velocities: frame.velocities)
      count += 1
    }
    var outcome = analysis.outcome(temperature: temperature)
    for note in facts.notes + (survey.damage.map { [$0] } ?? []) {
      for k in outcome.groups.indices { outcome.groups[k].addCaveat(note) }
    }
    return outcome
  }
}

extension TrajectoryOptions {
  /// What a deck or a command line says of a trajectory.
  init(_ source: AnalysisPlan.Source) {
    self.init()
    topology = source.topology
    elements = source.elements
    timestepPs = source.timestep
    firstPs = source.first
    lastPs = source.last
    every = source.every
    units = source.units
  }
}

extension TrajectoryFiles {
  /// The frames that are used of a trajectory, of which there is at least one.
  static func surveyUsed(_ path: String, options: TrajectoryOptions) throws
    -> TrajectorySurvey
  {
    let survey = try survey(path, options: options)
    guard survey.frameCount > 0 else {
      throw InputError("has no frame in the part that is used (--first, --last)", file: path)
    }
    return survey
  }
}
