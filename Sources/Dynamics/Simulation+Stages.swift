import Matter
import Potentials
import Trajectory

extension Simulation {
  /// Starts a stage: its cell, its files, its integrator.
  func beginStage(_ index: Int) throws {
    let next = plan.stages[index]
    stage = index
    stageStep = 0
    stageIsDone = false
    (frames, thermoBytes) = (0, 0)
    memoryAtEnd = [:]
    around.log.write("stage \(next.name): begins at step \(step)")
    if case .mean(let name, let discardFs) = next.cell {
      try takeMeanCell(of: name, discardFs: discardFs)
    }
    evaluator.extraRequirements = [.virial]
    try evaluate()
    if case .npt = next.ensemble { openAverages(index) }
    accumulators["start"] = [state.temperature, state.configuration.cell.volume]
    try FileLayer.makeDirectory(directory.path + "/" + next.name)
    let thermo = try GrowingFile(creating: directory.file("thermo.csv", stage: next.name))
    thermo.append(ThermoSample.columns.joined(separator: ",") + "\n")
    try thermo.flush()
    self.thermo = thermo
    thermoBytes = thermo.size
    if let output = next.trajectory {
      let path = directory.file("trajectory.nc", stage: next.name)
      trajectory = try AmberTrajectoryWriter(creating: path, header: trajectoryHeader(output))
      try writeCompanions(stage: next.name)
    } else {
      trajectory = nil
    }
    try openObserver(index)
    if next.isDynamics {
      integrator = try makeIntegrator()
    } else {
      integrator = nil
      setVelocitiesAside()
    }
  }

  /// Opens the files of the stage that a checkpoint left, cut back to what it counts.
  func reopenOutputs() throws {
    let current = plan.stages[stage]
    let thermo = try GrowingFile(
      continuing: directory.file("thermo.csv", stage: current.name), size: thermoBytes)
    self.thermo = thermo
    if let output = current.trajectory {
      trajectory = try AmberTrajectoryWriter(
        continuing: directory.file("trajectory.nc", stage: current.name),
        header: trajectoryHeader(output), frames: frames)
    }
    try openObserver(stage)
  }

  /// Ends a stage: its averages, and a checkpoint.
  func endStage() throws {
    let current = plan.stages[stage]
    try finishObserver()
    stageIsDone = true
    progress.totalSteps -= current.steps - stageStep
    takeVelocitiesUp()
    try checkpoint()
    observer?.discard()
    observer = nil
    memoryAtEnd = integrator?.memory ?? [:]
    integrator = nil
    thermo = nil
    try trajectory?.close()
    trajectory = nil
    var text = "stage \(current.name): done at step \(step)"
    if !current.isDynamics { text += ", " + minimizationReport }
    for key in averages.keys.filter({ $0.hasPrefix("cell.\(stage).") }).sorted() {
      let start = accumulators["discard." + key]?[0] ?? 0
      guard let estimate = averages[key]?.estimate(keepAll: start > 0) else { continue }
      text += "\n" + describe(estimate, from: Int(start), stage: current.name)
    }
    around.log.write(text)
    around.report(text)
  }

  /// The forces of the state now.
  func evaluate() throws(RunError) {
    do {
      try evaluator.evaluate(state.configuration, needing: .virial, into: &forces)
    } catch {
      throw RunError("step \(step): \(error)", step: step, atoms: error.atoms)
    }
  }

  // MARK: mean cell

  private func averageKey(_ stage: Int, _ discardFs: Double?) -> String {
    "cell.\(stage)." + (discardFs.map { "\($0)" } ?? "auto")
  }

  /// One average for the report, and one for each later stage that names another start.
  private func openAverages(_ index: Int) {
    let name = plan.stages[index].name
    var starts: [Double?] = [nil]
    for later in plan.stages[index...] {
      if case .mean(name, let discardFs?) = later.cell { starts.append(discardFs) }
    }
    for start in starts {
      let key = averageKey(index, start)
      averages[key] = CellAverage()
      let steps = start.map { ($0 / (plan.timestepFs ?? 1)).rounded() } ?? 0
      accumulators["discard." + key] = [steps]
    }
  }

  /// Strains cell and atoms to the mean cell of a stage; velocities stay.
  private func takeMeanCell(of name: String, discardFs: Double?) throws(SimulationFailure) {
    guard let source = plan.stages.firstIndex(where: { $0.name == name }) else {
      throw SimulationFailure(description: "there is no stage \(name) to take a mean cell from")
    }
    let key = averageKey(source, discardFs)
    let start = Int(accumulators["discard." + key]?[0] ?? 0)
    guard let estimate = averages[key]?.estimate(keepAll: start > 0), let cell = estimate.cell
    else {
      throw SimulationFailure(
        description:
          "stage \(plan.stages[stage].name): stage \(name) has no cells to average; `cell: mean of` needs an npt stage longer than the part left out"
      )
    }
    let old = state.configuration.cell
    let toFractional = old.fractionalMatrix
    for i in 0..<state.count {
      let s = toFractional * state.configuration.positions[i]
      state.configuration.positions[i] = cell.cartesian(s)
    }
    state.configuration.cell = cell
    let text =
      "stage \(plan.stages[stage].name): cell set to the mean of \(name), atoms strained affinely\n"
      + describe(estimate, from: start, stage: name)
    around.log.write(text)
    around.report(text)
  }

  private func describe(_ e: CellEstimate, from start: Int, stage: String) -> String {
    let names = ["a_x", "b_x", "b_y", "c_x", "c_y", "c_z"]
    var parts: [String] = []
    for k in 0..<6 where e.mean[k] != 0 || e.standardError[k] > 0 {
      let error = e.standardError[k].isFinite ? Decimal.fixed(e.standardError[k], 5) : "unknown"
      parts.append("\(names[k]) = \(Decimal.fixed(e.mean[k], 5)) ± \(error)")
    }
    let drift =
      e.drift.isNaN
      ? "convergence unknown, too few samples"
      : (e.isConverged ? "converged" : "NOT converged")
        + ": halves differ by \(Decimal.fixed(e.drift, 1)) standard errors"
    let left =
      start > 0
      ? "first \(start) steps left out as asked"
      : "first \(e.discarded) steps left out \(e.choice)"
    return
      "  mean cell of \(stage) in Å: \(parts.joined(separator: ", "))\n  \(e.used) steps averaged, \(left); \(drift)"
  }

  // MARK: final files

  /// Writes `final.xyz`, unless it is there.
  func writeFinal() throws(FileError) {
    if !FileLayer.exists(directory.file("final.xyz")) { try writeFrame("final.xyz") }
  }
}
