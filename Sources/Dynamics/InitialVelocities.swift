import Matter
import Parallel

extension PhaseState {
  /// Draws velocities from the Maxwell–Boltzmann distribution and brings the center of mass to rest;
  /// not rescaled, so that the kinetic energy has its canonical spread.
  /// - Parameters:
  ///   - temperature: in K
  ///   - seed: of the run
  public func setVelocities(temperature: Double, seed: UInt64) {
    let noise = Philox(seed: seed)
    for i in 0..<count {
      let s = (Units.boltzmann * temperature / masses[i]).squareRoot()
      let a = noise.normal(.velocities, step: 0, index: i, draw: 0)
      let b = noise.normal(.velocities, step: 0, index: i, draw: 1)
      velocities[i] = [s * a.x, s * a.y, s * b.x]
    }
    stopCenterOfMass()
  }
}
