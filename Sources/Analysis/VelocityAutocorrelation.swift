import Matter
import Parallel

/// Velocity autocorrelation over all time origins and the vibrational density of states
/// (docs/theory.md, Velocities).
///
/// Velocities are kept in single precision, with the memory bound of `MeanSquareDisplacement`.
public final class VelocityAutocorrelation {
  /// What the correlation is multiplied by before its Fourier transform, l of 0...W lags.
  public enum Window: String, Sendable {
    /// 1: the sharpest lines, with negative ripples.
    case none
    /// ½[1 + cos(πl/(W+1))]: lines 1.65 times as wide (full width at half height), no ripples above 3 %.
    case hann
  }

  /// What is asked for.
  public struct Plan: Sendable {
    /// The groups, in the order of the results.
    public var groups: [AtomGroup]
    /// The mass of each atom, in amu.
    public var masses: [Double]
    /// The time between frames, in ps.
    public var frameSpacing: Double
    /// The longest lag, in ps.
    public var maximumLag = 5.0
    /// The window of the spectrum.
    public var window = Window.hann
    /// The degrees of freedom that the density of states of all atoms counts; nil: 3 per atom.
    public var degreesOfFreedom: Double?
    /// The number of stretches of time for standard errors.
    public var blocks = 5
    /// The bytes of frames held in memory before a temporary file is used.
    public var memoryLimit = 1 << 30

    /// Velocities of groups of atoms.
    public init(groups: [AtomGroup], masses: [Double], frameSpacing: Double) {
      self.groups = groups
      self.masses = masses
      self.frameSpacing = frameSpacing
    }
  }

  private let plan: Plan
  private let store: SeriesStore

  /// Ready for the first frame. Groups must name atoms in 0..<masses.count once.
  public init(_ plan: Plan) {
    precondition(plan.groups.allSatisfy { $0.isValid(atomCount: plan.masses.count) })
    precondition(plan.frameSpacing > 0 && plan.maximumLag >= 0)
    self.plan = plan
    store = SeriesStore(particleCount: plan.masses.count, memoryLimit: plan.memoryLimit)
  }

  /// The number of frames seen.
  public var frameCount: Int { store.frameCount }

  /// Adds a frame of velocities in internal units.
  /// - Throws: `ObservableError.missing` for a frame without velocities, `notFinite` for bad ones.
  public func accumulate(velocities: borrowing Vectors) throws(ObservableError) {
    let n = plan.masses.count
    guard velocities.count == n else { throw .missing(frame: frameCount, what: "velocities") }
    try Finite.check(velocities, what: "velocity", frame: frameCount)
    let (x, y, z) = (velocities.x, velocities.y, velocities.z)
    try store.append { out in
      for i in 0..<n {
        out[3 * i] = Float(x[i])
        out[3 * i + 1] = Float(y[i])
        out[3 * i + 2] = Float(z[i])
      }
    }
  }

  /// The averages over all frames seen so far.
  /// - Throws: `ObservableError.notEnoughData` for fewer than two frames.
  public func result(team: ThreadTeam) throws(ObservableError) -> Result {
    let n = frameCount
    guard n >= 2 else {
      throw .notEnoughData(
        "a velocity autocorrelation needs two frames, there \(n == 1 ? "is 1" : "are none")")
    }
    let wanted = (plan.maximumLag / plan.frameSpacing).rounded()
    let lagCount = Int(min(Double(n - 1), max(1, wanted))) + 1
    let spectrum = CosineSpectrum(
      lagCount: lagCount, spacing: plan.frameSpacing, window: plan.window)

    // Groups are cut by mass, because the density of states weighs with it.
    var curves: [Sums] = []
    for group in plan.groups { curves.append(try sums(group.atoms, lagCount, team)) }
    let named = plan.groups.flatMap(\.atoms)
    let all =
      named.count == plan.masses.count && Set(named).count == named.count
      ? Sums(adding: curves, lagCount: lagCount)
      : try sums(Array(plan.masses.indices), lagCount, team)

    let freedom = plan.degreesOfFreedom ?? 3 * Double(plan.masses.count)
    let norm = all.weighted[0] > 0 ? freedom / all.weighted[0] : .nan
    let square = Units.angstromPerPicosecond * Units.angstromPerPicosecond
    let groups = zip(plan.groups, curves).map { group, sums in
      Curve(
        name: group.name, sums: sums, norm: norm, spectrum: spectrum, squareOfUnit: square)
    }
    return Result(
      lags: (0..<lagCount).map { Double($0) * plan.frameSpacing }, energies: spectrum.energies,
      groups: groups,
      all: Curve(name: "all", sums: all, norm: norm, spectrum: spectrum, squareOfUnit: square),
      degreesOfFreedom: freedom, frameCount: n)
  }

