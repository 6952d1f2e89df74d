import Matter
import Potentials
import Trajectory

extension Simulation {
  /// Time of dynamics so far, in ps; a product, so that it does not depend on where a run stopped.
  var timePs: Double { Double(dynamicsStep) * (plan.timestepFs ?? 0) / 1000 }

  /// The integrator of the current stage, at its start.
  func makeIntegrator() throws(SimulationFailure) -> any Integrator {
    do {
      return try Dynamics.makeIntegrator(
        for: plan.stages[stage], timestepFs: plan.timestepFs ?? 1, seed: plan.seed, state: state)
    } catch { throw SimulationFailure(description: error.description) }
  }

  /// Writes a row and a frame of the state, whose evaluation has the virial.
  func writeOutputs(conserved: Double, thermo row: Bool, frame: Bool) throws(FileError) {
    let sample = ThermoSample(
      step: step, timePs: timePs, state: state, evaluation: forces, conserved: conserved)
    progress.pressure = sample.pressure
    if row, let thermo {
      thermo.append(sample.row + "\n")
      try thermo.flush()
    }
    if frame, let trajectory {
      try trajectory.append(
        FrameValues(
          timePs: timePs, step: step, cell: state.configuration.cell,
          potential: sample.potentialEnergy, kinetic: sample.kineticEnergy,
          conserved: conserved, temperature: sample.temperature, stress: sample.stress),
        positions: state.configuration.positions, velocities: state.velocities,
        forces: forces.forces)
    }
  }

  /// What the trajectory of a stage says once; nothing in it depends on when or where it ran.
  func trajectoryHeader(_ output: RunPlan.TrajectoryOutput) -> AmberHeader {
    let current = plan.stages[stage]
    let attributes = [
      ("apus_coordinates", "unwrapped"),
      ("apus_version", template.program),
      ("apus_model", FileLayer.name(of: plan.potential.model)),
      ("apus_model_sha256", template.modelHash),
      ("apus_precision", plan.potential.precision.rawValue),
      ("apus_seed", "\(plan.seed)"),
      ("apus_timestep", plan.timestepFs.map { "\($0) fs" } ?? "none"),
      ("apus_stage", current.name),
      ("apus_ensemble", current.ensemble.word),
    ].map { ($0.0, String($0.1.prefix(80))) }
    return AmberHeader(
      elements: state.configuration.elements, masses: state.masses.array,
      velocities: output.velocities, forces: output.forces, title: plan.title,
      attributes: attributes, periodicity: state.configuration.periodicity,
      cell: state.configuration.cell)
  }

  /// The files beside a trajectory that give other programs names and cell.
  func writeCompanions(stage name: String) throws(FileError) {
    try TrajectoryCompanions.write(
      currentStructure(), title: plan.title, in: directory.path + "/" + name)
    around.log.write(
      """
      stage \(name): read its trajectory in \(directory.path)/\(name) with
        MDAnalysis: MDAnalysis.Universe('topology.pdb', 'trajectory.nc')
        mdtraj:     mdtraj.load('trajectory.nc', top='topology.pdb')
        dynasor:    dynasor.Trajectory('trajectory.nc', trajectory_format='nc', atomic_indices='species.ndx')
      """)
  }

  /// Writes the state as extended XYZ with velocities.
  func writeFrame(_ name: String) throws(FileError) {
    var frame = StructureFrame(structure: currentStructure())
    frame.setInfo("step", "\(step)")
    frame.setInfo("time_ps", "\(timePs)")
    frame.setInfo("energy", "\(forces.energy)")
    frame.setColumn(AtomColumn(name: "forces", vectors: forces.forces.array))
    try FileLayer.write(StructureWriter.extendedXYZ(frame), to: directory.file(name))
  }

  private func currentStructure() -> Structure {
    let c = state.configuration.periodicity == .none ? nil : state.configuration.cell
    return Structure(
      elements: state.configuration.elements, positions: state.configuration.positions.array,
      cell: c, periodicity: state.configuration.periodicity,
      velocities: state.velocities.array, masses: state.masses.array)
  }
}

extension RunPlan.Ensemble {
  /// The word of the deck.
  var word: String {
    switch self {
    case .nve: "nve"
    case .nvt: "nvt"
    case .npt: "npt"
    case .minimize: "minimize"
    }
  }
}
