import Matter

/// The numbers of one frame that are not per atom; nil where the file does not tell.
public struct FrameValues: Sendable, Equatable {
  /// Time in ps.
  public var timePs: Double?
  /// Step of the run.
  public var step: Int?
  /// The cell; nil, or ignored, where nothing repeats.
  public var cell: Cell?
  /// Which directions repeat.
  public var periodicity: Periodicity
  /// Potential, kinetic and conserved energy, in eV.
  public var potential, kinetic, conserved: Double?
  /// Temperature, in K.
  public var temperature: Double?
  /// Full stress, in GPa, tension positive.
  public var stress: Tensor6?

  /// Values of a frame; without a choice a frame with a cell repeats in all directions.
  public init(
    timePs: Double? = nil, step: Int? = nil, cell: Cell? = nil, periodicity: Periodicity? = nil,
    potential: Double? = nil, kinetic: Double? = nil, conserved: Double? = nil,
    temperature: Double? = nil, stress: Tensor6? = nil
  ) {
    self.timePs = timePs
    self.step = step
    self.cell = cell
    self.periodicity = periodicity ?? (cell == nil ? .none : .all)
    self.potential = potential
    self.kinetic = kinetic
    self.conserved = conserved
    self.temperature = temperature
    self.stress = stress
  }
}

extension FrameValues {
  /// Time, step and energy by the keys of this program (`time_ps`), GPUMD (`Time`, fs) and
  /// janus-core (`time`, fs).
  init(info: [StructureInfo], cell: Cell?, periodicity: Periodicity) {
    self.init(cell: cell, periodicity: periodicity)
    for entry in info {
      switch entry.key {
      case "time_ps": timePs = entry.numbers?.first
      case "time", "Time": timePs = timePs ?? entry.numbers?.first.map { $0 / 1000 }
      case "step", "Step": step = entry.numbers?.first.flatMap { Int(exactly: $0) }
      case "energy", "Energy": potential = entry.numbers?.first
      default: continue
      }
    }
  }
}

/// A frame of a trajectory, in buffers that a reader fills again and again.
public struct TrajectoryFrame: ~Copyable, Sendable {
  /// Time, step, cell, energies, temperature, stress.
  public var values: FrameValues
  /// Positions, in Å.
  public var positions: Vectors
  /// Velocities, in internal units (Å per Å·√(amu/eV)); empty if the frame has none.
  public var velocities: Vectors
  /// Forces, in eV/Å; empty if the frame has none.
  public var forces: Vectors

  /// A frame; without velocities or forces they are empty.
  public init(
    _ values: FrameValues, positions: consuming Vectors,
    velocities: consuming Vectors = Vectors(count: 0),
    forces: consuming Vectors = Vectors(count: 0)
  ) {
    self.values = values
    self.positions = positions
    self.velocities = velocities
    self.forces = forces
  }

  /// Buffers for the frames of a trajectory.
  public init(for facts: TrajectoryFacts) {
    self.init(
      FrameValues(), positions: Vectors(count: facts.atomCount),
      velocities: Vectors(count: facts.hasVelocities ? facts.atomCount : 0),
      forces: Vectors(count: facts.hasForces ? facts.atomCount : 0))
  }

  /// The frame that a structure makes, with its column `forces` if it has one.
  init(_ frame: StructureFrame) {
    var forces: [SIMD3<Double>] = []
    for column in frame.arrays where column.name == "forces" && column.width == 3 {
      if case .reals(let v) = column.values {
        forces = (0..<frame.structure.count).map { [v[3 * $0], v[3 * $0 + 1], v[3 * $0 + 2]] }
      }
    }
    self.init(
      frame.values, positions: Vectors(frame.structure.positions),
      velocities: Vectors(frame.structure.velocities ?? []), forces: Vectors(forces))
  }

  /// The frame as a structure with what else it tells; without masses those of the elements hold.
  public func structure(elements: [Element], masses: [Double]?) -> StructureFrame {
    let count = positions.count
    var result = StructureFrame(
      structure: Structure(
        elements: elements, positions: positions.array, cell: values.cell,
        periodicity: values.cell == nil ? .none : values.periodicity,
        velocities: velocities.count == count ? velocities.array : nil, masses: masses))
    if let time = values.timePs { result.setInfo("time_ps", [time]) }
    if let step = values.step { result.setInfo("step", "\(step)") }
    if let energy = values.potential { result.setInfo("energy", [energy]) }
    if forces.count == count, count > 0 {
      result.arrays.append(AtomColumn(name: "forces", vectors: forces.array))
    }
    return result
  }
}
