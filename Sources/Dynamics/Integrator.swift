import Matter
import Potentials

/// Why a run had to stop.
public struct RunError: Error, Sendable, CustomStringConvertible {
  /// What happened, probable cause and remedy.
  public let description: String
  /// The step of the run.
  public let step: Int
  /// The atoms concerned, 0-based.
  public let atoms: [Int]
  /// An error with its message.
  public init(_ description: String, step: Int, atoms: [Int] = []) {
    self.description = description
    self.step = step
    self.atoms = atoms
  }
}

/// The set point of a step, from the ramps of a stage.
public struct Setpoint: Sendable, Equatable {
  /// Target temperature at the middle of the step, in K.
  public var temperature: Double
  /// Target pressure tensor at the middle of the step, in eV/Å³, positive compresses.
  public var pressure: Tensor6
  /// A set point.
  public init(temperature: Double, pressure: Tensor6) {
    self.temperature = temperature
    self.pressure = pressure
  }
}

/// The extra variables of an integrator by name, for checkpoints: restoring them restores the
/// motion to the last bit.
public typealias IntegratorMemory = [String: [Double]]

/// Advances a state in time; one for each stage of a run.
///
/// `forces` holds energy, forces and (for integrators that need it) virial of `state` before and
/// after every step.
public protocol Integrator {
  /// What every evaluation must compute.
  var needs: Requirements { get }
  /// Advances by one time step with one force evaluation.
  /// - Parameters:
  ///   - step: the step about to be done, counted from 1 through the whole run; keys the noise
  mutating func step(
    _ step: Int, _ state: inout PhaseState, _ forces: inout Evaluation, evaluator: ForceEvaluator,
    setpoint: Setpoint) throws(RunError)
  /// The conserved quantity, in eV: total energy, the energies of thermostat and barostat, and the
  /// accumulated heat of stochastic ones and work of ramps.
  func conservedEnergy(_ state: borrowing PhaseState, _ forces: borrowing Evaluation) -> Double
  /// Thermostat and barostat variables, accumulated heat and work, reference cell; exact.
  var memory: IntegratorMemory { get set }
  /// Warnings since the last call, each given once.
  mutating func takeNotices() -> [String]
}

extension Integrator {
  /// No warnings.
  public mutating func takeNotices() -> [String] { [] }
}
