import Matter
import Potentials

/// One row of thermo.csv.
public struct ThermoSample: Sendable, Equatable {
  /// The step, counted through the whole run.
  public var step: Int
  /// The time, in ps.
  public var timePs: Double
  /// Temperature from 3N − 3 degrees of freedom, in K.
  public var temperature: Double
  /// Potential, kinetic and conserved energy, in eV.
  public var potentialEnergy, kineticEnergy, conserved: Double
  /// Pressure tensor (Σ m v vᵀ + Ξ)/V, in eV/Å³, positive in compression.
  public var pressureTensor: Tensor6
  /// Volume, in Å³.
  public var volume: Double
  /// Density, in g/cm³.
  public var density: Double
  /// Lengths of the cell vectors in Å and angles in degrees.
  public var lengths, angles: SIMD3<Double>

  /// The sample of a state whose evaluation includes the virial.
  public init(
    step: Int, timePs: Double, state: borrowing PhaseState, evaluation: borrowing Evaluation,
    conserved: Double
  ) {
    self.step = step
    self.timePs = timePs
    self.conserved = conserved
    let kinetic = state.kineticTensor
    let nf = degreesOfFreedom(atomCount: state.count)
    temperature = nf == 0 ? 0 : kinetic.trace / (Double(nf) * Units.boltzmann)
    potentialEnergy = evaluation.energy
    kineticEnergy = kinetic.trace / 2
    let cell = state.configuration.cell
    volume = cell.volume
    pressureTensor = (kinetic + Tensor6(evaluation.virial)) * (1 / volume)
    density = state.totalMass / volume * Units.gramPerCubicCentimeter
    lengths = cell.lengths
    angles = cell.angles
  }

  /// Pressure, in GPa.
  public var pressure: Double { pressureTensor.trace / 3 * Units.gigapascal }
  /// Stress −P, in GPa, positive in tension.
  public var stress: Tensor6 { pressureTensor * -Units.gigapascal }
  /// Enthalpy U + K + P V with the pressure of the moment, in eV.
  public var enthalpy: Double {
    potentialEnergy + kineticEnergy + pressureTensor.trace / 3 * volume
  }

  /// The names of the columns.
  public static let columns = [
    "step", "time_ps", "temperature_K", "potential_eV", "kinetic_eV", "conserved_eV",
    "pressure_GPa", "stress_xx_GPa", "stress_yy_GPa", "stress_zz_GPa", "stress_yz_GPa",
    "stress_xz_GPa", "stress_xy_GPa", "volume_A3", "density_g_cm3", "enthalpy_eV", "a_A", "b_A",
    "c_A", "alpha_deg", "beta_deg", "gamma_deg",
  ]
  /// The values of all columns after `step`.
  public var values: [Double] {
    [timePs, temperature, potentialEnergy, kineticEnergy, conserved, pressure]
      + stress.components
      + [volume, density, enthalpy, lengths.x, lengths.y, lengths.z, angles.x, angles.y, angles.z]
  }
  /// The row, without a line end; every number reads back as the same double.
  public var row: String { ([String(step)] + values.map { "\($0)" }).joined(separator: ",") }
}
