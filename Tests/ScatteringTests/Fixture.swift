import Foundation
import Matter
import TestSupport
import Trajectory

/// Files of reference/scattering.
enum Fixture {
  static func path(_ name: String) -> String {
    (Reference.folder?.appendingPathComponent("scattering/" + name).path) ?? ""
  }

  /// A variable of a NetCDF file, flat.
  static func variable(_ name: String, of file: String) throws -> [Double] {
    let netCDF = try NetCDFFile(opening: path(file))
    defer { try? netCDF.close() }
    guard let variable = try netCDF.variable(name) else { throw Missing(name: name) }
    return try netCDF.doubles(variable)
  }

  /// A variable of three columns.
  static func vectors(_ name: String, of file: String) throws -> [SIMD3<Double>] {
    let flat = try variable(name, of: file)
    return stride(from: 0, to: flat.count, by: 3).map { [flat[$0], flat[$0 + 1], flat[$0 + 2]] }
  }

  /// A number among the attributes of a file.
  static func attribute(_ name: String, of file: String) throws -> Double {
    let netCDF = try NetCDFFile(opening: path(file))
    defer { try? netCDF.close() }
    for attribute in try netCDF.attributes() where attribute.name == name {
      if case .doubles(let values) = attribute.value, let value = values.first { return value }
    }
    throw Missing(name: name)
  }

  /// Rows of a comma-separated table, without its header.
  static func table(_ name: String) throws -> [[String]] {
    let text = try String(contentsOfFile: path(name), encoding: .utf8)
    return text.split(whereSeparator: \.isNewline).dropFirst().map { line in
      line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
  }

  /// A JSON object.
  static func object(_ name: String) throws -> [String: Any] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path(name)))
    guard let object = try JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw Missing(name: name)
    }
    return object
  }

  /// The cell of trajectory A.
  static var cellA: Cell { get throws { try Cell(orthogonal: [8.4, 9.0, 9.6]) } }
  /// The same in the single precision of its file, which dynasor's q-points are of.
  static var storedCellA: Cell {
    get throws {
      try Cell(orthogonal: [Double(Float(8.4)), Double(Float(9.0)), Double(Float(9.6))])
    }
  }

  struct Missing: Error { let name: String }
}
