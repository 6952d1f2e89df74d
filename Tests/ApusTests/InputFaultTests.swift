import Foundation
import Glibc
import Testing

/// What is no sensible file, and numbers out of all bounds, at every place where a user can put them.
@Suite struct InputFaultTests {
  private static let kinds = [
    "empty", "byte", "directory", "pipe", "zero", "link", "sparse", "sparse text",
    "sparse end",
  ]

  /// - Parameter good: what the path should hold
  private static func make(_ kind: String, at path: String, good: Data) throws {
    switch kind {
    case "empty": try Data().write(to: URL(fileURLWithPath: path))
    case "byte": try Data("x".utf8).write(to: URL(fileURLWithPath: path))
    case "directory":
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    case "pipe": mkfifo(path, 0o644)
    case "zero": symlink("/dev/zero", path)
    case "link": symlink("/nowhere", path)
    default:
      // A hole of 5 GB, alone, after a beginning that looks right, or after all that was needed.
      let text = path.hasSuffix(".nc") ? "CDF\u{2}" : "2\nplain\nAr 0 0 0\n"
      let start = kind == "sparse" ? Data() : kind == "sparse text" ? Data(text.utf8) : good
      try start.write(to: URL(fileURLWithPath: path))
      truncate(path, 5_000_000_000)
    }
  }

  /// The words of which one must stand in the message.
  private static func expected(_ kind: String) -> [String] {
    switch kind {
    case "empty": ["an empty file (0 bytes)", "it is empty"]
    case "byte":
      [
        "text of another kind", "alone on the first line, found 'x'", "it begins with 'x'",
        "found the end of the file", "expected a mapping", "found no _atom_site", "line 'N atoms'",
        "expected a line of the head", "the file ends inside its header (1 bytes)",
        "incomplete or altered (header)", "expected data_NAME",
      ]
    case "directory": ["a directory"]
    case "pipe": ["a pipe"]
    case "zero": ["a device"]
    case "link": ["a link to a file that does not exist", "checkpoint.nc is missing"]
    default:
      [
        "found binary data", "a deck of at most 16.8 MB, found 5.0 GB",
        "a model file of at most 268.4 MB, found 5.0 GB",
        "a structure file of at most 4.3 GB, found 5.0 GB", "found a line of more than",
        "incomplete or altered (header)", "found no Conventions",
        "incomplete or altered (5000000000 bytes, ",
      ]
    }
  }

