import Matter

/// Units of a LAMMPS run of which files are read.
public enum LAMMPSUnits: String, Sendable, CaseIterable {
  /// Å, ps, eV.
  case metal
  /// Å, fs, kcal/mol.
  case real

  /// One unit of time, in ps.
  var time: Double { self == .metal ? 1 : 1e-3 }
  /// One unit of velocity, in internal units.
  var velocity: Double { self == .metal ? 1 / Units.angstromPerPicosecond : Units.timeUnit }
  /// One unit of force, in eV/Å.
  var force: Double { self == .metal ? 1 : 1 / Units.kilocaloriePerMole }
  /// One unit of energy, in eV.
  var energy: Double { self == .metal ? 1 : 1 / Units.kilocaloriePerMole }
  /// One unit of pressure (bar, atm), in GPa.
  var pressure: Double { self == .metal ? 1e-4 : 1.01325e-4 }
}
