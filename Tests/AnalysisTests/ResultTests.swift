import Analysis
import Foundation
import Testing
import Trajectory

@Suite(.serialized) struct ResultTests {
  private static func group() -> ResultGroup {
    var g = ResultGroup("energy", title: "test")
    g.addCoordinate("time", [0, 0.5, 1], units: "ps", longName: "time")
    g.addCoordinate("element", ["C", "Å\"x"], longName: "element")
    g.add(
      "potential", ["element", "time"], [1, 2, .nan, 4, 5, 6], error: [0, 0, 0, 1, 1, 1],
      units: "eV", longName: "potential energy", attributes: [("window_rows", .integer(7))])
    g.add(
      "mean", Estimate(1.25, standardError: 0.5, degreesOfFreedom: 3, effectiveSamples: 20),
      units: "eV", longName: "mean")
    g.add("lost", Estimate(.nan), units: "eV", longName: "nothing")
    g.addVerdict("stationarity", "stationary")
    return g
  }

  @Test("groups, texts, errors and attributes come back from the file")
  func roundTrip() throws {
    let folder = NSTemporaryDirectory() + "apus-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/analysis.nc"
    var other = ResultGroup("empty", title: "nothing in it")
    other.addCoordinate("time", [], units: "ps", longName: "time")
    try ResultFile.write([Self.group(), other], attributes: [("program", "apus")], to: path)
    let file = try NetCDFFile(opening: path)
    #expect(try file.groupNames() == ["energy", "empty"])
    let energy = try #require(try file.group("energy"))
    let potential = try #require(try energy.variable("potential"))
    #expect(potential.dimensions == ["element", "time"])
    let values = try energy.doubles(potential)
    #expect(values[0] == 1 && values[2].isNaN && values[5] == 6)
    #expect(
      try energy.attributes(of: potential).map(\.name) == ["units", "long_name", "window_rows"])
    let names = try #require(try energy.variable("element"))
    #expect(try energy.strings(names) == ["C", "Å\"x"])
    let error = try #require(try energy.variable("potential_stderr"))
    #expect(try energy.doubles(error) == [0, 0, 0, 1, 1, 1])
    let mean = try #require(try energy.variable("mean"))
    #expect(mean.dimensions.isEmpty)
    #expect(try energy.doubles(mean) == [1.25])
    #expect(try file.attributes().first?.value == .text("apus"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["analysis.nc"])
  }

  @Test("a write that fails leaves the old file")
  func failure() throws {
    let folder = NSTemporaryDirectory() + "apus-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = folder + "/analysis.nc"
    try ResultFile.write([], attributes: [("program", "old")], to: path)
    let before = try Data(contentsOf: URL(fileURLWithPath: path))
    let clean = FileFaults { _, _, _ in nil }
    try clean.during {
      try ResultFile.write([Self.group()], attributes: [], to: folder + "/other.nc")
    }
    #expect(clean.calls.count > 10)
    for call in 0..<clean.calls.count where clean.calls[call].call != .close {
      if clean.calls[call...].allSatisfy({ $0.call != .rename }) { break }
      #expect(throws: FileError.self) {
        try FileFaults(call: call, code: 28).during {
          try ResultFile.write([Self.group()], attributes: [], to: path)
        }
      }
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before, "call \(call)")
    }
  }

  @Test("summary.json is JSON with null for what is not known")
  func summary() throws {
    let summary = ResultSummary(
      facts: [("program", "apus \"1\"\n")], groups: [Self.group()],
      obstacles: [("msd", "no trajectory")])
    let object = try #require(
      try JSONSerialization.jsonObject(with: Data(summary.json.utf8)) as? [String: Any])
    #expect(object["program"] as? String == "apus \"1\"\n")
    let energy = try #require(object["energy"] as? [String: Any])
    #expect(energy["stationarity"] as? String == "stationary")
    let mean = try #require(energy["mean"] as? [String: Any])
    #expect(mean["value"] as? Double == 1.25)
    let lost = try #require(energy["lost"] as? [String: Any])
    #expect(lost["value"] is NSNull)
    #expect((object["not_done"] as? [String: Any])?["msd"] as? String == "no trajectory")
    #expect(
      summary.table == """
        energy
          mean          1.25 ± 0.50 eV
          lost          not enough data
          stationarity  stationary

        not done
          msd: no trajectory
        """)
  }
}
