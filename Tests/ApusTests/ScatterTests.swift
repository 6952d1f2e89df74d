import Foundation
import Matter
import TestSupport
import Testing
import Trajectory

/// `scatter` and `merge` as a user runs them.
@Suite(.serialized) struct ScatterTests {
  private static func fixture(_ name: String) -> String {
    Reference.folder?.appendingPathComponent("scattering/" + name).path ?? ""
  }

  /// All values of a variable of a file, or of its group `spectrum`.
  private static func values(_ name: String, of path: String, group: String? = nil) throws
    -> [Double]
  {
    let file = try NetCDFFile(opening: path)
    defer { try? file.close() }
    let place = try group.map { try #require(try file.group($0), "group \($0)") } ?? file
    return try place.doubles(try #require(try place.variable(name), "\(name) of \(path)"))
  }

  private static func names(of path: String) throws -> [String] {
    let file = try NetCDFFile(opening: path)
    defer { try? file.close() }
    return try file.variables().map(\.name)
  }

  /// The largest difference over the largest value of the second.
  private static func deviation(_ a: [Double], _ b: [Double]) -> Double {
    guard a.count == b.count, !b.isEmpty, a.allSatisfy(\.isFinite) else { return .infinity }
    return (zip(a, b).map { abs($0 - $1) }.max() ?? .infinity) / (b.map(abs).max() ?? 1)
  }

  private static func list(_ vectors: [[Double]]) -> String {
    "["
      + vectors.map { "[" + $0.map { "\($0)" }.joined(separator: ", ") + "]" }
      .joined(separator: ", ") + "]"
  }

  private static func rows(_ flat: [Double]) -> [[Double]] {
    stride(from: 0, to: flat.count, by: 3).map { Array(flat[$0..<$0 + 3]) }
  }

  // MARK: against dynasor

  @Test(
    "every function of dynasor's files, through the command",
    .enabled(if: Reference.isAvailable, "no shared/reference"), arguments: ["A", "B"])
  func dynasor(_ name: String) throws {
    let box = try Sandbox()
    defer { box.remove() }
    let reference = Self.fixture(name + "_dynasor_dynamic.nc")
    let points = Self.rows(try Self.values("q_points", of: reference))
    let (dt, lag, stride) = name == "A" ? (4, 100, 1) : (5, 40, 3)
    try box.write(
      """
      trajectory: {timestep: \(dt) fs}
      q: {points: \(Self.list(points))}
      correlation: {maximum_lag: \(lag) frames, origin_stride: \(stride), currents: true, blocks: 1}
      """, "deck.yaml")
    let topology = Self.fixture(name == "A" ? "A.xyz" : "B_wrapped.xyz")
    let result = try box.apus(
      "scatter", Self.fixture(name + ".nc"), "--topology", topology, "--config", "deck.yaml",
      "--output", "out.nc")
    #expect(result.status == 0, "\(result.err)")
    #expect(result.err.contains("Nyquist limit"))
    let output = box.path + "/out.nc"
    let ours = Set(try Self.names(of: output))
    var compared = 0
    for variable in try Self.names(of: reference) where variable != "hkl" {
      guard ours.contains(variable) else {
        Issue.record("no variable \(variable)")
        continue
      }
      let d = Self.deviation(
        try Self.values(variable, of: output), try Self.values(variable, of: reference))
      // dynasor keeps velocities, displacements and its cell in single precision.
      let tolerance =
        ["q_points", "cell"].contains(variable)
        ? 1e-7
        : variable.hasPrefix("C")
          ? 2e-7 : variable.contains("incoh") || ["Fqt", "Sqw"].contains(variable) ? 1e-8 : 1e-11
      #expect(d < tolerance, "\(variable): \(d)")
      compared += 1
    }
    #expect(compared > 20)
  }

  @Test(
    "the two lines of TOSCA and the quantum factor, of hkl points through the command",
    .enabled(if: Reference.isAvailable, "no shared/reference"))
  func pipeline() throws {
    let box = try Sandbox()
    defer { box.remove() }
    let data = try Data(contentsOf: URL(fileURLWithPath: Self.fixture("A_pipeline.json")))
    let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    func numbers(_ key: String) throws -> [Double] {
      try #require(object[key] as? [NSNumber]).map(\.doubleValue)
    }
    let hkl = try #require(object["hkl"] as? [[NSNumber]]).map { $0.map(\.doubleValue) }
    try box.write(
      """
      trajectory: {timestep: 4 fs, topology: \(Self.fixture("A.xyz"))}
      q: {hkl: \(Self.list(hkl))}
      correlation: {maximum_lag: 100 frames, blocks: 1}
      weights: {H: {coherent: -3.739 fm, incoherent: 80.26 barn}, Si: {coherent: 4.1491 fm, incoherent: 0.004 barn}}
      temperature: 300 K
      quantum_correction: harmonic
      instrument: {name: TOSCA}
      spectrum: {q_width: 0.3 1/A}
      energy: {step: 0.5 meV}
      """, "deck.yaml")
    let result = try box.apus(
      "scatter", Self.fixture("A.nc"), "--config", "deck.yaml", "--output", "out.nc", "--quiet")
    #expect(result.status == 0 && result.err.isEmpty, "\(result.err)")
    let output = box.path + "/out.nc"
    func compare(_ name: String, _ key: String, _ count: Int? = nil) throws -> Double {
      let expected = try numbers(key)
      let n = count ?? expected.count
      let values = try Self.values(name, of: output, group: "spectrum")
      return Self.deviation(Array(values.prefix(n)), Array(expected.prefix(n)))
    }
    // The file's cell is single precision, the reference's is not; its Gaussian is sampled, which
    // TOSCA's narrowest, 0.31 meV on a grid of 0.5 meV, feels.
    #expect(try compare("kinematic", "kinematic_mean") < 1e-5)
    let energies = try Self.values("energy_fine", of: output, group: "spectrum")
    let quantum = try Self.values("quantum", of: output, group: "spectrum")
    let blurred = try Self.values("resolution", of: output, group: "spectrum")
    for (i, energy) in energies.enumerated() where energy > 0 && blurred[i] > 0 {
      let x = energy / (0.08617333262 * 300)
      #expect(abs(quantum[i] / blurred[i] / (x / (1 - exp(-x))) - 1) < 1e-9)
    }
    let sum = zip(energies, try numbers("fine_E_meV")).filter { abs($0 - $1) < 1e-9 }.count
    #expect(sum == (try numbers("fine_E_meV")).count)
    let area = { (values: [Double]) in values[40..<400].reduce(0, +) }
    #expect(abs(area(blurred) / area(try numbers("broadened")) - 1) < 1e-3)
    let file = try NetCDFFile(opening: output)
    let group = try #require(try file.group("spectrum"))
    let history = try group.attributes().first { $0.name == "history" }
    guard case .text(let text)? = history?.value else {
      Issue.record("no history")
      return
    }
    #expect(text.contains("TOSCA") && text.hasSuffix("quantum factor harmonic, T = 300 K"))
  }

  // MARK: parts

  /// A run of argon with velocities; its trajectory is run/only/trajectory.nc.
  private static func argon(
    _ box: Sandbox, steps: Int = 600, ensemble: String = "nve", seed: Int = 7
  )
    throws
  {
    let deck = Sandbox.deck(steps: steps, ensemble: ensemble)
      .replacingOccurrences(of: "seed: 7", with: "seed: \(seed)")
    try box.write(deck, "run.yaml")
    let run = try box.apus(
      "run", "run.yaml", "--output", "run\(seed == 7 ? "" : "\(seed)")", "--quiet")
    #expect(run.status == 0, "\(run.err)")
  }

  private static let decks = [
    "points": """
    q: {sphere: {max: 4 1/A, count: 60}}
    correlation: {maximum_lag: 20 frames, currents: true}
    weights: neutron
    quantum_correction: harmonic
    debye_waller: run
    instrument: {name: TOSCA}
    """,
    "shells": """
    q: {sphere: {max: 3 1/A}}
    correlation: {maximum_lag: 20 frames, incoherent: false}
    shells: {width: 0.2 1/A, kernel: bin}
    weights: xray
    """,
    "sampled shells": """
    q: {sphere: {max: 4 1/A, count: 90}}
    correlation: {maximum_lag: 20 frames}
    shells: {width: 0.3 1/A}
    weights: neutron
    quantum_correction: standard
    instrument: {name: ARCS, incident_energy: 97.5 meV}
    """,
  ]

  @Test("parts merge into the file of a single calculation, byte for byte", arguments: decks.keys)
  func merge(_ name: String) throws {
    let box = try Sandbox()
    defer { box.remove() }
    try Self.argon(box)
    try box.write(try #require(Self.decks[name]), "deck.yaml")
    let whole = try box.apus("scatter", "run", "--config", "deck.yaml", "--output", "whole.nc")
    #expect(whole.status == 0, "\(whole.err)")
    for i in 1...3 {
      let part = try box.apus(
        "scatter", "run", "--config", "deck.yaml", "--output", "part\(i).nc", "--shard", "\(i)/3",
        "--threads", "\(i)", "--quiet")
      #expect(part.status == 0, "\(part.err)")
      #expect(!(try Self.names(of: box.path + "/part\(i).nc")).contains("Sqw_weighted"))
    }
    let merged = try box.apus("merge", "out.nc", "part3.nc", "part1.nc", "part2.nc")
    #expect(merged.status == 0, "\(merged.err)")
    #expect(try Self.names(of: box.path + "/out.nc").contains("Sqw_weighted"))
    #expect(try box.data("out.nc") == box.data("whole.nc"))
    #expect(!box.exists("whole.nc.spool") && !box.exists("whole.nc.tmp"))
  }

  @Test("missing, doubled and foreign parts are refused")
  func wrongParts() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try Self.argon(box, steps: 200)
    let deck = "q: {sphere: {max: 2 1/A}}\ncorrelation: {maximum_lag: 5 frames}\n"
    try box.write(deck, "deck.yaml")
    try box.write(deck + "temperature: 10 K\n", "other.yaml")
    for (name, config, shard) in [
      ("a.nc", "deck.yaml", "1/3"), ("b.nc", "deck.yaml", "2/3"), ("c.nc", "deck.yaml", "3/3"),
      ("d.nc", "deck.yaml", "1/2"), ("x.nc", "other.yaml", "2/3"),
    ] {
      let part = try box.apus(
        "scatter", "run", "--config", config, "--output", name, "--shard", shard, "--quiet")
      #expect(part.status == 0, "\(part.err)")
    }
    for (parts, message) in [
      (["a.nc", "c.nc"], "are in no part"), (["a.nc", "b.nc"], "are in no part"),
      (["a.nc", "b.nc", "b.nc", "c.nc"], "of which another part holds some"),
      (["d.nc", "b.nc", "c.nc"], "of which another part holds some"),
      (["a.nc", "x.nc", "c.nc"], "is not of the same calculation as a.nc: its deck differs"),
      (["a.nc", "run/only/trajectory.nc"], "is no result of apus scatter"),
      (["a.nc", "none.nc"], "found no file of this name"),
      (["argon.xyz"], "argon.xyz"),
    ] {
      let result = try box.apus(arguments: ["merge", "out.nc"] + parts)
      #expect(result.status == 2 && result.err.contains(message), "\(parts): \(result.err)")
      #expect(!box.exists("out.nc"))
    }
    let same = try box.apus("merge", "a.nc", "a.nc", "b.nc", "c.nc")
    #expect(same.status == 2 && same.err.contains("is also an input"), "\(same.err)")
  }

  // MARK: sources

  @Test("points follow a moving cell as whole multiples of its reciprocal vectors")
  func movingCell() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try Self.argon(box, ensemble: "npt")
    let hkl = [[2.0, 0, 0], [0, 2, 2], [-2, -1, 3]]
    try box.write(
      "q: {hkl: \(Self.list(hkl).replacingOccurrences(of: ".0", with: ""))}\n"
        + "correlation: {maximum_lag: 10 frames, incoherent: false}\n", "deck.yaml")
    let result = try box.apus("scatter", "run", "--config", "deck.yaml", "--output", "out.nc")
    #expect(result.status == 0, "\(result.err)")
    let stream = try TrajectoryFiles.open(box.path + "/run")
    var frame = TrajectoryFrame(for: stream.facts)
    var sums = [Double](repeating: 0, count: 3)
    var norms = [[Double]](repeating: [], count: 3)
    var frames = 0.0
    while try stream.next(into: &frame) {
      let cell = try #require(frame.values.cell)
      for (k, n) in hkl.enumerated() {
        var (re, im) = (0.0, 0.0)
        for i in 0..<32 {
          let phase = 2 * Double.pi * dot(SIMD3(n), cell.fractionalMatrix * frame.positions[i])
          re += cos(phase)
          im += sin(phase)
        }
        sums[k] += (re * re + im * im) / 32
        let b = cell.fractionalMatrix
        let q = 2 * Double.pi * (b.x * n[0] + b.y * n[1] + b.z * n[2])
        norms[k].append(dot(q, q).squareRoot())
      }
      frames += 1
    }
    let statics = try Self.values("Sq", of: box.path + "/out.nc")
    #expect(Self.deviation(statics, sums.map { $0 / frames }) < 1e-11)
    let spread = try Self.values("q_norms_std", of: box.path + "/out.nc")
    for k in 0..<3 {
      let mean = norms[k].reduce(0, +) / frames
      let deviation = (norms[k].reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / frames).squareRoot()
      #expect(deviation > 1e-3 && abs(spread[k] / deviation - 1) < 0.03)
    }
    // A file does not say that its cell moves, until it does.
    let direct = try box.apus(
      "scatter", "run/only/trajectory.nc", "--config", "deck.yaml", "--output", "direct.nc")
    #expect(direct.status == 0, "\(direct.err)")
    for name in ["Fqt_coh", "Sqw_coh_stderr", "q_norms_std"] {
      #expect(
        try Self.values(name, of: box.path + "/direct.nc")
          == Self.values(name, of: box.path + "/out.nc"))
    }
    // Cartesian points cannot stay on a lattice that moves.
    try box.write("q: {points: [[1.19, 0, 0]], snap: true}\n", "snap.yaml")
    let snapped = try box.apus("scatter", "run", "--config", "snap.yaml", "--output", "snap.nc")
    #expect(snapped.status == 0, "\(snapped.err)")
    #expect(snapped.err.contains("q-points moved to the lattice by up to"))
  }