  /// Sums over atoms of ⟨v·v⟩ and m⟨v·v⟩ by lag, in internal units.
  struct Sums {
    var count = 0
    var plain, weighted: [Double]
    /// The same of stretches of time, for fewer lags.
    var plainBlocks: [[Double]] = []
    var weightedBlocks: [[Double]] = []
  }

  private func sums(_ atoms: [Int], _ lagCount: Int, _ team: ThreadTeam) throws(ObservableError)
    -> Sums
  {
    var byMass: [Double: [Int]] = [:]
    for atom in atoms { byMass[plan.masses[atom], default: []].append(atom) }
    var parts: [Sums] = []
    for (mass, members) in byMass.sorted(by: { $0.key < $1.key }) {
      let average = try OriginAverage(
        of: members, in: store, kind: .correlation, map: .identity, lagCount: lagCount,
        blockCount: plan.blocks, team: team)
      let n = Double(members.count)
      func sum(_ rows: [[Double]], _ factor: Double) -> [Double] {
        rows[0].indices.map { (rows[0][$0] + rows[1][$0] + rows[2][$0]) * factor }
      }
      parts.append(
        Sums(
          count: members.count, plain: sum(average.whole, n),
          weighted: sum(average.whole, n * mass),
          plainBlocks: average.timeBlocks.map { sum($0, n) },
          weightedBlocks: average.timeBlocks.map { sum($0, n * mass) }))
    }
    return Sums(adding: parts, lagCount: lagCount)
  }
}

extension VelocityAutocorrelation.Sums {
  init(adding sums: [Self], lagCount: Int) {
    // Groups without atoms have no averages to add.
    let parts = sums.filter { $0.count > 0 }
    func add(_ rows: [[Double]]) -> [Double] {
      guard var sum = rows.first else { return [Double](repeating: 0, count: lagCount) }
      for row in rows.dropFirst() { for l in sum.indices { sum[l] += row[l] } }
      return sum
    }
    count = parts.reduce(0) { $0 + $1.count }
    plain = add(parts.map(\.plain))
    weighted = add(parts.map(\.weighted))
    for b in 0..<(parts.first?.plainBlocks.count ?? 0) {
      plainBlocks.append(add(parts.map { $0.plainBlocks[b] }))
      weightedBlocks.append(add(parts.map { $0.weightedBlocks[b] }))
    }
  }
}

extension VelocityAutocorrelation {
  /// Velocity autocorrelations and densities of states of all groups.
  public struct Result: Sendable {
    /// The lags, in ps, from 0.
    public var lags: [Double]
    /// Energies ħω of the densities of states, in meV, equidistant from 0 to the Nyquist energy
    /// πħ over the frame spacing. Vibrations above it appear at wrong energies.
    public var energies: [Double]
    /// A curve for each group of the plan, in its order.
    public var groups: [Curve]
    /// All atoms together.
    public var all: Curve
    /// What the density of states of all atoms integrates to.
    public var degreesOfFreedom: Double
    /// The number of frames.
    public var frameCount: Int

    /// The energies as angular frequencies, in rad/ps.
    public var omegas: [Double] { energies.map { $0 / CosineSpectrum.hbar } }
    /// The energies as wavenumbers, in cm⁻¹.
    public var wavenumbers: [Double] { energies.map { $0 * CosineSpectrum.wavenumbersPerMeV } }
  }

  /// The velocities of one group; errors are standard errors, NaN where the data cannot tell.
  public struct Curve: Sendable {
    /// The group's name.
    public var name: String
    /// The number of atoms.
    public var atomCount: Int
    /// ⟨v(t)·v(t+l)⟩ per atom by lag, in Å²/ps².
    public var autocorrelation, autocorrelationError: [Double]
    /// States per meV by energy; all atoms together integrate (trapezoidal rule) to the degrees of
    /// freedom.
    public var densityOfStates, densityOfStatesError: [Double]
    /// The kinetic temperature of three degrees of freedom an atom, in K.
    public var temperature: Double

    init(
      name: String, sums: Sums, norm: Double, spectrum: CosineSpectrum, squareOfUnit: Double
    ) {
      self.name = name
      atomCount = sums.count
      let n = Double(sums.count)
      func errors(_ blocks: [[Double]], count: Int) -> [Double] {
        let reach = blocks.map(\.count).min() ?? 0
        return (0..<count).map { l in
          l < reach ? Spread.standardError(blocks.map { $0[l] }) : .nan
        }
      }
      autocorrelation = sums.plain.map { $0 / n * squareOfUnit }
      autocorrelationError = errors(sums.plainBlocks, count: sums.plain.count)
        .map { $0 / n * squareOfUnit }
      densityOfStates = spectrum.of(sums.weighted).map { $0 * norm }
      let blocks = sums.weightedBlocks.filter { $0.count == sums.weighted.count }
      densityOfStatesError = errors(
        blocks.map { spectrum.of($0).map { $0 * norm } }, count: densityOfStates.count)
      temperature = sums.weighted[0] / (3 * n * Units.boltzmann)
    }
  }
}
