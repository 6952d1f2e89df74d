import Foundation
import Glibc
import Testing

/// Odd paths, a log that cannot be written, memory and descriptors over time, cells that collapse.
@Suite struct SurroundingsTests {
  @Test("Paths with spaces, quotes, other scripts and links work, also on resuming")
  func oddPaths() throws {
    let box = try Sandbox()
    defer { box.remove() }
    let folder = "a b/Ärger 'n' \"日本\" #1 {x}: 🧪"
    try FileManager.default.createDirectory(
      atPath: box.path + "/" + folder, withIntermediateDirectories: true)
    for name in ["argon.xyz", "argon.txt"] {
      try FileManager.default.moveItem(
        atPath: box.path + "/" + name, toPath: box.path + "/\(folder)/ä \(name)")
    }
    func deck(_ steps: Int) throws {
      try box.write(
        Sandbox.deck(steps: steps, structure: "\"ä argon.xyz\"", model: "\"ä argon.txt\""),
        folder + "/d e.yaml")
    }
    try deck(10)
    let run = folder + "/run ü"
    let first = try box.apus("run", folder + "/d e.yaml", "--output", run, "--quiet")
    #expect(first.status == 0, "\(first)")
    #expect(box.exists(run + "/only/trajectory.nc"))
    // By a link, by the resolved deck, and from the folder itself.
    symlink(box.path + "/" + run, box.path + "/link")
    try deck(20)
    let second = try box.apus("run", folder + "/d e.yaml", "--output", run, "--resume", "--quiet")
    #expect(second.status == 0, "\(second)")
    let info = try box.apus("info", "link/checkpoint.nc")
    #expect(info.status == 0 && info.out.contains("step                 20"), "\(info)")
    let again = try box.apus("run", "link/deck.yaml", "--resume")
    #expect(again.status == 0 && again.err.contains("is finished"), "\(again)")
  }

  @Test("Names too long for the file system are refused with the reason, and nothing is written")
  func longPaths() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(Sandbox.deck(), "deck.yaml")
    let names = box.names
    let long = String(repeating: "x", count: 300)
    for arguments in [
      ["run", "deck.yaml", "--output", long],
      ["run", "deck.yaml", "--output", String(repeating: "y/", count: 3000)],
      ["run", long], ["run", "deck.yaml", "--set", "structure=\(long)"],
      ["evaluate", "--model", long, "argon.xyz", "--output", "o.xyz"],
      ["evaluate", "--model", "argon.txt", "argon.xyz", "--output", long + ".xyz"],
      ["convert", "argon.xyz", long + ".nc"], ["info", long],
    ] {
      let result = try box.apus(arguments: arguments)
      #expect(result.status == 2 && result.err.contains("File name too long"), "\(result)")
      #expect(box.names == names)
    }
  }

  @Test("A log that cannot be written is warned of once, and the run goes on")
  func fullLog() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(Sandbox.deck(steps: 10), "deck.yaml")
    #expect(try box.apus("run", "deck.yaml", "--quiet").status == 0)
    try FileManager.default.removeItem(atPath: box.path + "/run/apus.log")
    symlink("/dev/full", box.path + "/run/apus.log")
    try box.write(Sandbox.deck(steps: 30), "deck.yaml")
    let result = try box.apus("run", "deck.yaml", "--resume", "--quiet")
    #expect(result.status == 0, "\(result)")
    #expect(result.err.split(separator: "\n").count { $0.contains("apus.log") } == 1, "\(result)")
    #expect(result.err.contains("No space left on device"), "\(result)")
    #expect(try box.text("run/only/thermo.csv").split(separator: "\n").count == 7)
  }

  @Test("Memory and open files stay the same while a run writes every step and many checkpoints")
  func leaks() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(
      Sandbox.deck(steps: 1_000_000, ensemble: "npt", more: "checkpoint: {every: 0.01 s}")
        .replacingOccurrences(of: "every: 10 steps", with: "every: 1 steps")
        .replacingOccurrences(of: "every: 5 steps", with: "every: 1 steps"), "deck.yaml")
    let (process, _, err) = try box.start(["run", "deck.yaml", "--quiet", "--threads", "2"])
    box.wait(for: "run/checkpoint.previous.nc")
    func sample() -> (kilobytes: Int, files: Int) {
      let id = process.processIdentifier
      let status = (try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)) ?? ""
      let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
      let files = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/fd")) ?? []
      return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0, files.count)
    }
    /// The fewest of many: a checkpoint under way holds files and folders open for a moment.
    func settled() -> (kilobytes: Int, files: Int) {
      let samples = (0..<50).map { _ in
        Thread.sleep(forTimeInterval: 0.005)
        return sample()
      }
      return (samples[49].kilobytes, samples.map(\.files).min() ?? 0)
    }
    /// Waits for a thousand frames of 900 bytes, each through some hundred calls of the library.
    func advance() throws {
      let size = try box.size("run/only/trajectory.nc")
      while try process.isRunning && box.size("run/only/trajectory.nc") < size + 900_000 {
        Thread.sleep(forTimeInterval: 0.01)
      }
    }
    try advance()
    let before = settled()
    try advance()
    let after = settled()
    #expect(process.isRunning)
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    _ = err
    #expect(before.kilobytes > 1000 && before.files > 3)
    #expect(after.kilobytes - before.kilobytes < 300, "\(before), \(after)")
    #expect(after.files <= before.files, "\(before), \(after)")
  }

  @Test("A cell that collapses stops the run with its volume, the frame and the checkpoint kept")
  func collapse() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(
      Sandbox.deck(ensemble: "npt").replacingOccurrences(
        of: "pressure: 0 GPa",
        with:
          "pressure: 5000 GPa\n    barostat: {kind: stochastic-cell-rescaling, relaxation: 1 ps}"),
      "deck.yaml")
    let result = try box.apus("run", "deck.yaml", "--quiet")
    #expect(result.status == 1, "\(result)")
    #expect(result.err.contains("at step 1 the volume changed by -"), "\(result)")
    #expect(result.err.contains("barostat's relaxation") && result.err.contains("failed.xyz"))
    #expect(box.exists("run/failed.xyz") && !box.exists("run/final.xyz"))
    #expect(try box.apus("info", "run/checkpoint.nc").out.contains("step                 0"))
  }
}
