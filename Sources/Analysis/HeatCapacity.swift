import Matter
import Trajectory

/// The heat capacity from the fluctuations of a run.
///
/// NVT: C_V = Var(U)/(k_B T²) + n_f k_B/2, and as a check Var(U + K)/(k_B T²). NPT: C_P likewise with
/// U + P₀V of the barostat's pressure in place of U. NVE: from the kinetic energy, C_V = (n_f k_B/2)/
/// (1 − 2 Var(K)/(n_f (k_B T)²)) [Lebowitz, Percus, Verlet, Phys. Rev. 153, 250 (1967)]. n_f = 3N − 3.
public struct HeatCapacity: Sendable, Equatable {
  /// Which heat capacity.
  public enum Kind: String, Sendable {
    case cv, cp
  }
  /// Which one.
  public var kind: Kind
  /// How it was found, in words.
  public var route: String
  /// In k_B per atom.
  public var perAtom: Estimate
  /// From the total energy or enthalpy, in k_B per atom, where kinetic energies are there.
  public var check: Estimate?
  /// The harmonic quantum correction, C − (3N−3) k_B + Σ Einstein, in k_B per atom.
  public var quantum: Estimate?
  /// The number of atoms.
  public var atomCount: Int
  /// The temperature, in K.
  public var temperature: Double
  /// What a reader should know.
  public var caveats: [String]

  /// One k_B per atom in J/mol/K, for a mole of atoms.
  public static let gasConstant = 8.31446261815324

  /// What is missing for a heat capacity.
  public struct Obstacle: Error, Sendable, Equatable, CustomStringConvertible {
    /// In words.
    public var description: String
  }

  /// The heat capacity of a run.
  /// - Parameters:
  ///   - quantumFraction: C_V over its classical limit for the harmonic density of states
  public init(_ series: ThermoSeries, context: ThermoContext, quantumFraction: Double? = nil)
    throws(Obstacle)
  {
    guard let allPotential = series.potential else {
      throw Obstacle(description: "no potential energies")
    }
    guard let atoms = context.atomCount, atoms > 1 else {
      throw Obstacle(description: "the number of atoms is not known; give --topology")
    }
    guard !context.isRamp else {
      throw Obstacle(description: "temperature or pressure was ramped")
    }
    guard allPotential.allSatisfy(\.isFinite) else {
      throw Obstacle(description: "energies that are not finite")
    }
    let equilibration = Equilibration(detecting: allPotential)
    let rows = equilibration.first..<allPotential.count
    guard rows.count > 1 else { throw Obstacle(description: "not enough data: fewer than 2 rows") }
    func part(_ values: [Double]?) -> [Double]? { values.map { Array($0[rows]) } }
    let potential = Array(allPotential[rows])
    let kinetic = part(series.kinetic)
    guard let temperature = context.temperature ?? part(series.temperature)?.mean,
      temperature > 0, temperature.isFinite
    else { throw Obstacle(description: "the temperature is not known") }
    let n = Double(atoms)
    let freedom = 3 * n - 3
    let k = Units.boltzmann
    let unit = 1 / (k * k * temperature * temperature * n)
    var caveats: [String] = []
    atomCount = atoms
    self.temperature = temperature
    check = nil
    let volume = part(series.volume)
    var ensemble = context.ensemble
    if ensemble == nil {
      let moves = volume.map { !BlockAverage.isConstant($0) } ?? false
      let total = kinetic.map { zip(potential, $0).map(+) }
      let isolated = total.map {
        SeriesStatistics.standardDeviation($0)
          < 0.03 * SeriesStatistics.standardDeviation(potential)
      }
      ensemble = moves ? .npt : isolated == true ? .nve : .nvt
      caveats.append("the ensemble is not known and taken as \(ensemble?.rawValue ?? "")")
    }
    switch ensemble ?? .nvt {
    case .nvt:
      kind = .cv
      route = "potential-energy fluctuations at constant volume, kinetic part (3N-3)/2 k_B exact"
      perAtom = BlockAverage.variance(potential) * unit + freedom / (2 * n)
      if let kinetic {
        check = BlockAverage.variance(zip(potential, kinetic).map(+)) * unit
      }
    case .npt:
      kind = .cp
      guard let volume else { throw Obstacle(description: "the volume is not known") }
      let measured = part(series.pressure)?.mean
      guard let pressure = context.pressure ?? measured else {
        throw Obstacle(description: "the pressure is not known")
      }
      if context.pressure == nil {
        caveats.append("the pressure of the barostat is not known; its mean is used")
      }
      route = "fluctuations of U + PV at constant pressure, kinetic part (3N-3)/2 k_B exact"
      let work = volume.map { $0 * pressure / Units.gigapascal }
      perAtom =
        BlockAverage.variance(zip(potential, work).map(+)) * unit + freedom / (2 * n)
      if let kinetic {
        let enthalpy = potential.indices.map { potential[$0] + kinetic[$0] + work[$0] }
        check = BlockAverage.variance(enthalpy) * unit
      }
    case .nve:
      kind = .cv
      route = "kinetic-energy fluctuations at constant energy"
      guard let kinetic else { throw Obstacle(description: "no kinetic energies of an NVE run") }
      let ratio =
        BlockAverage.variance(kinetic) * (2 / (freedom * k * k * temperature * temperature))
      guard ratio.value < 1 else {
        throw Obstacle(description: "kinetic energies fluctuate more than at constant energy")
      }
      let value = freedom / (2 * n) / (1 - ratio.value)
      perAtom = ratio * (value / (1 - ratio.value))
      perAtom.value = value
    }
    if Stationarity(potential).verdict == .notStationary {
      caveats.append(
        "the potential energy is not stationary: what it drifts counts as fluctuation, and the error is too small"
      )
    }
    if !perAtom.hasError {
      caveats.append(
        "not enough data for an error: \(Self.short(perAtom.effectiveSamples)) independent samples of the squared fluctuation, 20 are needed"
      )
    } else {
      if perAtom.standardError > 0.1 * abs(perAtom.value) {
        caveats.append("uncertain to more than 10 %: a longer run is needed")
      }
      if let check, check.hasError {
        let error =
          (check.standardError * check.standardError
          + perAtom.standardError * perAtom.standardError).squareRoot()
        if abs(check.value - perAtom.value) > 4 * error {
          caveats.append(
            "fluctuations of the total energy give another value: the sample is not canonical")
        }
      }
    }
    self.caveats = caveats
    quantum = nil
    if let fraction = quantumFraction { quantum = perAtom + freedom / n * (fraction - 1) }
  }

  private static func short(_ value: Double) -> String {
    value.isFinite ? "\((value * 10).rounded() / 10)" : "no"
  }
}