  @Test("several sources are replicas: their mean, with the spread as error")
  func replicas() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try Self.argon(box)
    try Self.argon(box, seed: 8)
    try box.write(
      "q: {hkl: [[1, 0, 0], [2, 1, 0]]}\ncorrelation: {maximum_lag: 10 frames}\n", "deck.yaml")
    for (sources, name) in [(["run"], "a"), (["run8"], "b"), (["run", "run8"], "both")] {
      let result = try box.apus(
        arguments: ["scatter"] + sources + ["--config", "deck.yaml", "--output", name + ".nc"])
      #expect(result.status == 0, "\(result.err)")
    }
    func f(_ name: String, _ variable: String = "Fqt_coh") throws -> [Double] {
      try Self.values(variable, of: box.path + "/\(name).nc")
    }
    let (a, b) = (try f("a"), try f("b"))
    #expect(Self.deviation(try f("both"), zip(a, b).map { ($0 + $1) / 2 }) < 1e-13)
    #expect(
      Self.deviation(
        try f("both", "Fqt_coh_stderr"), zip(a, b).map { abs($0 - $1) / 2 }) < 1e-12)
  }

  @Test("a path through the zone knows its corners, and every zone has the same points")
  func path() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try Self.argon(box, steps: 200)
    try box.write(
      "1\nLattice=\"0 2.65 2.65 2.65 0 2.65 2.65 2.65 0\" Properties=species:S:1:pos:R:3 pbc=\"T T T\"\nAr 0 0 0\n",
      "primitive.xyz")
    try box.write(
      """
      q: {paths: {primitive: primitive.xyz, segments: [[G, X], [X, L]], zones: [[0, 0, 0], [1, 1, 1]]}}
      correlation: {maximum_lag: 5 frames, incoherent: false}
      weights: neutron
      instrument: {name: ARCS, incident_energy: 97.5 meV}
      """, "deck.yaml")
    let result = try box.apus("scatter", "run", "--config", "deck.yaml", "--output", "out.nc")
    #expect(result.status == 0, "\(result.err)")
    let output = box.path + "/out.nc"
    // 10.6 Å hold two cells of 5.3 Å: Γ, half way, X; X, half way, L.
    let distance = try Self.values("distance", of: output)
    let zone = try Self.values("zone", of: output)
    #expect(
      distance.count % 2 == 0 && zone.filter { $0 == 1 }.count == zone.count / 2)
    let coordinates = Self.rows(try Self.values("primitive_coordinates", of: output))
    #expect(coordinates[0] == [0, 0, 0] && coordinates.contains([0.5, 0, 0.5]))
    #expect(coordinates[coordinates.count / 2] == [1, 1, 1])
    let file = try NetCDFFile(opening: output)
    let labels = try file.attributes().first { $0.name == "path_labels" }?.value
    #expect(labels == .text("G X L"))
    let seen = try Self.values("Sqw_instrument", of: output)
    // At the elastic line ARCS sees no |q| of 0 and all of 1 to 12 1/Å.
    let norms = try Self.values("q_norms", of: output)
    for (i, q) in norms.enumerated() { #expect(seen[i * 6].isNaN == (q < 0.28), "\(q)") }
  }

  // MARK: while a run goes on

  private static func onTheFly(_ steps: Int, ensemble: String, scatter: String) -> String {
    Sandbox.deck(steps: steps, ensemble: ensemble, more: "checkpoint: {every: 0.05 s}")
      .replacingOccurrences(
        of: "    thermo: {every: 5 steps}",
        with: "    thermo: {every: 5 steps}\n    scatter: {every: 10 steps, \(scatter)}")
  }

  @Test("a stage accumulates what the stored trajectory gives, but for its single precision")
  func ofStage() throws {
    let box = try Sandbox()
    defer { box.remove() }
    let keys =
      "q: {hkl: [[1, 0, 0], [2, 2, 0]]}, correlation: {maximum_lag: 10 frames, currents: true}"
    try box.write(Self.onTheFly(600, ensemble: "nvt", scatter: keys), "run.yaml")
    let run = try box.apus("run", "run.yaml", "--quiet")
    #expect(run.status == 0, "\(run.err)")
    #expect(!box.exists("run/only/scatter.spool"))
    try box.write(
      keys.replacingOccurrences(of: ", correlation", with: "\ncorrelation") + "\n", "deck.yaml")
    let post = try box.apus("scatter", "run", "--config", "deck.yaml", "--output", "post.nc")
    #expect(post.status == 0, "\(post.err)")
    for name in ["Fqt_coh", "Sqw_incoh", "Clqt_Ar_Ar", "Ctqw", "Sq"] {
      let d = Self.deviation(
        try Self.values(name, of: box.path + "/run/only/scatter.nc"),
        try Self.values(name, of: box.path + "/post.nc"))
      #expect(d > 0 && d < 2e-6, "\(name): \(d)")
    }
    let file = try NetCDFFile(opening: box.path + "/run/only/scatter.nc")
    let temperature = try file.attributes().first { $0.name == "temperature_K" }?.value
    #expect(temperature == .doubles([60]))
  }

  @Test(
    "a run that was killed and resumed accumulates the same bytes",
    arguments: [
      "q: {hkl: [[1, 0, 0], [2, 2, 0]]}, correlation: {maximum_lag: 10 frames, currents: true}",
      "q: {sphere: {max: 2 1/A, count: 50}}, correlation: {maximum_lag: 10 frames}, shells: {width: 0.2 1/A}, weights: neutron, debye_waller: run",
    ])
  func resumed(_ keys: String) throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(Self.onTheFly(30_000, ensemble: "npt", scatter: keys), "run.yaml")
    #expect(try box.apus("run", "run.yaml", "--output", "whole", "--quiet").status == 0)
    var kills = 0
    for delay in [0.2, 0.3, 0.25] {
      let (process, _, _) = try box.start(
        ["run", "run.yaml", "--quiet"] + (box.exists("run") ? ["--resume"] : []))
      Thread.sleep(forTimeInterval: delay)
      if process.isRunning {
        kill(process.processIdentifier, SIGKILL)
        kills += 1
      }
      process.waitUntilExit()
    }
    #expect(kills > 0)
    let last = try box.apus("run", "run.yaml", "--resume", "--quiet")
    #expect(last.status == 0, "\(last.err)")
    // The two decks differ in `output`, which is an attribute of the result.
    func raw(_ run: String, _ name: String) throws -> [Double] {
      try Self.values(name, of: box.path + "/\(run)/only/scatter.nc")
    }
    for name in try Self.names(of: box.path + "/whole/only/scatter.nc") {
      let (a, b) = (try raw("run", name), try raw("whole", name))
      #expect(
        a.count == b.count && zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern },
        "\(name) differs")
    }
  }

  @Test("what a stage cannot accumulate is refused before the run starts")
  func refusedStage() throws {
    let box = try Sandbox()
    defer { box.remove() }
    for (ensemble, keys, message) in [
      ("nve", "q: {points: [[0.1, 0, 0]]}", "stage only, scatter: q-point 1"),
      ("npt", "q: {points: [[0.6, 0, 0]]}", "cannot be commensurate with a cell that is not known"),
      (
        "nve", "q: {hkl: [[1, 0, 0]]}, correlation: {maximum_lag: 6 frames}",
        "stages.only.scatter.correlation.maximum_lag: 6 frames"
      ),
      ("nve", "trajectory: {every: 2}, q: {hkl: [[1, 0, 0]]}", "unknown key 'trajectory' here"),
    ] {
      try box.write(Self.onTheFly(60, ensemble: ensemble, scatter: keys), "run.yaml")
      let result = try box.apus("run", "run.yaml")
      #expect(result.status == 2 && result.err.contains(message), "\(result.err)")
      #expect(!box.exists("run"))
    }
  }

  // MARK: faults

  private static let faults: [(source: String, deck: String, more: [String], message: String)] = [
    (
      "run", "q: {points: [[0.1, 0, 0]]}", [],
      "apus: q-point 1, (0.1, 0, 0) 1/Å, is not commensurate with the cell: it is (0.168704, 0, 0) of the reciprocal vectors, and these must be integers. The nearest point is (0, 0, 0); `snap: true` takes such points"
    ),
    (
      "run", "q: {hkl: [[1, 0, 0]]}\ncorrelation: {maximum_lag: 20 frames}", [],
      "apus: run/only/trajectory.nc: correlation.maximum_lag: 20 frames (400 fs) are asked for, but there are only 20 frames. Give at most 19 frames, better a tenth of them"
    ),
    (
      "uneven.xyz", "q: {hkl: [[1, 0, 0]]}", [],
      "apus: uneven.xyz: frames 3 and 4 are 3.0 ps apart, those before 1.0 ps. Give timestep if the times in the file are wrong, or take an evenly spaced part by first and last"
    ),
    (
      "untimed.xyz", "q: {hkl: [[1, 0, 0]]}", [],
      "apus: untimed.xyz: does not tell the time between its frames. Give it: --timestep '2 fs', or trajectory: {timestep: 2 fs}"
    ),
    (
      "untimed.xyz", "q: {hkl: [[1, 0, 0]]}\ncorrelation: {currents: true}",
      ["--timestep", "2 fs"],
      "apus: untimed.xyz: holds no velocities, which current correlations need. Write velocities with the trajectory, or set currents: false"
    ),
    (
      "run", "q: {hkl: [[1, 0, 0]]}\nweights: neutron\nisotopes: {Ar: D}", [],
      "apus: deck.yaml:3:16: isotopes.Ar: D is no isotope of Ar. Write one of natural, Ar-36, Ar-38, Ar-40"
    ),
    (
      "run", "q: {hkl: [[1, 0, 0]]}\nweights: neutron\nisotopes: {H: D}", [],
      "apus: isotopes are given for H, which the trajectory does not have. It has Ar"
    ),
    (
      "untimed.xyz", "q: {hkl: [[1, 0, 0]]}\nweights: neutron\nquantum_correction: harmonic",
      ["--timestep", "2 fs"],
      "apus: untimed.xyz: quantum_correction: the temperature is not known. Write temperature: 300 K"
    ),
    (
      "run", "q: {hkl: [[1, 0, 0]]}", ["--shard", "2/1"],
      "apus: --shard: '2/1' is not I/N with I from 1 to N. Write --shard 1/4"
    ),
    (
      "run", "q: {hkl: [[1, 0, 0]]}", ["--shard", "1/2"],
      "apus: part 1 of 2 is empty: there is 1 q-point. Cut the calculation into fewer parts"
    ),
    (
      "run/only/thermo.csv", "q: {hkl: [[1, 0, 0]]}", [],
      "apus: run/only/thermo.csv: has no trajectory. Add `trajectory: {every: 10 fs}` to the stage, or give a file"
    ),
  ]

  @Test("wrong input ends with status 2, one line, and nothing written")
  func refusals() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try Self.argon(box, steps: 200)
    let frame = Sandbox.argon()
    func timed(_ times: [Double]) -> String {
      times.map {
        frame.replacingOccurrences(of: "pbc=\"T T T\"", with: "pbc=\"T T T\" time_ps=\($0)")
      }.joined()
    }
    try box.write(timed([0, 1, 2, 5]), "uneven.xyz")
    try box.write(frame + frame + frame, "untimed.xyz")
    let before = Set(box.names)
    for fault in Self.faults {
      try box.write(fault.deck + "\n", "deck.yaml")
      let result = try box.apus(
        arguments: [
          "scatter", fault.source, "--config", "deck.yaml", "--output", "out.nc", "--quiet",
        ]
          + fault.more)
      #expect(result.status == 2 && result.out.isEmpty)
      #expect(result.err == fault.message + "\n")
      #expect(Set(box.names) == before.union(["deck.yaml"]))
    }
    try box.write("q: {hkl: [[1, 0, 0]]}\n", "deck.yaml")
    let place = try box.apus("scatter", "run", "--config", "deck.yaml", "--output", "no/out.nc")
    #expect(place.status == 2 && place.err.contains("there is no directory no"))
    let none = try box.apus("scatter", "run", "--config", "deck.yaml")
    #expect(none.status == 2 && none.err.contains("--output is missing"))
    let dry = try box.apus(
      "scatter", "run", "--config", "deck.yaml", "--output", "out.nc", "--dry-run")
    let made = try box.apus("scatter", "run", "--config", "deck.yaml", "--output", "made.nc")
    #expect(made.status == 0, "\(made.err)")
    let info = try box.apus("info", "made.nc")
    #expect(info.status == 0 && info.out.contains("Sqw_coh_Ar_Ar(q, omega)"), "\(info.err)")
    #expect(dry.status == 0 && dry.err.contains("memory about") && !box.exists("out.nc"))
  }
}
