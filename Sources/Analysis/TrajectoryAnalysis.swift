import Matter
import Parallel

/// The observables that a plan asks for and that need positions or velocities, fed frame by frame.
public struct TrajectoryAnalysis: ~Copyable {
  /// What is known of a trajectory before its frames are read.
  public struct Facts: Sendable {
    /// The element of each atom.
    public var elements: [Element]
    /// Masses in amu.
    public var masses: [Double]
    /// Frames that will come.
    public var frameCount: Int
    /// The time between them, in ps.
    public var frameSpacing: Double
    /// Whether frames hold velocities.
    public var hasVelocities: Bool
    /// Whether atoms keep their image when they leave the cell.
    public var isUnwrapped: Bool
    /// The facts of a trajectory.
    public init(
      elements: [Element], masses: [Double], frameCount: Int, frameSpacing: Double,
      hasVelocities: Bool, isUnwrapped: Bool
    ) {
      self.elements = elements
      self.masses = masses
      self.frameCount = frameCount
      self.frameSpacing = frameSpacing
      self.hasVelocities = hasVelocities
      self.isUnwrapped = isUnwrapped
    }
  }

  private let plan: AnalysisPlan
  private let facts: Facts
  private let team: ThreadTeam
  private let groups: [AtomGroup]
  private var displacement: MeanSquareDisplacement?
  private var radial: RadialDistribution?
  private var velocity: VelocityAutocorrelation?
  private var molecules: MoleculeSeries?
  private var times: [Double] = []
  private var obstacles: [(String, String)] = []

  /// Ready for the first frame.
  public init(_ plan: AnalysisPlan, facts: Facts, team: ThreadTeam) {
    self.plan = plan
    self.facts = facts
    self.team = team
    var groups = AtomGroup.byElement(facts.elements)
    for wanted in plan.groups {
      var atoms = Set<Int>()
      for member in wanted.members {
        switch member {
        case .element(let element):
          atoms.formUnion(facts.elements.indices.filter { facts.elements[$0] == element })
        case .atoms(let range):
          atoms.formUnion(range.lowerBound - 1...range.upperBound - 1)
        }
      }
      let known = atoms.filter { $0 < facts.elements.count }
      if known.count < atoms.count {
        obstacles.append(
          ("groups.\(wanted.name)", "it names atoms beyond the \(facts.elements.count) there are"))
      } else {
        groups.append(AtomGroup(name: wanted.name, atoms: known.sorted()))
      }
    }
    self.groups = groups
  }

  /// Adds a frame.
  /// - Parameters:
  ///   - time: in ps
  ///   - cell: nil where nothing repeats
  ///   - positions: in Å
  ///   - velocities: in internal units, or empty
  public mutating func accumulate(
    time: Double, cell: Cell?, positions: borrowing Vectors, velocities: borrowing Vectors
  ) throws(ObservableError) {
    if times.isEmpty { try start(cell, positions) }
    times.append(time)
    try displacement?.accumulate(cell: cell, positions: positions)
    try radial?.accumulate(cell: cell, positions: positions)
    try molecules?.accumulate(cell: cell, positions: positions)
    try velocity?.accumulate(velocities: velocities)
  }

  /// Bonds are those of the first frame.
  private mutating func start(_ cell: Cell?, _ positions: borrowing Vectors) throws(ObservableError)
  {
    try Finite.check(positions, what: "position", frame: 0)
    let graph = BondGraph(
      elements: facts.elements, cell: cell, positions: positions,
      factor: plan.molecules?.bondFactor ?? AnalysisPlan.Molecules().bondFactor)
    let bound = graph.molecules
    if let wanted = plan.msd {
      if facts.isUnwrapped || cell == nil {
        var p = MeanSquareDisplacement.Plan(
          groups: groups, masses: facts.masses, frameSpacing: facts.frameSpacing)
        if wanted.molecules { p.molecules = bound }
        p.maximumLag = wanted.maximumLag
        p.removesDrift = wanted.removeDrift
        p.blocks = plan.blocks
        displacement = MeanSquareDisplacement(p)
      } else {
        obstacles.append(("msd", "atoms are put back into the cell, or may be"))
      }
    }
    if let wanted = plan.rdf {
      if cell == nil {
        obstacles.append(("rdf", "the frames have no cell"))
      } else {
        radial = distribution(wanted, bonds: bound.isEmpty ? nil : graph)
      }
    }
    if let wanted = plan.vacf {
      if facts.hasVelocities {
        var p = VelocityAutocorrelation.Plan(
          groups: groups, masses: facts.masses, frameSpacing: facts.frameSpacing)
        p.maximumLag = wanted.maximumLag
        p.window = wanted.window == .hann ? .hann : .none
        p.degreesOfFreedom = Double(3 * facts.elements.count - 3)
        p.blocks = plan.blocks
        velocity = VelocityAutocorrelation(p)
      } else {
        obstacles.append(("vacf", "the frames hold no velocities"))
      }
    }
    if let wanted = plan.molecules {
      if bound.isEmpty {
        obstacles.append(("molecules", "there are none: atoms are single or one network"))
      } else {
        molecules = MoleculeSeries(graph, herringbone: wanted.herringbone)
      }
    }
  }

