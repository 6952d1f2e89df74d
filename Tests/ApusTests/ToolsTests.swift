import Foundation
import Matter
import TestSupport
import Testing
import Trajectory

/// `evaluate`, `convert` and `info` as a user runs them.
@Suite struct ToolsTests {
  private static func frames(_ box: Sandbox, _ name: String) throws -> [StructureFrame] {
    try StructureReader.read(path: box.path + "/" + name)
  }

  private static func numbers(_ frame: StructureFrame, _ key: String) -> [Double]? {
    frame.info.first { $0.key == key }?.numbers
  }

  private static func column(_ frame: StructureFrame, _ name: String) -> [Double]? {
    guard case .reals(let values)? = frame.arrays.first(where: { $0.name == name })?.values else {
      return nil
    }
    return values
  }

  /// The largest difference of two lists, infinite where their lengths differ.
  private static func distance(_ a: [Double]?, _ b: [Double]?) -> Double {
    guard let a, let b, a.count == b.count else { return .infinity }
    return zip(a, b).map { abs($0 - $1) }.max() ?? 0
  }

  private static func flat(_ vectors: [SIMD3<Double>]) -> [Double] {
    vectors.flatMap { [$0.x, $0.y, $0.z] }
  }

  // MARK: evaluate

  @Test(
    "evaluate writes NEP_CPU's energy, energies, forces, virial and stress in the units of the contract",
    .enabled(if: Reference.isAvailable, "needs ../shared/reference"))
  func evaluateReference() throws {
    let models = Dictionary(grouping: NEPFixture.potentials, by: \.model)
    #expect(models.count > 5)
    for (model, fixtures) in models {
      let box = try Sandbox()
      defer { box.remove() }
      var text = ""
      for fixture in fixtures {
        let lattice = fixture.cell.joined().map { "\($0)" }.joined(separator: " ")
        text += "\(fixture.symbols.count)\nLattice=\"\(lattice)\" Properties=species:S:1:pos:R:3 "
        text += "name=\(fixture.name) energy=1 stress=\"1 2 3\"\n"
        for (symbol, p) in zip(fixture.symbols, fixture.positions) {
          text += "\(symbol) \(p[0]) \(p[1]) \(p[2])\n"
        }
      }
      try box.write(text, "in.xyz")
      let result = try box.apus(
        "evaluate", "--model", Reference.nepModel(model), "in.xyz", "--precision", "double",
        "--output", "out.xyz")
      #expect(result.status == 0, "\(result)")
      #expect(result.out.isEmpty && result.err.contains("\(fixtures.count) frame"), "\(result)")
      let frames = try Self.frames(box, "out.xyz")
      #expect(frames.count == fixtures.count)
      for (frame, fixture) in zip(frames, fixtures) {
        #expect(frame.info.first { $0.key == "name" }?.value == fixture.name)
        let energy = try #require(fixture.energy)
        #expect(Self.distance(Self.numbers(frame, "energy"), [energy]) <= 1e-10 * abs(energy))
        #expect(Self.distance(Self.column(frame, "energies"), fixture.energies) < 1e-9)
        #expect(
          Self.distance(Self.column(frame, "forces"), fixture.forces.map { $0.flatMap { $0 } })
            < 1e-9, "\(fixture.name)")
        for (key, expected) in [("virial", fixture.virial_total), ("stress", fixture.stress_ase)] {
          let nine = expected.map { $0.flatMap { $0 } }
          let scale = (nine ?? []).map(abs).max() ?? 0
          #expect(
            Self.distance(Self.numbers(frame, key), nine) <= 1e-9 * scale + 1e-12,
            "\(fixture.name), \(key)")
        }
      }
    }
  }

  @Test("evaluate gives a pair its analytic numbers and carries over everything else")
  func evaluatePair() throws {
    let box = try Sandbox()
    defer { box.remove() }
    // At the minimum 2^(1/6) σ and at 3.4 Å = σ, below the onset of the switch.
    let minimum = 3.4 * pow(2, 1.0 / 6)
    try box.write(
      """
      2
      Lattice="30 0 0 0 30 0 0 0 30" Properties=species:S:1:pos:R:3:forces:R:3:tag:I:1 config="a b" energy=99 virial="1 2 3 4 5 6 7 8 9"
      Ar 1 2 3 7 7 7 4
      Ar \(1 + minimum) 2 3 7 7 7 5
      2
      Properties=species:S:1:pos:R:3
      Ar 0 0 0
      Ar 0 0 3.4

      """, "pairs.xyz")
    for precision in ["double", "mixed"] {
      let result = try box.apus(
        "evaluate", "--model", "argon.txt", "pairs.xyz", "--output", "out.xyz", "--quiet",
        "--precision", precision, "--threads", "2")
      #expect(result.status == 0 && result.out.isEmpty && result.err.isEmpty, "\(result)")
      let frames = try Self.frames(box, "out.xyz")
      try #require(frames.count == 2)
      let first = frames[0]
      #expect(Self.distance(Self.numbers(first, "energy"), [-0.0104]) < 1e-15)
      #expect(Self.distance(Self.column(first, "energies"), [-0.0052, -0.0052]) < 1e-15)
      #expect(Self.distance(Self.column(first, "forces"), .init(repeating: 0, count: 6)) < 1e-15)
      #expect(first.info.first { $0.key == "config" }?.value == "a b")
      #expect(
        first.arrays.first { $0.name == "tag" }?.values == .integers([4, 5]))
      #expect(first.info.map(\.key).sorted() == ["config", "energy", "stress", "virial"])
      // U = 0 and F = 24 ε/σ at r = σ; the virial pushes outward; no cell, no stress.
      let second = frames[1]
      let force = 24 * 0.0104 / 3.4
      #expect(Self.distance(Self.numbers(second, "energy"), [0]) < 1e-15)
      #expect(
        Self.distance(Self.column(second, "forces"), [0, 0, -force, 0, 0, force]) < 1e-14)
      #expect(
        Self.distance(
          Self.numbers(second, "virial"), [0, 0, 0, 0, 0, 0, 0, 0, force * 3.4]) < 1e-13)
      #expect(second.info.map(\.key).sorted() == ["energy", "virial"])
    }
    // The stress is positive in tension: −virial/V, and NaN-free through a periodic crystal.
    #expect(
      try box.apus("evaluate", "--model", "argon.txt", "argon.xyz", "--output", "c.xyz").status
        == 0)
    let crystal = try #require(Self.frames(box, "c.xyz").first)
    let virial = try #require(Self.numbers(crystal, "virial"))
    #expect(
      Self.distance(Self.numbers(crystal, "stress"), virial.map { -$0 / (10.6 * 10.6 * 10.6) })
        < 1e-18)
    #expect(virial[0] != 0)
  }

  // MARK: convert

  @Test("Structures come back from every format in which they can be written")
  func roundTrips() throws {
    let box = try Sandbox()
    defer { box.remove() }
    // Triclinic in standard orientation; elements already grouped, by atomic number.
    try box.write(
      """
      3
      Lattice="7 0 0 1.5 6 0 -0.5 0.75 8" Properties=species:S:1:pos:R:3:vel:R:3:masses:R:1 pbc="T T T" time_ps=2.5
      H 0.125 0.25 0.5 0.001 0 0 2.014
      C 3 2 1 0 0.0005 0 12.011
      O 9.5 -1.25 4.75 0 0 -0.00025 15.999

      """, "start.xyz")
    let start = try #require(Self.frames(box, "start.xyz").first?.structure)
    // Format, whether it holds masses, and its precision.
    let formats: [(String, Bool, Double)] = [
      ("a.xyz", true, 0), ("a.extxyz", true, 0), ("POSCAR", false, 1e-14), ("a.vasp", false, 1e-14),
      ("a.lmp", true, 1e-14), ("a.data", true, 1e-14), ("a.nc", true, 1e-6),
    ]
    for (name, holdsMasses, precision) in formats {
      let out = try box.apus("convert", "start.xyz", name)
      #expect(out.status == 0 && out.out.isEmpty && out.err.isEmpty, "\(name): \(out)")
      let back = try box.apus("convert", name, "back.xyz")
      #expect(back.status == 0 && back.err.isEmpty, "\(name): \(back)")
      let s = try #require(Self.frames(box, "back.xyz").first?.structure)
      #expect(s.elements == start.elements && s.periodicity == .all, "\(name)")
      #expect(
        Self.distance(Self.flat(s.positions), Self.flat(start.positions)) <= 10 * precision,
        "\(name)")
      for (a, b) in [
        (s.cell?.a, start.cell?.a), (s.cell?.b, start.cell?.b), (s.cell?.c, start.cell?.c),
      ] {
        // Angles in degrees go through a cosine.
        #expect(
          Self.distance(a.map { [$0.x, $0.y, $0.z] }, b.map { [$0.x, $0.y, $0.z] })
            <= (name == "a.nc" ? 1e-13 : precision), "\(name)")
      }
      #expect(
        Self.distance(s.velocities.map(Self.flat), start.velocities.map(Self.flat))
          <= max(1e-16, precision * 0.01), "\(name)")
      #expect(s.masses == (holdsMasses ? start.masses : nil), "\(name)")
    }
    // A trajectory of three frames keeps their number, time and order.
    var text = ""
    for k in 0..<3 {
      text +=
        "2\nLattice=\"9 0 0 0 9 0 0 0 \(9 + k)\" Properties=species:S:1:pos:R:3 time_ps=\(k * 5)\n"
      text += "Ar 0 0 \(k)\nAr 4 4 4\n"
    }
    try box.write(text, "frames.xyz")
    #expect(try box.apus("convert", "frames.xyz", "frames.nc").status == 0)
    #expect(try box.apus("convert", "frames.nc", "frames2.xyz").status == 0)
    let frames = try Self.frames(box, "frames2.xyz")
    #expect(frames.map { $0.structure.cell?.c.z } == [9, 10, 11])
    #expect(frames.map { $0.structure.positions[0].z } == [0, 1, 2])
    #expect(frames.map { Self.numbers($0, "time_ps") ?? [] } == [[0], [5], [10]])
    // Formats of one structure take the last.
    #expect(try box.apus("convert", "frames.nc", "last.vasp").status == 0)
    #expect(try Self.frames(box, "last.vasp").first?.structure.cell?.c.z == 11)
    #expect(box.names.allSatisfy { !$0.contains("convert") && !$0.hasSuffix(".tmp") })
  }

  @Test("CIF becomes the whole cell, its symmetry applied")
  func cif() throws {
    let box = try Sandbox()
    defer { box.remove() }
    // Rock salt from two sites, by the four translations of F and inversion.
    try box.write(
      """
      data_salt
      _cell_length_a 5.64
      _cell_length_b 5.64
      _cell_length_c 5.64
      _cell_angle_alpha 90
      _cell_angle_beta 90
      _cell_angle_gamma 90
      loop_
      _space_group_symop_operation_xyz
      x,y,z
      -x,-y,-z
      x,y+1/2,z+1/2
      x+1/2,y,z+1/2
      x+1/2,y+1/2,z
      loop_
      _atom_site_label
      _atom_site_type_symbol
      _atom_site_fract_x
      _atom_site_fract_y
      _atom_site_fract_z
      Na1 Na 0 0 0
      Cl1 Cl 0.5 0.5 0.5

      """, "salt.cif")
    for name in ["salt.xyz", "salt.vasp", "salt.lmp", "salt.nc"] {
      let result = try box.apus("convert", "salt.cif", name)
      #expect(result.status == 0, "\(result)")
      let s = try #require(Self.frames(box, name).first?.structure)
      #expect(
        s.elements.map(\.symbol).sorted() == .init(repeating: "Cl", count: 4)
          + .init(repeating: "Na", count: 4))
      let places = Set(
        zip(s.elements, s.positions).map { e, p in
          let q = (0..<3).map { Int((p[$0] / 2.82).rounded()) & 1 }
          #expect((0..<3).allSatisfy { abs(p[$0] / 2.82 - (p[$0] / 2.82).rounded()) < 1e-6 })
          return "\(e) \(q)"
        })
      #expect(
        places == [
          "Na [0, 0, 0]", "Na [0, 1, 1]", "Na [1, 0, 1]", "Na [1, 1, 0]", "Cl [1, 1, 1]",
          "Cl [1, 0, 0]", "Cl [0, 1, 0]", "Cl [0, 0, 1]",
        ], "\(name)")
    }
    let back = try box.apus("convert", "salt.xyz", "out.cif")
    #expect(back.status == 2 && back.err.contains("unknown format"), "\(back)")
  }

  /// A file of Tests/TrajectoryTests/Fixtures.
  static func fixture(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("TrajectoryTests/Fixtures/" + name).path
  }

  @Test("Trajectories of other programs are converted with what the user says about them")
  func trajectories() throws {
    let box = try Sandbox()
    defer { box.remove() }
    func convert(_ arguments: String...) throws -> Sandbox.Result {
      try box.apus(arguments: ["convert"] + arguments)
    }
    // A wrapped dump, followed through the faces of the cell.
    var result = try convert(Self.fixture("wrapped.dump"), "a.nc", "--unwrap")
    #expect(result.status == 0 && result.err.isEmpty, "\(result)")
    let stream = try TrajectoryFiles.open(Self.fixture("unwrapped.dump"))
    var frame = TrajectoryFrame(for: stream.facts)
    var truth: [[SIMD3<Double>]] = []
    while try stream.next(into: &frame) { truth.append(frame.positions.array) }
    let reader = try AmberTrajectoryReader(path: box.path + "/a.nc")
    #expect(reader.facts.wrapping == .unwrapped && reader.frameCount == 6)
    #expect(try reader.frame(5).values.timePs == 1.5 && reader.frame(5).values.potential == nil)
    for k in 0..<6 {
      #expect(
        Self.distance(
          Self.flat(try reader.structure(k).structure.positions),
          Self.flat(truth[k])) < 2e-6)
    }
    // Without that the file does not claim it.
    #expect(try convert(Self.fixture("wrapped.dump"), "b.nc").status == 0)
    #expect(try AmberTrajectoryReader(path: box.path + "/b.nc").facts.wrapping == .unknown)
    // Types, times and a choice of frames.
    result = try convert(
      Self.fixture("images.dump"), "c.xyz", "--elements", "C,I", "--timestep", "100 fs", "--first",
      "0.1 ps", "--last", "400 fs", "--every", "2")
    #expect(result.status == 0 && result.err.isEmpty, "\(result)")
    var frames = try Self.frames(box, "c.xyz")
    #expect(frames.map { Self.numbers($0, "time_ps")?.first ?? -1 } == [0.1, 0.1 + 0.2])
    #expect(frames.map { Self.numbers($0, "step")?.first ?? -1 } == [1050, 1150])
    #expect(
      Self.distance(
        Self.flat(frames[1].structure.positions), Self.flat(truth[3])) < 1e-8)
    // Our dump comes back, also of a cell that stands otherwise and of a slab.
    try box.write(
      "2\nLattice=\"0 5 0 -6 1 0 1 1 7\" Properties=species:S:1:pos:R:3:vel:R:3:forces:R:3 pbc=\"T T F\" step=7 apus_coordinates=unwrapped\nI 1 2 3 0.01 0 0 0 1 0\nC -4 5 9 0 0 0.02 2 0 0\n",
      "turned.xyz")
    #expect(try convert("turned.xyz", "d.lammpstrj").status == 0)
    #expect(try convert("d.lammpstrj", "e.xyz", "--timestep", "1 fs").status == 0)
    let (before, after) = (
      try #require(Self.frames(box, "turned.xyz").first),
      try #require(Self.frames(box, "e.xyz").first)
    )
    let s = after.structure
    #expect(
      s.elements == before.structure.elements && s.periodicity == before.structure.periodicity)
    let cell = try #require(s.cell)
    #expect(
      abs(cell.a.x - 5) < 1e-12 && abs(cell.b.y - 6) < 1e-12 && Self.numbers(after, "step") == [7])
    let given = try #require(before.structure.cell)
    let turn = try #require(AmberOrientation.rotation(of: given))
    for (a, b) in [
      (s.positions, before.structure.positions),
      (s.velocities ?? [], before.structure.velocities ?? []),
    ] {
      #expect(Self.distance(Self.flat(a), Self.flat(b.map { turn * $0 })) < 1e-12)
    }
    // DCD tells no elements.
    result = try convert(Self.fixture("mda.dcd"), "f.xyz")
    #expect(
      result.status == 2 && result.err.contains("does not tell the elements")
        && result.err.contains("(topology)"), "\(result)")
    result = try convert(Self.fixture("mda.dcd"), "f.xyz", "--topology", Self.fixture("ase.xyz"))
    #expect(result.status == 0, "\(result)")
    frames = try Self.frames(box, "f.xyz")
    #expect(
      frames.count == 4 && frames[0].structure.elements.map(\.symbol).joined() == "CCCCCCCCIIII")
    // A choice from labelled frames keeps their labels; one of everything is refused.
    try box.write(
      (0..<4).map {
        "1\nProperties=species:S:1:pos:R:3:tag:I:1 time_ps=\($0) label=x\($0)\nAr 0 0 0 \($0)\n"
      }.joined(), "labels.xyz")
    #expect(try convert("labels.xyz", "g.xyz", "--first", "1 ps", "--every", "2").status == 0)
    frames = try Self.frames(box, "g.xyz")
    #expect(frames.map { $0.info.first { $0.key == "label" }?.value ?? "" } == ["x1", "x3"])
    #expect(frames.map(\.arrays.first?.values) == [.integers([1]), .integers([3])])
    for (arguments, says) in [
      (["labels.xyz", "h.nc", "--first", "9 ps"], "no frame is left"),
      (["labels.xyz", "h.nc", "--first", "9"], "--first: 9 has no unit"),
      (["labels.xyz", "h.nc", "--every", "0"], "--every must be a positive whole number"),
      (["labels.xyz", "h.nc", "--elements", "Xy"], "'Xy' is no element symbol"),
      (["labels.xyz", "h.nc", "--elements", "C"], "atom 1 is Ar in the file, but C by elements"),
      (["labels.xyz", "h.nc", "--units", "lj"], "--units must be metal or real"),
      (["labels.xyz", "h.nc", "--topology", "argon.xyz"], "the topology has 32 atoms"),
    ] {
      result = try box.apus(arguments: ["convert"] + arguments)
      #expect(result.status == 2 && result.err.contains(says), "\(result)")
      #expect(!box.names.contains { $0.hasPrefix("h.nc") })
    }
    // info names kind, times, wrapping, types and damage.
    let data = try Data(contentsOf: URL(fileURLWithPath: Self.fixture("images.dump")))
    try data.dropLast(10).write(to: URL(fileURLWithPath: box.path + "/cut.dump"))
    for (file, lines) in [
      (
        Self.fixture("wrapped.dump"),
        [
          "kind LAMMPS dump", "coordinates wrapped", "frames 6", "last frame step 1250, 1.5 ps",
          "atoms 12 (C8 I4)", "periodic T T T", "velocities yes",
        ]
      ),
      (
        "cut.dump",
        [
          "damage the file ends inside frame 6", "frames 5", "last frame step 1200",
          "atoms 12 (types 1 to 2, elements unknown)", "coordinates unwrapped",
        ]
      ),
      (
        Self.fixture("lammps.dcd"),
        ["kind DCD", "written by LAMMPS", "frames 6", "atoms 12 (elements unknown)"]
      ),
    ] {
      let result = try box.apus("info", file)
      let found = result.out.split(separator: "\n").map {
        $0.split(separator: " ").joined(separator: " ")
      }
      for line in lines {
        #expect(found.contains { $0.hasPrefix(line) }, "\(file): no '\(line)' in \(result.out)")
      }
    }
  }

  @Test(
    "Bad arguments and inputs are refused with exit 2, one line, and nothing written or changed")
  func refusals() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write("1\nplain\nAr 0 0 0\n", "molecule.xyz")
    try box.write(
      "2\nLattice=\"9 0 0 0 9 0 0 0 9\"\nD 0 0 0\nO 1 1 1\n", "isotope.xyz")
    try box.write("2\nLattice=\"9 0 0 0 9 0 0 0 9\"\nBr 0 0 0\nAr 3 3 3\n", "bromine.xyz")
    try box.write("2\nLattice=\"9 0 0 0 9 0 0 0 9\"\nAr 0 0 0\nAr 9 9 9\n", "same.xyz")
    try box.write("2\nLattice=\"9 0 0 0 9 0 0 0 -9\"\nAr 0 0 0\nAr 3 3 3\n", "left.xyz")
    try box.write(
      "1\nx\nAr 0 0 0\n1\nx\nAr 0 0 zero\n", "broken.xyz")
    try box.write(
      "1\nx\nAr 0 0 0\n2\nx\nAr 0 0 0\nAr 0 0 3\n", "changing.xyz")
    symlink("argon.xyz", box.path + "/link.xyz")
    link(box.path + "/argon.xyz", box.path + "/hard.xyz")
    try FileManager.default.createDirectory(
      atPath: box.path + "/folder.xyz", withIntermediateDirectories: false)
    let evaluate = ["evaluate", "--model", "argon.txt"]
    let cases: [(arguments: [String], says: String)] = [
      (["evaluate", "argon.xyz", "--output", "o.xyz"], "--model is missing"),
      (evaluate + ["argon.xyz"], "--output is missing"),
      (evaluate + ["--output", "o.xyz"], "STRUCTURES is missing"),
      (
        evaluate + ["argon.xyz", "--output", "o.xyz", "--precision", "single"],
        "--precision is mixed or double"
      ),
      (
        evaluate + ["argon.xyz", "--output", "o.xyz", "--head", "pbe", "--head", "x"], "given twice"
      ),
      (evaluate + ["argon.xyz", "--output"], "--output needs a value"),
      (evaluate + ["argon.xyz", "--output", ""], "output is empty"),
      (evaluate + ["argon.xyz", "--output", "none/o.xyz"], "there is no directory none"),
      (evaluate + ["argon.xyz", "--output", "folder.xyz"], "is a directory"),
      (evaluate + ["argon.xyz", "--output", "argon.xyz"], "is also an input"),
      (evaluate + ["argon.xyz", "--output", "./link.xyz"], "is also an input"),
      (evaluate + ["argon.xyz", "--output", "hard.xyz"], "is also an input"),
      (evaluate + ["argon.xyz", "--output", "argon.txt"], "is also an input"),
      (evaluate + ["argon.xyz", "none.xyz", "--output", "o.xyz"], "no file of this name"),
      (evaluate + ["argon.xyz", "bromine.xyz", "--output", "o.xyz"], "element Br (atom 1)"),
      (evaluate + ["isotope.xyz", "--output", "o.xyz"], "isotope.xyz:3:1: "),
      (evaluate + ["same.xyz", "--output", "o.xyz"], "coincident"),
      (evaluate + ["broken.xyz", "--output", "o.xyz"], "broken.xyz:6:8: "),
      (["evaluate", "--model", "argon.xyz", "argon.xyz", "--output", "o.xyz"], "not a model file"),
      (["convert", "argon.xyz"], "OUT is missing"),
      (["convert", "argon.xyz", "o.xyz", "more"], "unexpected argument 'more'"),
      (["convert", "argon.xyz", "o.pdb"], "unknown format"),
      (["convert", "argon.xyz", "o"], "unknown format"),
      (["convert", "none.xyz", "o.xyz"], "no file of this name"),
      (["convert", "argon.xyz", "argon.xyz"], "is also an input"),
      (["convert", "argon.xyz", "link.xyz"], "is also an input"),
      (["convert", "hard.xyz", "argon.xyz"], "is also an input"),
      (["convert", "argon.xyz", "none/o.xyz"], "there is no directory none"),
      (["convert", "argon.xyz", "folder.xyz"], "is a directory"),
      (["convert", "isotope.xyz", "o.vasp"], "an isotope of hydrogen"),
      (["convert", "molecule.xyz", "o.vasp"], "has no cell, which POSCAR needs"),
      (["convert", "left.xyz", "o.nc"], "left-handed"),
      (["convert", "left.xyz", "o.lmp"], "left-handed"),
      (["convert", "broken.xyz", "o.xyz"], "broken.xyz:6:8: "),
      (["convert", "broken.xyz", "o.nc"], "broken.xyz:6:8: "),
      (["convert", "changing.xyz", "o.nc"], "frame 2 has 2 atoms, the first has 1"),
      (["convert", "argon.txt", "o.xyz"], "text of another kind"),
      (["info"], "FILE is missing"), (["info", "none"], "no file of this name"),
      (["info", "folder.xyz"], "a directory"), (["info", "broken.xyz"], "broken.xyz:6:8: "),
    ]
    let before = try box.names.filter { $0 != "folder.xyz" }.map { try box.data($0) }
    let names = box.names
    for (arguments, says) in cases {
      let result = try box.apus(arguments: arguments)
      #expect(result.status == 2, "\(arguments): \(result)")
      #expect(result.out.isEmpty || arguments[0] == "info", "\(arguments): \(result)")
      #expect(
        result.err.hasPrefix("apus: ") && result.err.contains(says), "\(arguments): \(result)")
      #expect(result.err.split(separator: "\n").count == 1, "\(arguments): \(result)")
      #expect(box.names == names, "\(arguments): \(box.names)")
    }
    #expect(try box.names.filter { $0 != "folder.xyz" }.map { try box.data($0) } == before)
    // A disk without room is no bad usage.
    let full = try box.apus(
      arguments: ["convert", "argon.xyz", "o.nc"],
      shell: "ulimit -f 1; trap '' XFSZ; exec \"$0\" \"$@\"")
    #expect(full.status == 1 && full.err.contains("o.nc"), "\(full)")
    #expect(box.names == names, "\(box.names)")
  }

  @Test("Masses of isotopes are the deck's, and those of a file that differ are warned of")
  func isotopes() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(Sandbox.deck(steps: 10), "plain.yaml")
    try box.write("masses: {Ar: 36}\n" + Sandbox.deck(steps: 10), "isotope.yaml")
    var lines = Sandbox.argon().split(separator: "\n").map(String.init)
    lines[1] = lines[1].replacingOccurrences(of: "pos:R:3", with: "pos:R:3:masses:R:1")
    try box.write(
      lines.enumerated().map { $0 < 2 ? $1 : $1 + " 36" }.joined(separator: "\n") + "\n",
      "argon.xyz")
    for (deck, mass, warns) in [("plain.yaml", 39.948, true), ("isotope.yaml", 36.0, false)] {
      let result = try box.apus("run", deck, "--output", deck + ".run", "--quiet")
      #expect(result.status == 0, "\(result)")
      #expect(result.err.contains("masses: {Ar: 36.0}") == warns, "\(result)")
      let trajectory = try AmberTrajectoryReader(
        path: box.path + "/\(deck).run/only/trajectory.nc")
      #expect(trajectory.facts.masses?.allSatisfy { abs($0 - mass) < 0.001 } == true)
      #expect(
        try box.text("\(deck).run/methods.txt").contains("Ar 36 amu") == !warns)
    }
  }

  // MARK: info

  @Test("info says what each kind of file holds")
  func info() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(Sandbox.deck(steps: 30), "deck.yaml")
    #expect(try box.apus("run", "deck.yaml", "--quiet").status == 0)
    try box.write(SyntheticNEP.all[2].text, "nep.txt")
    try box.write("stillinger-weber Si\n", "si.txt")
    for name in ["a.vasp", "a.lmp"] {
      #expect(try box.apus("convert", "argon.xyz", name).status == 0)
    }
    try box.write(
      "data_x\n_cell_length_a 3\n_cell_length_b 4\n_cell_length_c 5\n_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\nloop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nAr 0 0 0\n",
      "a.cif")
    try box.write("1\nx\nAr 0 0 0\n1\nx\nAr 0 0 1\n", "two.xyz")
    try box.data("run/only/trajectory.nc").dropLast(100).write(
      to: URL(fileURLWithPath: box.path + "/short.nc"))
    try box.data("run/checkpoint.nc").dropLast(100).write(
      to: URL(fileURLWithPath: box.path + "/checkpoint.short.nc"))
    let cases: [(name: String, lines: [String])] = [
      (
        "argon.xyz",
        [
          "kind extended XYZ", "frames 1", "atoms 32 (Ar32)", "a, b, c 10.6, 10.6, 10.6 Å",
          "α, β, γ 90.0, 90.0, 90.0°", "density 1.782 g/cm³", "periodic T T T", "velocities no",
        ]
      ),
      ("two.xyz", ["kind extended XYZ", "frames 2", "atoms 1 (Ar1)", "periodic no"]),
      ("a.vasp", ["kind POSCAR", "frames 1", "atoms 32 (Ar32)"]),
      ("a.lmp", ["kind LAMMPS data", "frames 1", "atoms 32 (Ar32)"]),
      ("a.cif", ["kind CIF", "a, b, c 3.0, 4.0, 5.0 Å", "volume 60.0 Å³"]),
      (
        "run/only/trajectory.nc",
        [
          "kind AMBER NetCDF trajectory", "written by Apus", "velocities yes", "forces no",
          "coordinates unwrapped", "frames 3", "last frame step 30, 0.06 ps", "atoms 32 (Ar32)",
        ]
      ),
      ("short.nc", ["damage file ends", "frames 2", "last frame step 20, 0.04 ps"]),
      (
        "run/checkpoint.nc",
        [
          "kind checkpoint", "written by apus 0.1.0", "atoms 32", "step 30",
          "stage number 1, step 30", "stage is done yes", "frames of the stage 3",
        ]
      ),
      (
        "argon.txt",
        [
          "kind model", "elements Ar", "cutoff 8.0 Å",
          "potential Lennard-Jones potential for Ar (argon.txt)",
        ]
      ),
      ("si.txt", ["kind model", "elements Si"]),
      ("nep.txt", ["kind model", "elements H C", "cutoff 5.0 Å"]),
    ]
    for (name, lines) in cases {
      let result = try box.apus("info", name)
      #expect(result.status == 0 && result.err.isEmpty, "\(name): \(result)")
      let found = result.out.split(separator: "\n").map {
        $0.split(separator: " ").joined(separator: " ")
      }
      #expect(found.first == "file \(name)")
      for line in lines {
        #expect(found.contains { $0.hasPrefix(line) }, "\(name): no '\(line)' in \(result.out)")
      }
    }
    let short = try box.apus("info", "checkpoint.short.nc")
    #expect(short.status == 2 && short.err.contains("incomplete"), "\(short)")
  }
}
