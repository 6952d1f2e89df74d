import Glibc
import Matter
import Parallel

/// Mean square displacements of atoms and of centres of mass of molecules over all time origins,
/// with what follows from them: mean square amplitudes, displacement tensors and diffusion
/// coefficients (docs/theory.md, Displacements).
///
/// Frames are kept as single-precision displacements from the first frame: 12 bytes an atom and
/// frame, in memory up to `Plan.memoryLimit`, then in an unlinked temporary file. Beside that at
/// most 64 MiB, and for the result about 170 bytes a frame and thread and 400 bytes a lag and group.
public final class MeanSquareDisplacement {
  /// How displacements are taken in a cell that changes.
  public enum Scaling: Sendable, Equatable {
    /// In a cell that changes relative to the centre of mass, in fractional coordinates times the
    /// mean cell: neither the breathing of the cell nor the point it breathes about is a motion of
    /// atoms. The same as `cartesian` where the cell is constant.
    case meanCell
    /// As positions are.
    case cartesian
  }

  /// What is asked for.
  public struct Plan: Sendable {
    /// The groups, in the order of the results.
    public var groups: [AtomGroup]
    /// The mass of each atom, in amu.
    public var masses: [Double]
    /// The atoms of each molecule; empty for none.
    public var molecules: [[Int]] = []
    /// The time between frames, in ps.
    public var frameSpacing: Double
    /// The longest lag, in ps; nil: half of the run.
    public var maximumLag: Double?
    /// Whether the motion of the centre of mass of all atoms is subtracted.
    public var removesDrift = false
    /// How displacements are taken in a cell that changes.
    public var scaling = Scaling.meanCell
    /// The number of stretches of time for standard errors.
    public var blocks = 5
    /// The bytes of frames held in memory before a temporary file is used.
    public var memoryLimit = 1 << 30

    /// Displacements of groups of atoms.
    public init(groups: [AtomGroup], masses: [Double], frameSpacing: Double) {
      self.groups = groups
      self.masses = masses
      self.frameSpacing = frameSpacing
    }
  }

  private let plan: Plan
  private let store: SeriesStore
  private let totalMass: Double
  private let moleculeMasses: [Double]
  private let first: Vectors
  private let current: Vectors
  private var firstCell: Cell?
  private var firstCenter = SIMD3<Double>.zero
  private var cellSum = Matrix3.zero
  private var cellChanges = false

  /// Ready for the first frame. Groups and molecules must name atoms in 0..<masses.count once.
  public init(_ plan: Plan) {
    let atoms = plan.masses.count
    precondition(plan.groups.allSatisfy { $0.isValid(atomCount: atoms) })
    precondition(plan.molecules.allSatisfy { $0.allSatisfy { $0 >= 0 && $0 < atoms } })
    precondition(plan.frameSpacing > 0)
    self.plan = plan
    totalMass = plan.masses.reduce(0, +)
    moleculeMasses = plan.molecules.map { $0.reduce(0) { $0 + plan.masses[$1] } }
    store = SeriesStore(
      particleCount: atoms + plan.molecules.count, memoryLimit: plan.memoryLimit)
    first = Vectors(count: atoms)
    current = Vectors(count: atoms)
  }

  /// The number of frames seen.
  public var frameCount: Int { store.frameCount }