  private mutating func distribution(_ wanted: AnalysisPlan.Radial, bonds: BondGraph?)
    -> RadialDistribution?
  {
    let windows =
      wanted.windows?.map {
        RadialDistribution.frames(in: $0, frameSpacing: facts.frameSpacing)
      } ?? RadialDistribution.defaultWindows(frameCount: facts.frameCount)
    if let empty = windows.firstIndex(where: { $0.lowerBound >= facts.frameCount || $0.isEmpty }) {
      obstacles.append(("rdf", "window \(empty + 1) has no frame"))
      return nil
    }
    var p = RadialDistribution.Plan(
      groups: groups, atomCount: facts.elements.count, windows: windows)
    p.cutoff = wanted.cutoff
    p.bins = wanted.bins
    p.blocks = plan.blocks
    p.bonds = bonds
    let elementCount =
      groups.count - plan.groups.count + obstacles.count { $0.0.hasPrefix("groups.") }
    p.pairs = (0..<elementCount).flatMap { a in (a..<elementCount).map { SIMD2(a, $0) } }
    if let pairs = wanted.pairs {
      p.pairs = pairs.compactMap { pair in
        let places = pair.map { e in groups[..<elementCount].firstIndex { $0.name == e.symbol } }
        guard let a = places[0], let b = places[1] else {
          obstacles.append(
            ("rdf", "there are no \(pair.map(\.symbol).joined(separator: "-")) pairs"))
          return nil
        }
        return SIMD2(min(a, b), max(a, b))
      }
      if p.pairs?.isEmpty == true { return nil }
    }
    return RadialDistribution(p, team: team)
  }

  /// What all frames give.
  public struct Outcome: Sendable {
    /// The result groups.
    public var groups: [ResultGroup] = []
    /// Observables that could not be made, and why.
    public var obstacles: [(String, String)] = []
    /// C_V over its classical limit for the density of states at the temperature; nil without one.
    public var quantumFraction: Double?
    /// Nothing yet.
    public init() {}
  }

  /// The results of all frames seen.
  /// - Parameter temperature: for the quantum correction, in K; nil: as the velocities have it
  public consuming func outcome(temperature: Double?) -> Outcome {
    var outcome = Outcome()
    outcome.obstacles = obstacles
    let spacing = facts.frameSpacing
    let start = times.first ?? 0
    if displacement != nil {
      do throws(ObservableError) {
        if let result = try displacement?.result(team: team) { outcome.groups.append(result.group) }
      } catch { outcome.obstacles.append(("msd", error.description)) }
    }
    if radial != nil {
      do throws(ObservableError) {
        if let result = try radial?.result() {
          outcome.groups.append(result.group(frameSpacing: spacing, elements: facts.elements))
        }
      } catch { outcome.obstacles.append(("rdf", error.description)) }
    }
    if velocity != nil {
      do throws(ObservableError) {
        if let result = try velocity?.result(team: team) {
          let (group, isResolved) = result.group
          outcome.groups.append(group)
          let kelvin = temperature ?? result.all.temperature
          if isResolved, kelvin > 0 {
            outcome.quantumFraction = HarmonicQuantum.fraction(
              omega: result.omegas, density: result.all.densityOfStates, temperature: kelvin)
          }
        }
      } catch { outcome.obstacles.append(("vacf", error.description)) }
    }
    if let result = molecules?.result() {
      let known = times.isEmpty ? [] : times
      outcome.groups.append(
        result.group(times: known.map { $0 - start }, spacing: spacing))
    }
    return outcome
  }
}
