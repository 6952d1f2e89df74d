import Matter
import Trajectory

/// Isothermal elastic constants from the strain fluctuations of a run at constant pressure
/// [Parrinello, Rahman, J. Chem. Phys. 76, 2662 (1982)]: S_ij = V/(k_B T) ⟨δε_i δε_j⟩ in Voigt's order
/// with engineering shears, C = S⁻¹. What did not move is left out: with an orthorhombic barostat the
/// three by three block of the normal strains, with an isotropic one only the bulk modulus.
public struct ElasticConstants: Sendable, Equatable {
  /// The Voigt components that moved, in 0..<6 (xx yy zz yz xz xy).
  public var components: [Int]
  /// Elastic constants C_ij in GPa, row by row over `components`; empty with an isotropic barostat.
  public var stiffness: [Estimate]
  /// The bulk modulus k_B T ⟨V⟩/Var(V), in GPa.
  public var bulkModulus: Estimate
  /// What a reader should know.
  public var caveats: [String]

  /// The constants of a series; nil if cell or volume do not move or the temperature is not known.
  public init?(_ series: ThermoSeries, temperature: Double?) {
    guard let cells = series.cells, let volumes = series.volume, series.count >= 20,
      let temperature = temperature ?? series.temperature?.mean, temperature > 0,
      volumes.allSatisfy(\.isFinite), !BlockAverage.isConstant(volumes)
    else { return nil }
    let equilibration = Equilibration(detecting: volumes)
    let rows = equilibration.first..<volumes.count
    let volume = Array(volumes[rows])
    let kT = Units.boltzmann * temperature
    let variance = BlockAverage.variance(volume)
    let bulk = kT * volume.mean / variance.value * Units.gigapascal
    var modulus = variance * (bulk / variance.value)
    modulus.value = bulk
    bulkModulus = modulus
    caveats = []
    components = []
    stiffness = []

    let strains = Self.strains(Array(cells[rows]))
    let spread = strains.map { SeriesStatistics.standardDeviation($0) }
    let largest = spread.max() ?? 0
    let moving = (0..<6).filter { spread[$0] > 1e-6 * largest && largest > 0 }
    guard let c = Self.stiffness(moving.map { strains[$0] }, volume.mean, kT) else {
      caveats.append("the cell keeps its shape: only the bulk modulus fluctuates")
      return
    }
    components = moving
    // Jackknife over blocks that are independent for the slowest strain.
    let g = moving.map { StatisticalInefficiency.of(strains[$0]) }.max() ?? 1
    let count = moving.count
    guard let cut = BlockAverage.cut(volume.count, inefficiency: g), cut.count > count else {
      stiffness = c.map { Estimate($0, effectiveSamples: Double(volume.count) / g) }
      caveats.append("not enough data for errors of the elastic constants")
      return
    }
    var samples: [[Double]] = []
    for block in 0..<cut.count {
      let (start, end) = (
        block * volume.count / cut.count, (block + 1) * volume.count / cut.count
      )
      let rest = moving.map { Array(strains[$0][..<start] + strains[$0][end...]) }
      if let value = Self.stiffness(rest, volume.mean, kT) { samples.append(value) }
    }
    let b = Double(samples.count)
    stiffness = c.indices.map { k in
      let values = samples.map { $0[k] }
      let mean = values.mean
      let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return Estimate(
        c[k], standardError: ((b - 1) / b * squares).squareRoot(),
        degreesOfFreedom: samples.count - 1, effectiveSamples: Double(volume.count) / g)
    }
  }

  /// Strains ½(h₀⁻¹ h hᵀ h₀⁻ᵀ − 1) of cells with columns h about the mean cell, six series in
  /// Voigt's order with engineering shears. Rotations of the cell do not matter.
  static func strains(_ cells: [Cell]) -> [[Double]] {
    // Standard orientation, so that the mean is one of shapes and not of orientations.
    let shapes = cells.map { cell -> Matrix3 in
      let standard = try? Cell(lengths: cell.lengths, angles: cell.angles)
      return (standard ?? cell).rows
    }
    var mean = Matrix3.zero
    for rows in shapes { mean = mean + rows }
    mean = mean * (1 / Double(shapes.count))
    let inverse = mean.inverse
    var result = [[Double]](repeating: [], count: 6)
    for rows in shapes {
      // r = s·rows: the deformation that takes the mean cell to this one is F = (mean⁻¹ rows)ᵀ.
      let f = inverse * rows
      let e = Tensor6((f * f.transpose + Matrix3.identity * -1) * 0.5)
      let voigt = [e.xx, e.yy, e.zz, 2 * e.yz, 2 * e.xz, 2 * e.xy]
      for k in 0..<6 { result[k].append(voigt[k]) }
    }
    return result
  }

  /// The inverse of V/(k_B T) Cov(ε), in GPa; nil where that is singular.
  static func stiffness(_ strains: [[Double]], _ volume: Double, _ kT: Double) -> [Double]? {
    let m = strains.count
    guard m > 0, let n = strains.first?.count, n > m else { return nil }
    let means = strains.map(\.mean)
    var a = [[Double]](repeating: [Double](repeating: 0, count: 2 * m), count: m)
    for i in 0..<m {
      for j in 0...i {
        var sum = 0.0
        for t in 0..<n { sum += (strains[i][t] - means[i]) * (strains[j][t] - means[j]) }
        a[i][j] = sum / Double(n) * volume / kT
        a[j][i] = a[i][j]
      }
      a[i][m + i] = 1
    }
    let scale = (0..<m).map { a[$0][$0] }
    guard scale.allSatisfy({ $0 > 0 }) else { return nil }
    // Gauss–Jordan; a pivot lost to rounding means that strains move together.
    for i in 0..<m {
      guard a[i][i] > 1e-6 * scale[i] else { return nil }
      let pivot = 1 / a[i][i]
      for k in 0..<2 * m { a[i][k] *= pivot }
      for j in 0..<m where j != i {
        let factor = a[j][i]
        if factor == 0 { continue }
        for k in 0..<2 * m { a[j][k] -= factor * a[i][k] }
      }
    }
    return (0..<m).flatMap { i in (0..<m).map { a[i][m + $0] * Units.gigapascal } }
  }
}
