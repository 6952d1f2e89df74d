import Matter

extension RunPlan.Ensemble {
  /// The set point at a fraction of the stage in 0...1. For step k of n, counted from 1, the
  /// fraction is (k − ½)/n.
  public func setpoint(at fraction: Double) -> Setpoint {
    switch self {
    case .nve, .minimize: Setpoint(temperature: 0, pressure: .zero)
    case .nvt(let temperature, _):
      Setpoint(temperature: temperature.value(at: fraction), pressure: .zero)
    case .npt(let temperature, _, .scalar(let ramp), _):
      Setpoint(
        temperature: temperature.value(at: fraction),
        pressure: Tensor6(Matrix3.identity * ramp.value(at: fraction)))
    case .npt(let temperature, _, .components(let pressure), _):
      Setpoint(temperature: temperature.value(at: fraction), pressure: pressure)
    }
  }
}