  @Test(
    "A path that holds no sensible file is refused with exit 2, what it is, in no time and memory",
    arguments: kinds)
  func oddFiles(kind: String) throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(Sandbox.deck(), "good.yaml")
    #expect(try box.apus("run", "good.yaml", "--output", "finished", "--quiet").status == 0)
    try FileManager.default.removeItem(atPath: box.path + "/finished/checkpoint.previous.nc")
    let roles: [(name: String, deck: String, arguments: [String])] =
      ["odd.xyz", "odd.cif", "POSCAR", "odd.lmp", "odd.nc", "odd"].map {
        ($0, Sandbox.deck(structure: $0), ["run", "deck.yaml"])
      } + [
        ("odd.txt", Sandbox.deck(model: "odd.txt"), ["run", "deck.yaml"]),
        ("odd.yaml", "", ["run", "odd.yaml"]),
        ("odd.xyz", "", ["evaluate", "--model", "argon.txt", "odd.xyz", "--output", "out.xyz"]),
        ("odd.txt", "", ["evaluate", "--model", "odd.txt", "argon.xyz", "--output", "out.xyz"]),
        ("odd.nc", "", ["convert", "odd.nc", "out.xyz"]),
        ("odd.xyz", "", ["convert", "odd.xyz", "out.nc"]),
        ("odd.xyz", "", ["info", "odd.xyz"]), ("odd.nc", "", ["info", "odd.nc"]),
        ("odd.txt", "", ["benchmark", "--model", "odd.txt", "--structure", "argon.xyz"]),
        ("checkpoint.nc", "", ["info", "checkpoint.nc"]),
        ("finished/checkpoint.nc", "", ["run", "good.yaml", "--output", "finished", "--resume"]),
      ]
    let good = [
      "odd.xyz": Data(String(repeating: Sandbox.argon(), count: 9).utf8),
      "odd.txt": try box.data("argon.txt"), "odd.yaml": try box.data("good.yaml"),
      "checkpoint.nc": try box.data("finished/checkpoint.nc"),
      "finished/checkpoint.nc": try box.data("finished/checkpoint.nc"),
    ]
    for role in roles where kind != "sparse end" || good[role.name] != nil {
      if !role.deck.isEmpty { try box.write(role.deck, "deck.yaml") }
      let odd = box.path + "/" + role.name
      try? FileManager.default.removeItem(atPath: odd)
      try Self.make(kind, at: odd, good: good[role.name] ?? Data())
      let before = box.names
      let result = try box.measure(role.arguments)
      let place = "\(kind) as \(role.arguments.joined(separator: " ")): \(result)"
      #expect(result.status == 2, "\(place)")
      #expect(result.err.contains(role.name.split(separator: "/").last ?? ""), "\(place)")
      #expect(Self.expected(kind).contains { result.err.contains($0) }, "\(place)")
      #expect(result.err.split(separator: "\n").count == 1, "\(place)")
      #expect(result.seconds < 1 && result.megabytes < 100, "\(place)")
      #expect(box.names == before, "\(place)")
      try FileManager.default.removeItem(atPath: odd)
    }
  }

  @Test("Numbers of a deck out of all bounds are refused by their key, those within are taken")
  func deckNumbers() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(
      Sandbox.deck(ensemble: "npt").replacingOccurrences(
        of: "    trajectory: {every: 10 steps, velocities: true}\n", with: ""), "deck.yaml")
    let names = box.names
    func dryRun(_ set: [String]) throws -> Sandbox.Measured {
      try box.measure(["run", "deck.yaml", "--dry-run"] + set.flatMap { ["--set", $0] })
    }
    let refused: [(set: String, says: String)] = [
      ("seed=18446744073709551616", "seed: expected an integer from 0"),
      ("seed=-1", "seed: expected an integer from 0"),
      ("seed=1e3", "seed: expected an integer from 0"),
      ("stages.0.steps=-1", "-1 is out of range"),
      ("stages.0.steps=0", "0 is out of range"),
      ("stages.0.steps=9223372036854775808", "expected an integer"),
      ("stages.0.steps=1e15", "expected an integer"),
      ("stages.0.steps=9007199254740993", "is out of range"),
      ("stages.0.temperature=0 K", "0 K is not above 0 K"),
      ("stages.0.temperature=-5 K", "-5 K is not above 0 K"),
      ("stages.0.temperature=1e9 K", "1000000000 K is not above 0 K to 100000 K"),
      ("stages.0.temperature=nan K", "'nan K' is not a number"),
      ("stages.0.temperature=inf K", "'inf K' is not a number"),
      ("stages.0.temperature=1e999 K", "1e999 is too large"),
      ("stages.0.temperature=1e-320 K", "1e-320 is too small"),
      ("stages.0.temperature=300 C", "300 C is not in K"),
      ("stages.0.pressure=1e6 GPa", "is not below 1000000 GPa"),
      ("stages.0.pressure=-1e308 eV/A^3", "is not below 1000000 GPa"),
      ("stages.0.pressure=1e309 bar", "is too large"),
      ("stages.0.pressure=nan GPa", "'nan GPa' is not a number"),
      ("timestep=0 fs", "timestep"), ("timestep=-1 fs", "timestep"),
      ("timestep=1e300 ns", "timestep"), ("timestep=1e-300 fs", "timestep"),
      ("timestep=11 fs", "timestep"),
      ("stages.0.thermo={every: 0 steps}", "thermo"),
      ("stages.0.thermo={every: 1e30 steps}", "thermo"),
      ("stages.0.trajectory={every: -5 fs}", "trajectory"),
      ("stages.0.thermostat={relaxation: 1e300 ns}", "relaxation"),
      ("stages.0.barostat={relaxation: 0 fs}", "relaxation"),
      ("stages.0.thermostat={chain: 1000000000}", "chain"),
      ("supercell=[0, 1, 1]", "supercell"), ("supercell=[10001, 1, 1]", "supercell"),
      ("supercell=[9999999999999999999, 1, 1]", "supercell"),
      ("supercell=[1000, 1000, 1000]", "cells are too many"),
      ("supercell=[[10000, 9999, 0], [-9999, 10000, 0], [0, 0, 10000]]", "cells are too many"),
      ("supercell=[400, 400, 390]", "of memory"),
      ("masses={Ar: 1e999}", "is too large"), ("masses={Ar: 0}", "masses.Ar"),
      ("checkpoint={every: 1e300 d}", "checkpoint.every"),
      ("checkpoint={every: 0 s}", "checkpoint.every"),
      ("velocities=1e9 K", "velocities"), ("velocities=-1 K", "velocities"),
    ]
    for (set, says) in refused {
      let result = try dryRun([set])
      #expect(result.status == 2, "\(set): \(result)")
      #expect(result.err.contains(says), "\(set): \(result)")
      #expect(result.seconds < 2 && result.megabytes < 200, "\(set): \(result)")
    }
    let taken: [[String]] = [
      ["seed=0"], ["seed=18446744073709551615"], ["velocities=0 K"],
      ["stages.0.steps=3000000000", "stages.0.thermo={every: 1000000 steps}"],
      ["stages.0.steps=1000000000000000", "stages.0.thermo={every: 1000000000000 steps}"],
      ["stages.0.pressure=-0.0 GPa"], ["stages.0.temperature=1e-3 K", "velocities=0 K"],
      ["stages.0.pressure=999999 GPa"],
    ]
    for set in taken {
      let result = try dryRun(set)
      #expect(result.status == 0, "\(set): \(result)")
    }
    #expect(box.names == names)
    // Durations of more than 2^31 steps, counted without overflow.
    try box.write(
      Sandbox.deck(ensemble: "nve").replacingOccurrences(
        of: "    trajectory: {every: 10 steps, velocities: true}\n", with: ""
      ).replacingOccurrences(of: "steps: 60", with: "duration: 20 us")
        .replacingOccurrences(of: "every: 5 steps", with: "every: 10 ns"), "deck.yaml")
    let long = try box.apus("run", "deck.yaml", "--dry-run")
    #expect(long.status == 0, "\(long.err)")
    #expect(long.out.contains("only (10000000000 steps)"), "\(long.out)")
  }

  @Test("A wall-clock limit out of all bounds is refused", arguments: ["nan", "1e999 s", "5"])
  func wallClock(limit: String) throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(Sandbox.deck(), "deck.yaml")
    let result = try box.apus("run", "deck.yaml", "--max-walltime", limit)
    #expect(result.status == 2 && result.err.contains("--max-walltime: "), "\(result)")
    #expect(!box.exists("run"))
  }

  /// Files of one or two atoms with one thing out of all bounds.
  private static let structures: [(name: String, text: String, says: String)] = {
    func xyz(_ count: String, _ lattice: String, _ atoms: String) -> String {
      "\(count)\nLattice=\"\(lattice)\" Properties=species:S:1:pos:R:3 pbc=\"T T T\"\n\(atoms)"
    }
    let cube = "9 0 0 0 9 0 0 0 9"
    let two = "Ar 0 0 0\nAr 4 4 0\n"
    func poscar(_ counts: String) -> String {
      "x\n1.0\n9 0 0\n0 9 0\n0 0 9\nAr\n\(counts)\nCartesian\n0 0 0\n4 4 0\n"
    }
    func lammps(_ count: String, _ xhi: String = "9") -> String {
      """
      x

      \(count) atoms
      1 atom types
      0 \(xhi) xlo xhi
      0 9 ylo yhi
      0 9 zlo zhi

      Masses

      1 39.948 # Ar

      Atoms # atomic

      1 1 0 0 0
      2 1 4 4 0

      """
    }
    return [
      ("a.xyz", xyz("0", cube, ""), "positive number of atoms, found 0"),
      ("a.xyz", xyz("-2", cube, two), "positive number of atoms, found -2"),
      ("a.xyz", xyz("100000000", cube, two), "expected 100000000 atoms in frame 1"),
      ("a.xyz", xyz("9223372036854775807", cube, two), "expected 9223372036854775807 atoms"),
      ("a.xyz", xyz("9223372036854775808", cube, two), "expected the number of atoms alone"),
      ("a.xyz", xyz("2", cube, "Ar 0 0 nan\nAr 4 4 0\n"), "a.xyz:3:8: "),
      ("a.xyz", xyz("2", cube, "Ar 0 0 1e999\nAr 4 4 0\n"), "a.xyz:3:8: "),
      ("a.xyz", xyz("2", cube, "Ar 0 0 1e300\nAr 4 4 0\n"), "absurdly far away"),
      ("a.xyz", xyz("2", "9 0 0 0 9 0 0 0 nan", two), "'nan', which is not finite"),
      ("a.xyz", xyz("2", "9 0 0 0 9 0 0 0 1e999", two), "too large"),
      ("a.xyz", xyz("2", "9 0 0 0 9 0 0 0 1e200", two), "span no volume"),
      ("a.xyz", xyz("2", "9 0 0 0 9 0 0 0 0", two), "is zero"),
      ("a.xyz", xyz("1", "9 0 0 0 9 0 0 0 1e-5", "Ar 0 0 0\n"), "far too thin"),
      ("a.xyz", xyz("1", "9 0 0 0 9 0 0 0 1e-40", "Ar 0 0 0\n"), "far too thin"),
      ("POSCAR", poscar("0"), "positive number of atoms, found 0"),
      ("POSCAR", poscar("9223372036854775807"), "do not fit a file of"),
      ("POSCAR", poscar("9223372036854775808"), "expected a number of atoms"),
      ("a.lmp", lammps("0"), "positive number of atoms, found 0"),
      ("a.lmp", lammps("9223372036854775807"), "expected 9223372036854775807 lines"),
      ("a.lmp", lammps("2", "-1e999"), "xlo"), ("a.lmp", lammps("2", "0"), "no volume"),
    ]
  }()

  @Test("Numbers of a structure out of all bounds are refused where they stand")
  func structureNumbers() throws {
    let box = try Sandbox()
    defer { box.remove() }
    for (name, text, says) in Self.structures {
      try box.write(text, name)
      try box.write(Sandbox.deck(ensemble: "nve", structure: name), "deck.yaml")
      for arguments in [
        ["run", "deck.yaml"], ["evaluate", "--model", "argon.txt", name, "--output", "out.xyz"],
      ] {
        let result = try box.measure(arguments)
        let place = "\(text.prefix(90)): \(result)"
        #expect(result.status == 2, "\(place)")
        // A run looks at density and distances before.
        #expect(
          result.err.contains(says) || (arguments[0] == "run" && says == "far too thin"),
          "\(place)")
        #expect(result.seconds < 1 && result.megabytes < 100, "\(place)")
        #expect(!box.exists("run") && !box.exists("out.xyz"), "\(place)")
      }
    }
    // A cell of any size is no obstacle.
    for edge in ["1e4", "1e9", "1e16"] {
      try box.write(
        "2\nLattice=\"\(edge) 0 0 0 \(edge) 0 0 0 \(edge)\" Properties=species:S:1:pos:R:3\nAr 0 0 0\nAr 4 0 0\n",
        "large.xyz")
      let result = try box.measure(
        ["evaluate", "--model", "argon.txt", "large.xyz", "--output", "out.xyz"])
      #expect(result.status == 0 && result.megabytes < 100, "\(edge): \(result)")
    }
  }
}
