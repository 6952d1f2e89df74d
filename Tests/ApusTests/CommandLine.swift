import Foundation
import Glibc
import TestSupport
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

  /// Bytes of a file.
  func size(_ name: String) throws -> Int {
    try FileManager.default.attributesOfItem(atPath: path + "/" + name)[.size] as? Int ?? 0
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

  /// A run of the program with what it took.
  struct Measured {
    let status: Int32
    let err: String
    /// Seconds on processors.
    let seconds: Double
    /// The most memory held at once, in MB, as far as it was seen in samples every millisecond.
    let megabytes: Double
  }

  /// Runs the program to its end and measures it.
  func measure(_ arguments: [String]) throws -> Measured {
    let log = NSTemporaryDirectory() + "apus-\(UUID().uuidString).log"
    defer { unlink(log) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    let shell = ["/bin/bash", "-c", "cd \"$0\" && exec \"$@\"", path, Self.binary]
    var words = (shell + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var child: pid_t = 0
    try #require(posix_spawn(&child, shell[0], &actions, nil, &words, nil) == 0)
    var usage = rusage()
    var status: Int32 = 0
    var kilobytes = 0
    // The maximum of rusage counts the memory of the parent too.
    while wait4(child, &status, WNOHANG, &usage) == 0 {
      let text = (try? String(contentsOfFile: "/proc/\(child)/status", encoding: .utf8)) ?? ""
      let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
      kilobytes = max(
        kilobytes, line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0)
      usleep(1000)
    }
    func seconds(_ t: timeval) -> Double { Double(t.tv_sec) + Double(t.tv_usec) / 1e6 }
    let err = try String(contentsOfFile: log, encoding: .utf8)
    return Measured(
      status: status & 0x7f == 0 ? status >> 8 & 0xff : -1, err: err,
      seconds: seconds(usage.ru_utime) + seconds(usage.ru_stime),
      megabytes: Double(kilobytes) / 1000)
  }

  /// Waits for a file of a run to appear.
  func wait(for name: String) {
    let end = Date(timeIntervalSinceNow: 120)
    while !exists(name) {
      if Date() > end {
        Issue.record("no \(name) after two minutes")
        return
      }
      Thread.sleep(forTimeInterval: 0.01)
    }
  }

  /// Runs the program to its end.
  /// - Parameter shell: a command line that runs `"$0" "$@"` under a limit
  func apus(_ arguments: String..., shell: String? = nil) throws -> Result {
    try apus(arguments: arguments, shell: shell)
  }

  /// Runs the program to its end.
  func apus(arguments: [String], shell: String? = nil) throws -> Result {
    let (process, out, err) = try start(arguments, shell: shell)
    let text = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let messages = String(decoding: err.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return Result(
      status: process.terminationReason == .exit ? process.terminationStatus : -1, out: text,
      err: messages)
  }
}
