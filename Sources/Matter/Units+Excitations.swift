// Energies of excitations and momenta of neutrons, outside the equations of motion: rad/fs, meV, Å.
extension Units {
  /// ħ times one rad/fs, in meV.
  public static let excitationEnergy = 658.2119569509067
  /// One meV, in cm⁻¹.
  public static let wavenumber = 8.065543937349211
  /// One THz (times h), in meV.
  public static let terahertz = 4.135667696923859
  /// Boltzmann's constant, in meV/K.
  public static let boltzmannMilli: Double = boltzmann * 1e3
  /// ħ²/2 over the mass of the neutron, in meV Å²: E = this·k².
  public static let neutron = 2.0721248519893347
  /// ħ² over the atomic mass constant, in meV Å² amu.
  public static let quantumOfMass: Double =
    excitationEnergy * excitationEnergy / (timeUnit * timeUnit * 1e3)
  /// One barn, in fm².
  public static let barn = 100.0
}
