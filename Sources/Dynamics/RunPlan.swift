import Matter

/// A checked run deck with every default filled in. Values are in internal units: Å, K, eV, amu,
/// eV/Å³ for pressures (positive compresses), and fs where the name says so.
public struct RunPlan: Sendable, Equatable {
  /// Where the potential comes from.
  public struct PotentialChoice: Sendable, Equatable {
    /// Path of the model file, as resolved against the deck.
    public var model: String
    /// The arithmetic of the potential.
    public var precision: Precision
    /// The head of a multi-head model.
    public var head: String?
    /// A value of its members.
    public init(model: String, precision: Precision, head: String? = nil) {
      self.model = model
      self.precision = precision
      self.head = head
    }
  }
  /// The arithmetic of a potential; integrators always use double.
  public enum Precision: String, Sendable, CaseIterable {
    case mixed
    case double
  }
  /// How velocities start.
  public enum Velocities: Sendable, Equatable {
    /// Maxwell–Boltzmann at a temperature in K.
    case temperature(Double)
    /// From the structure file.
    case fromStructure
  }
  /// A value that may change linearly in time over a stage.
  public struct Ramp: Sendable, Equatable {
    /// Values at the start and at the end of the stage.
    public var from, to: Double
    /// The value at a fraction of the stage in 0...1.
    public func value(at fraction: Double) -> Double { from + (to - from) * fraction }
    /// A value of its members.
    public init(from: Double, to: Double) {
      self.from = from
      self.to = to
    }
  }
  /// Target pressure: a ramp of a scalar, or six components xx yy zz yz xz xy.
  public enum Pressure: Sendable, Equatable {
    case scalar(Ramp)
    case components(Tensor6)
  }
  /// A thermostat and its parameters.
  public enum Thermostat: Sendable, Equatable {
    case noseHoover(relaxationFs: Double, chain: Int)
    case bussi(relaxationFs: Double)
    case langevin(relaxationFs: Double)
  }
  /// Which strains of the cell move.
  public enum Coupling: String, Sendable, CaseIterable {
    case isotropic
    case orthorhombic
    case triclinic
  }
  /// A barostat and its parameters; compressibility in Å³/eV.
  public enum Barostat: Sendable, Equatable {
    case mtk(coupling: Coupling, relaxationFs: Double)
    case stochasticCellRescaling(
      coupling: Coupling, relaxationFs: Double, compressibility: Double)
  }
  /// What a stage does.
  public enum Ensemble: Sendable, Equatable {
    case nve
    case nvt(temperature: Ramp, thermostat: Thermostat)
    case npt(temperature: Ramp, thermostat: Thermostat, pressure: Pressure, barostat: Barostat)
    /// Relaxation to a largest force in eV/Å in at most `steps` steps; `cell` nil keeps it fixed.
    case minimize(force: Double, cell: Coupling?, pressure: Double)
  }
  /// The cell a stage starts with.
  public enum StartingCell: Sendable, Equatable {
    /// As the stage before left it.
    case last
    /// The mean over an earlier stage, after `discardFs` of it; atoms are strained affinely.
    case mean(stage: String, discardFs: Double?)
  }
  /// What goes into a trajectory, every `every` steps.
  public struct TrajectoryOutput: Sendable, Equatable {
    /// Steps between frames.
    public var every: Int
    /// Whether frames hold velocities.
    public var velocities: Bool
    /// Whether frames hold forces.
    public var forces: Bool
    /// A value of its members.
    public init(every: Int, velocities: Bool, forces: Bool) {
      self.every = every
      self.velocities = velocities
      self.forces = forces
    }
  }
  /// What is accumulated of scattering, every `every` steps.
  public struct ScatterOutput: Sendable, Equatable {
    /// Steps between frames.
    public var every: Int
    /// The keys of the scatter deck with every default, a line each.
    public var deck: String
    /// A value of its members.
    public init(every: Int, deck: String) {
      self.every = every
      self.deck = deck
    }
  }
  /// One stage.
  public struct Stage: Sendable, Equatable {
    /// The name, also of its folder.
    public var name: String
    /// What is sampled, or a relaxation.
    public var ensemble: Ensemble
    /// Steps of dynamics, or the most steps of a minimization.
    public var steps: Int
    /// The cell it starts with.
    public var cell: StartingCell
    /// Frames written, if any.
    public var trajectory: TrajectoryOutput?
    /// Steps between rows of thermo.csv.
    public var thermoEvery: Int
    /// Scattering that is accumulated, if any.
    public var scatter: ScatterOutput?
    /// A value of its members.
    public init(
      name: String, ensemble: Ensemble, steps: Int, cell: StartingCell,
      trajectory: TrajectoryOutput? = nil, thermoEvery: Int, scatter: ScatterOutput? = nil
    ) {
      self.name = name
      self.ensemble = ensemble
      self.steps = steps
      self.cell = cell
      self.trajectory = trajectory
      self.thermoEvery = thermoEvery
      self.scatter = scatter
    }
  }

  /// A title for people.
  public var title: String
  /// Path of the structure, as resolved against the deck.
  public var structure: String
  /// Rows are the multiples of a, b, c.
  public var supercell: [[Int]]
  /// Masses in amu that replace the natural ones.
  public var masses: [Element: Double]
  /// The potential.
  public var potential: PotentialChoice
  /// In fs; nil only when every stage minimizes.
  public var timestepFs: Double?
  /// Seed of all random numbers.
  public var seed: UInt64
  /// nil only when every stage minimizes.
  public var velocities: Velocities?
  /// The run directory.
  public var output: String
  /// Stages in order.
  public var stages: [Stage]
  /// Wall-clock seconds between checkpoints.
  public var checkpointEvery: Double
  /// What is analyzed after the last stage, as a resolved deck on one line; nil for nothing.
  public var analysis: String?
  /// A value of its members.
  public init(
    title: String, structure: String, supercell: [[Int]], masses: [Element: Double],
    potential: PotentialChoice, timestepFs: Double? = nil, seed: UInt64,
    velocities: Velocities? = nil, output: String, stages: [Stage], checkpointEvery: Double,
    analysis: String? = nil
  ) {
    self.title = title
    self.structure = structure
    self.supercell = supercell
    self.masses = masses
    self.potential = potential
    self.timestepFs = timestepFs
    self.seed = seed
    self.velocities = velocities
    self.output = output
    self.stages = stages
    self.checkpointEvery = checkpointEvery
    self.analysis = analysis
  }
}
