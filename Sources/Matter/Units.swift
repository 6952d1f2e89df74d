/// Constants and conversions. Inside the program lengths are Å, masses amu, energies eV,
/// temperatures K, and time is in units of Å·√(amu/eV), so that no factor stands in an equation.
/// Values are CODATA 2018.
public enum Units {
  /// Boltzmann's constant, in eV/K.
  public static let boltzmann = 8.617333262e-5
  /// The elementary charge in C (exact).
  static let elementaryCharge = 1.602176634e-19
  /// The atomic mass constant, in kg.
  static let atomicMass = 1.66053906660e-27
  /// The internal unit of time, Å·√(amu/eV), in fs (10.180506).
  public static let timeUnit: Double = (atomicMass / elementaryCharge * 1e10).squareRoot()
  /// One internal unit of time, in ps.
  public static let picosecondsPerTimeUnit: Double = timeUnit * 1e-3
  /// One eV/Å³, in GPa.
  public static let gigapascal = 160.2176634
  /// One eV/Å, in kcal/mol/Å.
  public static let kilocaloriePerMole = 23.06054783
  /// One amu/Å³, in g/cm³.
  public static let gramPerCubicCentimeter = 1.66053906660
  /// One internal velocity unit, in Å/fs.
  public static let angstromPerFemtosecond: Double = 1 / timeUnit
  /// One internal velocity unit, in Å/ps.
  public static let angstromPerPicosecond: Double = 1000 / timeUnit
}
