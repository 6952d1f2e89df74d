import Foundation
import Matter
import Testing

/// The folder of numbers from other programs, which lies beside the repository where it is
/// available; tests that need it are skipped elsewhere.
package enum Reference {
  /// The folder, or nil.
  package static let folder: URL? = {
    let shared =
      ProcessInfo.processInfo.environment["APUS_SHARED"].map { URL(fileURLWithPath: $0) }
      ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("shared")
    let folder = shared.appendingPathComponent("reference")
    return FileManager.default.fileExists(atPath: folder.path) ? folder : nil
  }()

  /// Whether it is there.
  package static var isAvailable: Bool { folder != nil }

  /// A NEP model file by name.
  package static func nepModel(_ name: String) -> String {
    folder?.appendingPathComponent("nep/models/" + name).path ?? ""
  }
}

/// A structure with the energy, forces and virial that NEP_CPU (calorine 4.1) gives for it.
package struct NEPFixture: Decodable, Sendable, CustomTestStringConvertible {
  package let name: String
  package let model: String
  package let cell: [[Double]]
  package let symbols: [String]
  package let positions: [[Double]]
  package let energy: Double?
  package let energies: [Double]?
  package let forces: [[Double]]?
  package let virial_total: [[Double]]?
  package let stress_ase: [[Double]]?
  package var testDescription: String { name }

  /// All fixtures of potentials: not the charge, dipole and polarizability models.
  package static let potentials: [NEPFixture] = {
    guard let folder = Reference.folder?.appendingPathComponent("nep/fixtures"),
      let files = try? FileManager.default.contentsOfDirectory(
        at: folder, includingPropertiesForKeys: nil)
    else { return [] }
    return files.filter { $0.pathExtension == "json" }
      .sorted { $0.path < $1.path }
      .compactMap { try? JSONDecoder().decode(NEPFixture.self, from: Data(contentsOf: $0)) }
      .filter { $0.forces != nil && !$0.model.contains("qnep") && !$0.model.contains("qNEP") }
  }()

  /// The structure as a potential sees it, periodic in all directions as NEP_CPU takes it.
  package func configuration() throws -> Configuration {
    let rows = cell.map { SIMD3($0) }
    return Configuration(
      elements: symbols.map { Element(symbol: $0)! },
      cell: try Cell(a: rows[0], b: rows[1], c: rows[2]),
      positions: Vectors(positions.map { SIMD3($0) }))
  }
}
