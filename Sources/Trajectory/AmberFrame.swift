import Matter

/// The numbers of one frame that are not per atom.
public struct AmberFrameValues: Sendable, Equatable {
  /// Time in ps.
  public var timePs: Double
  /// Step of the run.
  public var step: Int
  /// The cell; nil, or ignored, where nothing repeats.
  public var cell: Cell?
  /// Potential, kinetic and conserved energy, in eV.
  public var potential, kinetic, conserved: Double
  /// Temperature, in K.
  public var temperature: Double
  /// Full stress, in GPa, tension positive.
  public var stress: Tensor6

  /// Values of a frame.
  public init(
    timePs: Double, step: Int, cell: Cell?, potential: Double = 0, kinetic: Double = 0,
    conserved: Double = 0, temperature: Double = 0, stress: Tensor6 = .zero
  ) {
    self.timePs = timePs
    self.step = step
    self.cell = cell
    self.potential = potential
    self.kinetic = kinetic
    self.conserved = conserved
    self.temperature = temperature
    self.stress = stress
  }
}

/// A frame of a trajectory.
public struct AmberFrame: ~Copyable, Sendable {
  /// Time, step, cell, energies, temperature, stress.
  public var values: AmberFrameValues
  /// Positions, in Å, unwrapped.
  public var positions: Vectors
  /// Velocities, in internal units (Å per Å·√(amu/eV)); empty if the frame has none.
  public var velocities: Vectors
  /// Forces, in eV/Å; empty if the frame has none.
  public var forces: Vectors

  /// A frame; without velocities or forces they are empty.
  public init(
    _ values: AmberFrameValues, positions: consuming Vectors,
    velocities: consuming Vectors = Vectors(count: 0),
    forces: consuming Vectors = Vectors(count: 0)
  ) {
    self.values = values
    self.positions = positions
    self.velocities = velocities
    self.forces = forces
  }
}
