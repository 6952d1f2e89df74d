import Glibc
import Matter

/// Reads thermodynamic series of every kind that the program knows, recognized by content.
public enum ThermoSeriesReader {
  /// What a file does not say.
  public struct Options: Sendable {
    /// Time between rows, in fs.
    public var rowSpacingFs: Double?
    /// The units of a LAMMPS log that does not tell.
    public var units: LAMMPSUnits?
    /// The number of atoms.
    public var atomCount: Int?
    /// Options, all unknown by default.
    public init(rowSpacingFs: Double? = nil, units: LAMMPSUnits? = nil, atomCount: Int? = nil) {
      self.rowSpacingFs = rowSpacingFs
      self.units = units
      self.atomCount = atomCount
    }
  }

  /// The kinds of files.
  public enum Kind: Sendable {
    /// Rows only.
    case thermoCSV, lammpsLog, gpumdThermo
    /// Trajectories that hold numbers of frames.
    case extendedXYZ, amber

    /// Whether it holds frames as well.
    public var holdsFrames: Bool { self == .extendedXYZ || self == .amber }
  }

  /// The kind of a file, or nil for one that holds no series.
  public static func kind(of path: String) throws(InputError) -> Kind? {
    let what = "a thermodynamic series or a trajectory"
    let size = try InputFile.check(path, expecting: what)
    let start = try InputFile.read(path, expecting: what, limit: .max, atMost: min(size, 1 << 16))
    if start.starts(with: Array("CDF".utf8)) || start.starts(with: [0x89, 0x48, 0x44, 0x46]) {
      return .amber
    }
    if start.starts(with: [0x1f, 0x8b]) { return .extendedXYZ }
    if start.starts(with: Array("step,".utf8)) { return .thermoCSV }
    let lines = String(decoding: start, as: UTF8.self).split(
      separator: "\n", omittingEmptySubsequences: false)
    if LAMMPSLog.recognizes(lines) { return .lammpsLog }
    let first = lines.first.map { $0.split { " \t\r".contains($0) } } ?? []
    if first.count == 1, Int(first[0]) != nil { return .extendedXYZ }
    let isNumbers = first.allSatisfy { TextTable.number(Array($0.utf8)[...]) != nil }
    if first.count > 3 && isNumbers || first.first?.hasPrefix("#") == true { return .gpumdThermo }
    return nil
  }

  /// The series of a file: our thermo.csv, a LAMMPS log, GPUMD's thermo.out, extended XYZ, AMBER
  /// NetCDF.
  public static func read(path: String, options: Options = Options()) throws(InputError)
    -> ThermoSeries
  {
    guard let kind = try kind(of: path) else {
      throw InputError(
        "expected a thermodynamic series or a trajectory, found none of the known kinds",
        remedy:
          "Known are thermo.csv of Apus, log.lammps, thermo.out of GPUMD, extended XYZ, AMBER NetCDF",
        file: path)
    }
    var series =
      switch kind {
      case .thermoCSV: try ThermoCSV.read(path)
      case .lammpsLog: try LAMMPSLog.read(path, options)
      case .gpumdThermo: try GPUMDThermo.read(path, options)
      case .extendedXYZ: try TrajectorySeries.extendedXYZ(path, options)
      case .amber: try TrajectorySeries.amber(path, options)
      }
    if series.atomCount == nil { series.atomCount = options.atomCount }
    series.complete()
    return series
  }
}

/// Lines of numbers, as programs write them while they run.
enum TextTable {
  /// A number, `nan` and `inf` included: what a broken run holds is for the analysis to report.
  static func number(_ text: ArraySlice<UInt8>) -> Double? {
    if let value = NumberText.double(text) { return value }
    switch String(decoding: text, as: UTF8.self).lowercased() {
    case "nan", "-nan", "+nan": return .nan
    case "inf", "+inf", "infinity": return .infinity
    case "-inf", "-infinity": return -.infinity
    default: return nil
    }
  }

  /// Whether the last line of a plain file is whole: a file that is being written may end inside
  /// one.
  static func lastLineIsWhole(_ path: String) throws(InputError) -> Bool {
    let size = FileLayer.size(of: path) ?? 0
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0, size > 0 else { return true }
    defer { _ = Glibc.close(descriptor) }
    let magic = try InputFile.read(descriptor, at: 0, count: 2, path: path)
    if magic == [0x1f, 0x8b] { return true }
    return try InputFile.read(descriptor, at: size - 1, count: 1, path: path) == [10]
  }
}
