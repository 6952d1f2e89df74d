import Glibc
import Matter

/// Reads thermodynamic series of every kind that the program knows, recognized by content.
public enum ThermoSeriesReader {
  /// What a file does not say.
  public struct Options: Sendable {
    /// Time between rows, in fs.
    public var rowSpacingFs: Double?
    /// The unit style of a LAMMPS log: metal or real.
    public var units: String?
    /// The number of atoms.
    public var atomCount: Int?
    /// Options, all unknown by default.
    public init(rowSpacingFs: Double? = nil, units: String? = nil, atomCount: Int? = nil) {
      self.rowSpacingFs = rowSpacingFs
      self.units = units
      self.atomCount = atomCount
    }
  }

  /// The series of a file: our thermo.csv, a LAMMPS log, GPUMD's thermo.out, extended XYZ, AMBER
  /// NetCDF.
  public static func read(path: String, options: Options = Options()) throws(InputError)
    -> ThermoSeries
  {
    let what = "a thermodynamic series or a trajectory"
    let size = try InputFile.check(path, expecting: what)
    let start = try InputFile.read(path, expecting: what, limit: .max, atMost: min(size, 1 << 16))
    var series: ThermoSeries
    if start.starts(with: Array("CDF".utf8)) || start.starts(with: [0x89, 0x48, 0x44, 0x46]) {
      series = try TrajectorySeries.amber(path)
    } else {
      let lines = String(decoding: start, as: UTF8.self).split(
        separator: "\n", omittingEmptySubsequences: false)
      let first = lines.first.map { $0.split { " \t\r".contains($0) } } ?? []
      if lines.first?.hasPrefix("step,") == true {
        series = try ThermoCSV.read(path)
      } else if LAMMPSLog.recognizes(lines) {
        series = try LAMMPSLog.read(path, options)
      } else if lines.first?.hasPrefix("#") == true
        || (first.count > 3 && first.allSatisfy { TextTable.number(Array($0.utf8)[...]) != nil })
      {
        series = try GPUMDThermo.read(path, options)
      } else if first.count == 1, Int(first[0]) != nil || start.starts(with: [0x1f, 0x8b]) {
        series = try TrajectorySeries.extendedXYZ(path, options)
      } else if start.starts(with: [0x1f, 0x8b]) {
        series = try TrajectorySeries.extendedXYZ(path, options)
      } else {
        throw InputError(
          "expected \(what), found none of the known kinds",
          remedy:
            "Known are thermo.csv of Apus, log.lammps, thermo.out of GPUMD, extended XYZ, AMBER NetCDF",
          file: path)
      }
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
