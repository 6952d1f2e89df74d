import Trajectory

/// What is known of the run besides its rows; what a deck says goes before what a file says.
public struct ThermoContext: Sendable, Equatable {
  /// What was sampled.
  public var ensemble: ThermoSeries.Ensemble?
  /// The temperature of the thermostat, in K; nil where unknown or ramped.
  public var temperature: Double?
  /// The pressure of the barostat, in GPa.
  public var pressure: Double?
  /// The number of atoms.
  public var atomCount: Int?
  /// Whether temperature or pressure changed on purpose.
  public var isRamp = false

  /// What is known; nothing by default.
  public init(
    ensemble: ThermoSeries.Ensemble? = nil, temperature: Double? = nil, pressure: Double? = nil,
    atomCount: Int? = nil
  ) {
    self.ensemble = ensemble
    self.temperature = temperature
    self.pressure = pressure
    self.atomCount = atomCount
  }

  /// With what a file tells filled in where nothing is known.
  public func completed(by series: ThermoSeries) -> ThermoContext {
    var result = self
    result.ensemble = ensemble ?? series.ensemble
    result.temperature = temperature ?? series.targetTemperature
    result.pressure = pressure ?? series.targetPressure
    result.atomCount = atomCount ?? series.atomCount
    return result
  }
}
