import Matter

extension RunPlan.Stage {
  /// Whether atoms move in time.
  public var isDynamics: Bool {
    if case .minimize = ensemble { false } else { true }
  }

  /// Targets in the middle of the step after `done` steps of the stage.
  func setpoint(after done: Int) -> Setpoint {
    ensemble.setpoint(at: (Double(done) + 0.5) / Double(max(steps, 1)))
  }

  /// The temperature aimed at, where the ensemble has one.
  func temperatureTarget(_ setpoint: Setpoint) -> Double? {
    switch ensemble {
    case .nve, .minimize: nil
    case .nvt, .npt: setpoint.temperature
    }
  }

  /// Whether the stage has a ramp, whose slope depends on the duration.
  public var hasRamp: Bool {
    switch ensemble {
    case .nve, .minimize: return false
    case .nvt(let t, _): return t.from != t.to
    case .npt(let t, _, let pressure, _):
      if case .scalar(let p) = pressure, p.from != p.to { return true }
      return t.from != t.to
    }
  }
}
