/// The state that an integrator advances: configuration, velocities and masses.
public struct PhaseState: ~Copyable, Sendable {
  /// Elements, cell and unwrapped positions.
  public var configuration: Configuration
  /// Velocities, in internal units: Å per Å·√(amu/eV).
  public var velocities: Vectors
  /// Masses, in amu.
  public let masses: AlignedBuffer<Double>

  /// A state at rest.
  public init(configuration: consuming Configuration, masses: [Double]) {
    precondition(masses.count == configuration.count)
    velocities = Vectors(count: masses.count)
    self.masses = AlignedBuffer(masses)
    self.configuration = configuration
  }

  /// The number of atoms.
  public var count: Int { configuration.count }
}
