import Matter
import Parallel

/// The integrator of a stage of dynamics, starting from a state.
///
/// To resume, make it with any state of the stage and then set its `memory`.
/// - Parameters:
///   - timestepFs: in fs
///   - seed: of the run; with the step it determines all noise
/// - Throws: `InputError` where ensemble, cell and time step do not fit
public func makeIntegrator(
  for stage: RunPlan.Stage, timestepFs: Double, seed: UInt64, state: borrowing PhaseState
) throws(InputError) -> any Integrator {
  let timestep = timestepFs / Units.timeUnit
  let setpoint = stage.ensemble.setpoint(at: 0)
  func checkTemperature(_ ramp: RunPlan.Ramp, atoms: Int) throws(InputError) {
    guard ramp.from > 0, ramp.to > 0 else {
      throw InputError(
        "stage \(stage.name): a thermostat cannot hold \(min(ramp.from, ramp.to)) K",
        remedy: "Use a temperature above 0 K")
    }
    guard atoms > 1 else {
      throw InputError(
        "stage \(stage.name): one atom with its center of mass at rest has no temperature",
        remedy: "Use at least two atoms, or nve")
    }
  }
  switch stage.ensemble {
  case .nve:
    return NVEIntegrator(timestep: timestep, state: state)
  case .nvt(let temperature, let thermostat):
    try checkTemperature(temperature, atoms: state.count)
    return NVTIntegrator(
      timestep: timestep, thermostat: thermostat, setpoint: setpoint, seed: seed, state: state)
  case .npt(let temperature, let thermostat, _, let barostat):
    try checkTemperature(temperature, atoms: state.count)
    let cell = state.configuration.cell
    let (coupling, relaxation) =
      switch barostat {
      case .mtk(let coupling, let relaxation): (coupling, relaxation)
      case .stochasticCellRescaling(let coupling, let relaxation, _): (coupling, relaxation)
      }
    guard state.configuration.periodicity == .all else {
      throw InputError(
        "stage \(stage.name): a pressure needs a cell that repeats in all three directions",
        remedy: "Use nvt or nve, or a structure with pbc \"T T T\"")
    }
    guard cell.isRightHanded else {
      throw InputError(
        "stage \(stage.name): the cell is left-handed", remedy: "Swap the vectors a and b")
    }
    guard relaxation >= 100 * timestepFs else {
      throw InputError(
        "stage \(stage.name): the barostat's relaxation of \(relaxation) fs is below 100 steps",
        remedy: "Use at least \(100 * timestepFs) fs; 1 ps is usual")
    }
    precondition(
      coupling != .triclinic || cell.isStandard,
      "a triclinic barostat needs a cell in the standard orientation")
    let tau = relaxation / Units.timeUnit
    switch barostat {
    case .mtk:
      return MTKIntegrator(
        timestep: timestep, thermostat: thermostat, coupling: coupling, tau: tau,
        setpoint: setpoint, seed: seed, state: state)
    case .stochasticCellRescaling(_, _, let compressibility):
      return CellRescalingIntegrator(
        timestep: timestep, thermostat: thermostat, coupling: coupling, tau: tau,
        compressibility: compressibility, setpoint: setpoint, seed: seed, state: state)
    }
  case .minimize:
    preconditionFailure("a minimization has no integrator; use Minimizer")
  }
}