  /// Adds a frame.
  /// - Parameters:
  ///   - cell: the cell; nil where nothing repeats
  ///   - positions: unwrapped, in Å
  /// - Throws: `ObservableError.notFinite`, and the frame is not added.
  public func accumulate(cell: Cell?, positions: borrowing Vectors)
    throws(ObservableError)
  {
    let n = first.count
    precondition(positions.count == n)
    try Finite.check(positions, what: "position", frame: frameCount)
    let isFirst = frameCount == 0
    if isFirst {
      first.copy(from: positions)
      firstCell = cell
    }
    var map = Matrix3.identity
    if plan.scaling == .meanCell, let cell, let firstCell {
      if cell != firstCell {
        cellChanges = true
        map = firstCell.rows.transpose * cell.fractionalMatrix
      }
      cellSum = cellSum + cell.rows
    }
    // A displacement is r − r₀, less R − R₀ where drift is removed, or map·(r − R) − (r₀ − R₀).
    let scales = map != .identity
    let (rx, ry, rz) = (positions.x, positions.y, positions.z)
    let (fx, fy, fz) = (first.x, first.y, first.z)
    var center = SIMD3<Double>.zero
    if isFirst || scales || plan.removesDrift {
      for i in 0..<n {
        center += SIMD3(rx[i], ry[i], rz[i]) * plan.masses[i]
      }
      if totalMass > 0 { center /= totalMass }
    }
    if isFirst { firstCenter = center }
    let shift = scales || plan.removesDrift ? firstCenter - center : .zero
    let (x, y, z) = (current.x, current.y, current.z)
    for i in 0..<n {
      var r = SIMD3(rx[i], ry[i], rz[i])
      if scales { r = map * (r - center) + center }
      x[i] = r.x + shift.x - fx[i]
      y[i] = r.y + shift.y - fy[i]
      z[i] = r.z + shift.z - fz[i]
    }
    try store.append { out in
      for i in 0..<n {
        out[3 * i] = Float(x[i])
        out[3 * i + 1] = Float(y[i])
        out[3 * i + 2] = Float(z[i])
      }
      for (m, atoms) in plan.molecules.enumerated() {
        var sum = SIMD3<Double>.zero
        for i in atoms {
          sum += SIMD3(x[i], y[i], z[i]) * plan.masses[i]
        }
        sum /= moleculeMasses[m]
        for k in 0..<3 { out[3 * (n + m) + k] = Float(sum[k]) }
      }
    }
  }

  /// The averages over all frames seen so far.
  /// - Throws: `ObservableError.notEnoughData` for fewer than two frames.
  public func result(team: ThreadTeam) throws(ObservableError) -> Result {
    let n = frameCount
    guard n >= 2 else {
      throw .notEnoughData("a displacement needs two frames, there \(n == 1 ? "is 1" : "are none")")
    }
    let wanted = plan.maximumLag.map { ($0 / plan.frameSpacing).rounded() } ?? Double(n / 2)
    let lagCount = Int(min(Double(n - 1), max(1, wanted))) + 1
    var map = Matrix3.identity
    if cellChanges, let firstCell {
      map = (cellSum * (1 / Double(n))).transpose * firstCell.fractionalMatrix
    }
    var curves: [Curve] = []
    for group in plan.groups {
      curves.append(try curve(group.name, group.atoms, lagCount, map, team))
    }
    var molecules: Curve?
    if !plan.molecules.isEmpty {
      let atoms = first.count
      molecules = try curve(
        "molecules", Array(atoms..<atoms + plan.molecules.count), lagCount, map, team)
    }
    return Result(
      lags: (0..<lagCount).map { Double($0) * plan.frameSpacing }, groups: curves,
      molecules: molecules, frameCount: n,
      scheme: Self.scheme(plan, cellChanges: cellChanges))
  }

  private func curve(
    _ name: String, _ particles: [Int], _ lagCount: Int, _ map: Matrix3, _ team: ThreadTeam
  ) throws(ObservableError) -> Curve {
    guard !particles.isEmpty else { return Curve(empty: name, lagCount: lagCount) }
    let average = try OriginAverage(
      of: particles, in: store, kind: .squaredDifference, map: map, lagCount: lagCount,
      blockCount: plan.blocks, team: team)
    return Curve(
      name: name, particleCount: particles.count, average: average,
      frameSpacing: plan.frameSpacing, atomSpacing: atomSpacing)
  }

  /// The edge of the cube that an atom has on average, in Å; nil without a cell.
  private var atomSpacing: Double? {
    firstCell.map { cbrt($0.volume / Double(plan.masses.count)) }
  }

  private static func scheme(_ plan: Plan, cellChanges: Bool) -> String {
    if cellChanges { return "positions relative to the centre of mass scaled to the mean cell" }
    return plan.removesDrift ? "positions relative to the centre of mass" : "positions as they are"
  }
}
