import Foundation
import Testing
import Trajectory

/// `analyze` as a user runs it.
@Suite(.serialized) struct AnalyzeTests {
  private static func summary(_ box: Sandbox, _ folder: String) throws -> [String: Any] {
    try #require(
      try JSONSerialization.jsonObject(with: box.data(folder + "/summary.json")) as? [String: Any])
  }

  @Test("a run is analyzed by its directory, its stage and its files, with what its deck knows")
  func sources() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(Sandbox.deck(steps: 600), "deck.yaml")
    #expect(try box.apus("run", "deck.yaml", "--quiet").status == 0)
    let whole = try box.apus("analyze", "run")
    #expect(whole.status == 0, "\(whole.err)")
    #expect(whole.out.contains("heat_capacity\n  cv "))
    #expect(box.exists("run/analysis/analysis.nc"))
    let first = try Self.summary(box, "run/analysis")
    #expect((first["energy"] as? [String: Any])?["stationarity"] is String)

    let stage = try box.apus("analyze", "run/only/", "--output", "of-stage")
    #expect(stage.status == 0 && stage.out == whole.out)
    let file = try box.apus(
      "analyze", "run/only/thermo.csv", "--topology", "argon.xyz", "--output", "of-file")
    #expect(file.status == 0)
    #expect(file.out.contains("the ensemble is not known and taken as nvt"))
    let frames = try box.apus("analyze", "run/only/trajectory.nc", "--quiet")
    #expect(frames.status == 0 && frames.err.isEmpty)
    #expect(box.exists("analysis/analysis.nc"))

    let info = try box.apus("info", "run/analysis/analysis.nc")
    #expect(info.status == 0 && info.out.contains("running_mean(component, time)"))

    // Frames hold the energies of every second row; the first row is at half their distance.
    let rows = try NetCDFFile(opening: box.path + "/of-stage/analysis.nc")
    let values = try NetCDFFile(opening: box.path + "/analysis/analysis.nc")
    func potential(_ file: NetCDFFile) throws -> [Double] {
      let group = try #require(try file.group("energy"))
      return try group.doubles(try #require(try group.variable("potential")))
    }
    let (all, some) = (try potential(rows), try potential(values))
    #expect(all.count == 120 && some.count == 60)
    #expect(some == stride(from: 1, to: 120, by: 2).map { all[$0] })
    let names = try rows.attributes().map(\.name)
    #expect(names == ["title", "program", "deck", "sources", "sources_sha256"])
  }

  @Test("a run analyzes its last stage where its deck says so, also when resumed for that")
  func ofRun() throws {
    let box = try Sandbox()
    defer { box.remove() }
    let deck = Sandbox.deck(steps: 200) + "\nanalysis: {energy: {window: 5}}\n"
    try box.write(deck, "deck.yaml")
    let run = try box.apus("run", "deck.yaml", "--quiet")
    #expect(run.status == 0 && run.out.contains("\nenergy\n  stationarity"), "\(run.err)")
    #expect(box.exists("run/analysis/summary.json"))
    let first = try box.data("run/analysis/analysis.nc")
    try FileManager.default.removeItem(atPath: box.path + "/run/analysis")
    let resumed = try box.apus("run", "deck.yaml", "--resume", "--quiet")
    #expect(resumed.status == 0 && run.out.hasSuffix(resumed.out), "\(resumed.err)")
    #expect(try box.data("run/analysis/analysis.nc") == first)
  }

  @Test("a deck chooses observables, options choose the part, and replicas give the error")
  func choices() throws {
    let box = try Sandbox()
    defer { box.remove() }
    func rows(_ seed: Int) -> String {
      var s = seed
      var text = "step,time_ps,potential_eV\n"
      for k in 0..<200 {
        s = (s * 1_103_515_245 + 12345) % (1 << 31)
        text += "\(k),\(Double(k) / 10),\(Double(s) / Double(1 << 31))\n"
      }
      return text
    }
    try box.write(rows(1), "a.csv")
    try box.write(rows(2), "b.csv")
    try box.write("energy: {window: 10}\n", "deck.yaml")
    let one = try box.apus(
      "analyze", "a.csv", "--config", "deck.yaml", "--first", "5 ps", "--last=15 ps", "--every",
      "2", "--output", "one")
    #expect(one.status == 0, "\(one.err)")
    let file = try NetCDFFile(opening: box.path + "/one/analysis.nc")
    #expect(try file.groupNames() == ["energy"])
    let group = try #require(try file.group("energy"))
    let times = try group.doubles(try #require(try group.variable("time")))
    #expect(times.count == 51 && times.first == 5 && times.last == 15)

    let two = try box.apus("analyze", "a.csv", "b.csv", "--config", "deck.yaml", "--output", "two")
    #expect(two.status == 0)
    let energy = try #require(try Self.summary(box, "two")["energy"] as? [String: Any])
    let mean = try #require(energy["mean"] as? [String: Any])
    let (value, error) = (mean["value"] as? Double, mean["stderr"] as? Double)
    // Both means are near a half; two of them have an error of half their difference.
    #expect(abs((value ?? 0) - 0.5) < 0.1 && (error ?? 1) < 0.1)
    let both = try NetCDFFile(opening: box.path + "/two/analysis.nc")
    let series = try #require(try both.group("energy"))
    func values(_ name: String) throws -> [Double] {
      try series.doubles(try #require(try series.variable(name)))
    }
    let (means, errors) = (try values("potential"), try values("potential_stderr"))
    let each = try values("potential_replica")
    #expect(means.count == 200 && each.count == 400)
    for t in 0..<200 {
      #expect(abs(means[t] - (each[t] + each[200 + t]) / 2) < 1e-14)
      #expect(abs(errors[t] - abs(each[t] - each[200 + t]) / 2) < 1e-14)
    }
    try box.write(
      rows(3).split(separator: "\n").prefix(101).joined(separator: "\n") + "\n", "c.csv")
    let three = try box.apus("analyze", "a.csv", "c.csv", "--config", "deck.yaml", "--output", "3")
    #expect(three.status == 0 && three.out.contains("replicas have 100 to 200 rows"))
    let twice = try box.apus("analyze", "a.csv", "a.csv", "--config", "deck.yaml", "--output", "4")
    #expect(twice.status == 2 && twice.err.contains("a.csv is given twice") && !box.exists("4"))
  }

  @Test(
    "wrong input ends with status 2, one line, and nothing written",
    arguments: [
      (["analyze"], "apus: SOURCE is missing. See `apus analyze --help`"),
      (
        ["analyze", "none"],
        "apus: none: expected a run directory, a trajectory or a series, found no file of this name"
      ),
      (
        ["analyze", "."],
        "apus: .: expected a run directory, found a directory without deck.yaml. Give the directory of a run, RUN/STAGE, or files"
      ),
      (
        ["analyze", "argon.txt"],
        "apus: argon.txt: expected a run directory, a trajectory or a series, found none of the known kinds. Known are thermo.csv of Apus, log.lammps, thermo.out of GPUMD, extended XYZ, AMBER NetCDF, LAMMPS dump, DCD, H5MD"
      ),
      (
        ["analyze", "good.csv", "--first", "3"],
        "apus: --first: 3 has no unit. Write it with one of fs, ps, ns, us: 3 fs"
      ),
      (
        ["analyze", "good.csv", "--first", "3 ns"],
        "apus: good.csv: has no row in the part that is used (--first, --last)"
      ),
      (
        ["analyze", "good.csv", "--output", "argon.txt"],
        "apus: argon.txt: argon.txt is no directory. Choose another --output"
      ),
      (
        ["analyze", "good.csv", "--units", "lj"], "apus: --units is metal or real, not 'lj'"
      ),
      (
        ["analyze", "good.csv", "--elements", "C,Q"],
        "apus: --elements: 'Q' is not an element. Write them as C,H,I,S"
      ),
    ])
  func refusals(words: [String], message: String) throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write("step,time_ps,potential_eV\n1,1,1\n2,2,1\n", "good.csv")
    let before = box.names
    let result = try box.apus(arguments: words)
    #expect(result.status == 2)
    #expect(result.err == message + "\n" && result.out.isEmpty)
    #expect(box.names == before)
  }

  @Test("a trajectory that ends inside a frame is analyzed to its last whole one")
  func cut() throws {
    let box = try Sandbox()
    defer { box.remove() }
    var text = ""
    for k in 0..<40 {
      text +=
        "2\nLattice=\"9 0 0 0 9 0 0 0 9\" Properties=species:S:1:pos:R:3 energy=\(k % 7) time=\(k)\n"
      text += "Ar 1 1 \(1 + 0.01 * Double(k % 5))\nAr 5 5 \(5 + 0.01 * Double(k % 3))\n"
    }
    try box.write(String(text.dropLast(10)), "cut.xyz")
    let found = try box.apus("analyze", "cut.xyz", "--output", "cut")
    #expect(found.status == 0, "\(found.err)")
    #expect(
      found.out.contains("inside frame 40, in the line of atom 2")
        && found.out.contains("39 frames"))
    let file = try NetCDFFile(opening: box.path + "/cut/analysis.nc")
    let energy = try #require(try file.group("energy"))
    #expect(try energy.doubles(try #require(try energy.variable("potential"))).count == 39)
    let msd = try #require(try file.group("msd"))
    #expect(try msd.attributes().contains { $0.name == "frames" && $0.value == .int64s([39]) })
  }

  @Test("a series too short for errors says so and ends well")
  func short() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write("step,time_ps,potential_eV\n1,1,1\n", "one.csv")
    let one = try box.apus("analyze", "one.csv", "--output", "one")
    #expect(one.status == 0, "\(one.err)")
    #expect(one.out.contains("not enough data"))
    try box.write("step,time_ps,potential_eV\n", "none.csv")
    let none = try box.apus("analyze", "none.csv", "--output", "none")
    #expect(none.status == 2 && none.err == "apus: none.csv: holds no whole row\n")
  }
}
