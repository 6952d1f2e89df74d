import Foundation
import Testing

/// The built program and a folder to run it in.
struct Sandbox {
  let path: String

  /// The release binary beside these tests.
  static let binary =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path + "/.build/release/apus"

  init() throws {
    path = NSTemporaryDirectory() + "apus-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try write("lennard-jones Ar 3.4 0.0104 8\n", "argon.txt")
    try write(Self.argon(), "argon.xyz")
  }

  func remove() { try? FileManager.default.removeItem(atPath: path) }

  func write(_ text: String, _ name: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
  }

  func data(_ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path + "/" + name))
  }

  func text(_ name: String) throws -> String { String(decoding: try data(name), as: UTF8.self) }

  func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: path + "/" + name)
  }

  var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted()
  }

  /// 32 argon atoms of a crystal.
  static func argon(edge: Double = 10.6, element: String = "Ar") -> String {
    var text = "32\nLattice=\"\(edge) 0 0 0 \(edge) 0 0 0 \(edge)\" "
    text += "Properties=species:S:1:pos:R:3 pbc=\"T T T\"\n"
    for i in 0..<2 {
      for j in 0..<2 {
        for k in 0..<2 {
          for b in [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]] {
            let p = [Double(i) + b[0], Double(j) + b[1], Double(k) + b[2]].map { $0 * edge / 2 }
            text += "\(element) \(p[0]) \(p[1]) \(p[2])\n"
          }
        }
      }
    }
    return text
  }

  /// A deck of one stage.
  static func deck(
    steps: Int = 60, ensemble: String = "nvt", timestep: String = "2 fs",
    structure: String = "argon.xyz", model: String = "argon.txt", more: String = ""
  ) -> String {
    """
    structure: \(structure)
    potential: {model: \(model), precision: double}
    timestep: \(timestep)
    seed: 7
    velocities: 60 K
    output: run
    stages:
      - name: only
        ensemble: \(ensemble)
    \(ensemble == "nve" ? "" : "    temperature: 60 K\n")\(ensemble == "npt" ? "    pressure: 0 GPa\n" : "")    steps: \(steps)
        trajectory: {every: 10 steps, velocities: true}
        thermo: {every: 5 steps}
    \(more)
    """
  }

  struct Result {
    let status: Int32
    let out: String
    let err: String
  }

  func start(_ arguments: [String], shell: String? = nil) throws -> (Process, Pipe, Pipe) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: shell == nil ? Self.binary : "/bin/bash")
    process.arguments = shell.map { ["-c", $0, Self.binary] + arguments } ?? arguments
    process.currentDirectoryURL = URL(fileURLWithPath: path)
    let out = Pipe()
    let err = Pipe()
    process.standardOutput = out
    process.standardError = err
    try process.run()
    return (process, out, err)
  }

  /// Runs the program to its end.
  /// - Parameter shell: a command line that runs `"$0" "$@"` under a limit
  func apus(_ arguments: String..., shell: String? = nil) throws -> Result {
    let (process, out, err) = try start(arguments, shell: shell)
    let text = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let messages = String(decoding: err.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return Result(
      status: process.terminationReason == .exit ? process.terminationStatus : -1, out: text,
      err: messages)
  }
}
