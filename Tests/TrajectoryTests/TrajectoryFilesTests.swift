import CZlib
import Foundation
import Matter
import Testing
import Trajectory

@Suite(.serialized) struct TrajectoryFilesTests {
  // MARK: files of other programs

  @Test("Fixtures are there: six frames of twelve atoms, some of which left the cell")
  func fixtures() {
    #expect(Fixtures.truth.count == 6)
    #expect(Fixtures.truth.allSatisfy { $0.positions.count == 12 && $0.velocities.count == 12 })
    let outside = Fixtures.truth.last.map { frame in
      frame.positions.filter { p in
        let s = frame.cell.fractionalMatrix * p
        return s.x < -0.35 || s.x > 1.05 || s.y > 1.15 || s.z > 0.8
      }.count
    }
    #expect((outside ?? 0) > 1)
  }

  @Test(
    "LAMMPS dumps with images, unwrapped and scaled columns give LAMMPS' own unwrapped positions",
    arguments: [
      ("images.dump", 1e-8), ("unwrapped.dump", 1e-8), ("scaled.dump", 1e-7),
      ("scaledu.dump", 1e-7),
    ])
  func unwrappedDumps(name: String, tolerance: Double) throws {
    let stream = try TrajectoryFiles.open(Fixtures.path(name))
    #expect(stream.facts.wrapping == .unwrapped && stream.facts.kind == .lammpsDump)
    let frames = try KeptFrame.all(stream)
    #expect(frames.count == 6)
    for (frame, truth) in zip(frames, Fixtures.truth) {
      #expect(largest(frame.positions, truth.positions) < tolerance)
      #expect(largest(frame.values.cell, truth.cell) < 1e-12)
    }
    #expect(frames.map(\.values.step) == [1000, 1050, 1100, 1150, 1200, 1250])
    #expect(frames.allSatisfy { $0.values.timePs == nil && $0.values.periodicity == .all })
  }

  @Test("A dump of wrapped positions, unwrapped here, gives LAMMPS' own; atoms stand in any order")
  func wrappedDump() throws {
    let path = Fixtures.path("wrapped.dump")
    var options = TrajectoryOptions()
    options.unwrapping = .lattice
    #expect(try TrajectoryFiles.open(path).facts.wrapping == .wrapped)
    let stream = try TrajectoryFiles.open(path, options: options)
    let facts = stream.facts
    #expect(facts.elements == Fixtures.elements && facts.wrapping == .unwrapped)
    #expect(facts.types == [1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2] && facts.notes.isEmpty)
    let frames = try KeptFrame.all(stream)
    #expect(frames.count == 6)
    for (frame, truth) in zip(frames, Fixtures.truth) {
      #expect(largest(frame.positions, truth.positions) < 1e-8)
      #expect(
        largest(
          frame.velocities.map { $0 * Units.angstromPerPicosecond }, truth.velocities) < 1e-7)
    }
    // Times come from ITEM: TIME.
    #expect(frames.map(\.values.timePs) == [1, 1.1, 1.2, 1.3, 1.4, 1.5])
    #expect(abs((stream.spacingPs ?? 0) - 0.1) < 1e-12)
  }

  @Test("Masses of a dump tell its elements; types need them from the user")
  func dumpElements() throws {
    let scaled = try TrajectoryFiles.open(Fixtures.path("scaled.dump")).facts
    #expect(scaled.elements == Fixtures.elements && scaled.masses?[11] == 126.904)
    #expect(try TrajectoryFiles.open(Fixtures.path("images.dump")).facts.elements == nil)
    var options = TrajectoryOptions()
    options.elements = ["C", "I"].compactMap { Element(symbol: $0) }
    #expect(
      try TrajectoryFiles.open(Fixtures.path("images.dump"), options: options).facts.elements
        == Fixtures.elements)
    options.elements?.removeLast()
    let error = #expect(throws: InputError.self) {
      try TrajectoryFiles.open(Fixtures.path("images.dump"), options: options)
    }
    #expect(error?.message == "elements names 1 type, the file has type 2")
    options.elements = ["I", "C"].compactMap { Element(symbol: $0) }
    #expect(throws: InputError.self) {
      try TrajectoryFiles.open(Fixtures.path("wrapped.dump"), options: options)
    }
  }

  @Test("A compressed dump of style atom, six digits of scaled positions, is wrapped")
  func atomStyle() throws {
    let frames = try KeptFrame.all(Fixtures.path("atom.dump.gz")) { $0.unwrapping = .lattice }
    #expect(frames.count == 6)
    for (frame, truth) in zip(frames, Fixtures.truth) {
      // Six digits of a fraction of at most 10 Å: five decimals for atoms just outside.
      #expect(largest(frame.positions, truth.positions) < 5e-5)
    }
  }

  @Test("General triclinic boxes, units real and their times and velocities")
  func generalBox() throws {
    let frames = try KeptFrame.all(Fixtures.path("general.dump"))
    let cell = try Cell(a: [1, 2, 3], b: [-2, 4, 1], c: [0.5, -1, 5])
    #expect(frames.map(\.values.timePs) == [0, 0.05, 0.1])
    for frame in frames { #expect(largest(frame.values.cell, cell) < 1e-12) }
    #expect(frames[0].positions == [[0.5, 1.5, 2.5], [0.2, 2.5, 3.5]])
    // 0.01 Å/fs.
    #expect(abs(frames[1].velocities[0].x * Units.angstromPerFemtosecond - 0.01) < 1e-12)
    var options = TrajectoryOptions()
    options.units = .metal
    let error = #expect(throws: InputError.self) {
      try TrajectoryFiles.open(Fixtures.path("general.dump"), options: options)
    }
    #expect(error?.message == "the units are real here, but given as metal")
  }

  @Test(
    "DCD of LAMMPS, MDAnalysis and mdtraj, in either byte order, with the cell as cosines",
    arguments: [
      ("lammps.dcd", 6, "LAMMPS"), ("lammpsu.dcd", 6, "LAMMPS"), ("big-endian.dcd", 6, "LAMMPS"),
      ("mda.dcd", 4, ""), ("mdtraj.dcd", 4, ""),
    ])
  func dcd(name: String, count: Int, program: String) throws {
    let stream = try TrajectoryFiles.open(Fixtures.path(name))
    #expect(stream.facts.program == program && stream.facts.wrapping == .unknown)
    #expect(stream.facts.frameCount == count && stream.facts.elements == nil)
    let frames = try KeptFrame.all(Fixtures.path(name)) { $0.unwrapping = .lattice }
    #expect(frames.count == count && stream.damage == nil)
    for (frame, truth) in zip(frames, Fixtures.truth) {
      #expect(largest(frame.positions, truth.positions) < 2e-6)
      // Cosines in double precision by LAMMPS, from single-precision boxes elsewhere.
      #expect(largest(frame.values.cell, truth.cell) < (program == "LAMMPS" ? 1e-12 : 3e-6))
    }
    // MDAnalysis writes the AKMA step, mdtraj none that means anything, LAMMPS its own unit.
    if name == "mda.dcd" {
      for (k, frame) in frames.enumerated() {
        #expect(abs((frame.values.timePs ?? 9) - 0.1 * Double(k)) < 1e-7)
      }
    } else {
      #expect(frames.allSatisfy { $0.values.timePs == nil })
    }
    if program == "LAMMPS" {
      #expect(frames.map(\.values.step) == [1000, 1050, 1100, 1150, 1200, 1250])
    }
  }

  @Test("Cells of DCD in degrees and as CHARMM's symmetric matrix; fixed atoms, velocities refused")
  func dcdVariants() throws {
    let folder = try TemporaryDirectory()
    var bytes = [UInt8](
      try Data(contentsOf: URL(fileURLWithPath: Fixtures.path("mda.dcd"))))
    let titleBytes = Int(bytes[92]) + 256 * Int(bytes[93])
    let cellOffset = 92 + 8 + titleBytes + 12 + 4
    func put(_ values: [Double]) {
      for (k, value) in values.enumerated() {
        withUnsafeBytes(of: value.bitPattern.littleEndian) {
          bytes.replaceSubrange(cellOffset + 8 * k..<cellOffset + 8 * k + 8, with: $0)
        }
      }
    }
    func firstCell() throws -> Cell? {
      try KeptFrame.all(folder.write("a.dcd", bytes)) { $0.requiresEvenSpacing = false }.first?
        .values.cell
    }
    put([7, 101, 8, 95, 80, 9])
    #expect(
      try largest(firstCell(), Cell(lengths: [7, 8, 9], angles: [80, 95, 101])) < 1e-12)
    put([7, 0, 8, 0, 0, 9])
    #expect(try largest(firstCell(), Cell(orthogonal: [7, 8, 9])) == 0)
    // 11 21 22 31 32 33 with an element beyond 1.
    put([7, 1.5, 8, -0.5, 0.25, 9])
    #expect(
      try largest(firstCell(), Cell(a: [7, 1.5, -0.5], b: [1.5, 8, 0.25], c: [-0.5, 0.25, 9])) == 0)
    put([0, 0, 0, 0, 0, 0])
    #expect(try firstCell() == nil)
    put([7, 0, -8, 0, 0, 9])
    #expect(throws: InputError.self) { try firstCell() }
    put([7, 0, 8, 0, 0, 9])
    var changed = bytes
    changed[8 + 32] = 3
    var error = #expect(throws: InputError.self) {
      try TrajectoryFiles.open(folder.write("b.dcd", changed))
    }
    #expect(error?.message.contains("leaves out 3 fixed atoms") == true)
    changed = bytes
    changed.replaceSubrange(4..<8, with: Array("VELD".utf8))
    error = #expect(throws: InputError.self) {
      try TrajectoryFiles.open(folder.write("c.dcd", changed))
    }
    #expect(error?.message == "the DCD file holds velocities, not positions")
    // A mark inside the second frame that is not what the header says.
    changed = bytes
    let second = cellOffset - 4 + 56 + 3 * (8 + 48)
    changed[second] = 47
    #expect(throws: InputError.self) { try KeptFrame.all(folder.write("d.dcd", changed)) }
    // A coordinate that is no number.
    changed = bytes
    for k in 0..<4 { changed[cellOffset + 52 + 4 + 4 * 5 + k] = 0xff }
    error = #expect(throws: InputError.self) { try KeptFrame.all(folder.write("e.dcd", changed)) }
    #expect(error?.message == "x of atom 6 in frame 1 is no finite number")
  }

  @Test("Extended XYZ of ASE: momenta, forces, time and energy")
  func aseXYZ() throws {
    let stream = try TrajectoryFiles.open(Fixtures.path("ase.xyz"))
    #expect(stream.facts.elements == Fixtures.elements && stream.facts.hasForces)
    let frames = try KeptFrame.all(stream)
    #expect(frames.count == 3)
    for (k, (frame, truth)) in zip(frames, Fixtures.truth).enumerated() {
      // ASE writes eight decimals; momenta over masses, in its own masses.
      #expect(largest(frame.positions, truth.positions) < 6e-9)
      let v = frame.velocities.map { $0 * Units.angstromPerPicosecond }
      #expect(largest(v, truth.velocities) < 2e-5)
      #expect(abs((frame.values.timePs ?? 9) - 0.1 * Double(k)) < 1e-12)
      #expect(frame.values.step == 50 * k)
      #expect(abs((frame.values.potential ?? 9) + 0.1 * Double(k)) < 1e-12)
    }
  }

  @Test("AMBER NetCDF of ASE and MDAnalysis")
  func netCDF() throws {
    // ASE stores the cell by lengths and angles, as all do, but does not turn the atoms with it.
    let ase = try TrajectoryFiles.open(Fixtures.path("ase.nc"))
    #expect(ase.facts.elements == Fixtures.elements && ase.facts.wrapping == .unknown)
    let frames = try KeptFrame.all(Fixtures.path("ase.nc")) { $0.requiresEvenSpacing = false }
    #expect(frames.count == 3)
    for (frame, truth) in zip(frames, Fixtures.truth) {
      #expect(largest(frame.positions, truth.positions) < 1e-6)
      #expect(largest(frame.values.cell, truth.cell) < 1e-6)
      let v = frame.velocities.map { $0 * Units.angstromPerPicosecond }
      #expect(largest(v, truth.velocities) < 2e-5)
    }
    let mda = try KeptFrame.all(Fixtures.path("mda.nc")) { $0.unwrapping = .lattice }
    #expect(mda.count == 4)
    for (k, (frame, truth)) in zip(mda, Fixtures.truth).enumerated() {
      #expect(largest(frame.positions, truth.positions) < 1e-6)
      #expect(largest(frame.values.cell, truth.cell) < 3e-6)
      #expect(abs((frame.values.timePs ?? 9) - 0.1 * Double(k)) < 1e-7)
    }
  }

  @Test("H5MD: nanometres, images, a fixed step, types; a cut file is refused")
  func h5md() throws {
    let path = Fixtures.path("images.h5md")
    #expect(try StructureReader.kind(of: path) == .h5md)
    let stream = try TrajectoryFiles.open(path)
    #expect(stream.facts.wrapping == .unwrapped && stream.facts.elements == nil)
    var options = TrajectoryOptions()
    options.elements = ["C", "I"].compactMap { Element(symbol: $0) }
    #expect(
      try TrajectoryFiles.open(path, options: options).facts.elements
        == Fixtures.elements)
    let frames = try KeptFrame.all(stream)
    #expect(frames.count == 4)
    for (k, (frame, truth)) in zip(frames, Fixtures.truth).enumerated() {
      #expect(largest(frame.positions, truth.positions) < 1e-9)
      #expect(largest(frame.values.cell, truth.cell) < 1e-12)
      let v = frame.velocities.map { $0 * Units.angstromPerPicosecond }
      #expect(largest(v, truth.velocities) < 1e-9)
      #expect(abs((frame.values.timePs ?? 9) - 0.1 * Double(k)) < 1e-12)
      #expect(frame.values.step == 50 * k)
    }
    let folder = try TemporaryDirectory()
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    try bytes.prefix(bytes.count - 1000).write(to: URL(fileURLWithPath: folder["cut.h5md"]))
    #expect(throws: InputError.self) { try TrajectoryFiles.open(folder["cut.h5md"]) }
  }

  @Test("GPUMD's manner: case of keys, vel in Å/fs, Time in fs, unwrapped_position")
  func gpumdXYZ() throws {
    let folder = try TemporaryDirectory()
    var text = ""
    for k in 0..<3 {
      text +=
        "2\nTime=\(10 * k).0 pbc=\"T T T\" Lattice=\"5 0 0 0 6 0 0 0 7\" energy=-1 virial=\"0 0 0 0 0 0 0 0 0\" Properties=species:S:1:pos:R:3:mass:R:1:vel:R:3:forces:R:3:unwrapped_position:R:3\n"
      text += "C 1 2 3 12 0.01 0 0 1 2 3 6 2 \(3 + k)\nH 4 5 6 2.014 0 0 -0.02 0 0 1 4 5 6\n"
    }
    let stream = try TrajectoryFiles.open(folder.write("dump.xyz", text))
    #expect(stream.facts.wrapping == .unwrapped && stream.facts.masses == [12, 2.014])
    let frames = try KeptFrame.all(stream)
    #expect(frames.map(\.values.timePs) == [0, 0.01, 0.02])
    #expect(frames[2].positions == [[6, 2, 5], [4, 5, 6]])
    #expect(frames[0].forces == [[1, 2, 3], [0, 0, 1]])
    #expect(abs(frames[0].velocities[1].z + 0.02 * Units.timeUnit) < 1e-15)
  }

  // MARK: truncation and damage

  /// Reads what is left of a file: its whole frames, or nil where it is refused.
  static func rest(_ path: String) -> ([KeptFrame], String?)? {
    var options = TrajectoryOptions()
    options.requiresEvenSpacing = false
    guard let stream = try? TrajectoryFiles.open(path, options: options),
      let frames = try? KeptFrame.all(stream)
    else { return nil }
    return (frames, stream.damage)
  }

  @Test(
    "A file cut at any byte gives whole frames only, and says so unless the cut is between frames",
    arguments: ["wrapped.dump", "scaledu.dump", "ase.xyz", "lammps.dcd", "big-endian.dcd"])
  func truncation(name: String) throws {
    let folder = try TemporaryDirectory()
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: Fixtures.path(name))))
    let (whole, damage) = try #require(Self.rest(Fixtures.path(name)))
    #expect(damage == nil)
    // Where frames end: the beginnings of the next.
    var ends: [Int] = []
    if name.hasSuffix("dcd") {
      let title = Int(name == "lammps.dcd" ? bytes[92] : bytes[95])
      let begin = 92 + 8 + title + 12
      ends = (1...whole.count).map { begin + $0 * (56 + 3 * 56) }
    } else {
      let text = String(decoding: bytes, as: UTF8.self)
      let mark =
        name == "ase.xyz"
        ? "12\nLattice" : name == "wrapped.dump" ? "ITEM: TIME\n" : "ITEM: TIMESTEP"
      ends = text.ranges(of: mark).dropFirst().map {
        text.utf8.distance(from: text.startIndex, to: $0.lowerBound)
      }
      ends.append(bytes.count)
    }
    #expect(ends.count == whole.count)
    // From the end the same file is cut shorter and shorter; the middle frames are left out.
    let path = folder["cut." + name]
    try folder.write("cut." + name, bytes)
    for size in (0..<bytes.count).reversed() {
      if size > ends[0] + 200, size < ends[ends.count - 2] - 20 { continue }
      try FileLayer.truncate(path, to: size)
      let count = ends.filter { $0 <= size }.count
      guard count > 0 else {
        #expect(Self.rest(path) == nil, "\(name) cut to \(size) bytes")
        continue
      }
      guard let (frames, damage) = Self.rest(path) else {
        Issue.record("\(name) cut to \(size) bytes is refused")
        continue
      }
      #expect(frames == Array(whole[..<count]), "\(name) cut to \(size) bytes")
      let between = ends.contains(size) && !name.hasSuffix("dcd")
      #expect((damage == nil) == between, "\(name) cut to \(size) bytes: \(damage ?? "no damage")")
    }
  }

  @Test(
    "A compressed file cut at any byte gives whole frames only, and says so",
    arguments: [("atom.dump.gz", 6, 100), ("ase.xyz", 3, 500)])
  func compressedTruncation(name: String, frameCount: Int, fewest: Int) throws {
    let folder = try TemporaryDirectory()
    var source = Fixtures.path(name)
    let suffix = name.hasSuffix(".gz") ? name : name + ".gz"
    if !name.hasSuffix(".gz") {
      let text = [UInt8](try Data(contentsOf: URL(fileURLWithPath: source)))
      source = folder["whole." + suffix]
      let handle = try #require(gzopen(source, "wb"))
      #expect(Int(gzwrite(handle, text, UInt32(text.count))) == text.count)
      gzclose(handle)
    }
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: source)))
    let (whole, damage) = try #require(Self.rest(source))
    #expect(damage == nil && whole.count == frameCount)
    var usable = 0
    for size in 0..<bytes.count {
      let path = try folder.write("cut." + suffix, Array(bytes[..<size]))
      guard let (frames, damage) = Self.rest(path) else { continue }
      usable += 1
      #expect(damage != nil && frames == Array(whole[..<frames.count]), "cut to \(size) bytes")
    }
    #expect(usable > fewest)
  }

  @Test("CRLF, blank lines at the end and a byte order mark change nothing")
  func leniencies() throws {
    let folder = try TemporaryDirectory()
    for name in ["wrapped.dump", "ase.xyz"] {
      let text = try String(contentsOfFile: Fixtures.path(name), encoding: .utf8)
      let whole = try #require(Self.rest(Fixtures.path(name)))
      let variants = [
        text.replacingOccurrences(of: "\n", with: "\r\n"), text + "\n \n",
        name == "ase.xyz" ? "\u{feff}" + text : text,
      ]
      for (k, variant) in variants.enumerated() {
        let rest = try #require(Self.rest(folder.write("\(k)\(name)", variant)))
        #expect(rest.0 == whole.0 && rest.1 == nil, "\(name) \(k)")
      }
    }
  }

  @Test(
    "Malformed text is refused with line, column and cause",
    arguments: [
      (
        "dump", " C 1.850751156", " C nan",
        ":14:7: expected a number (x), found 'nan', which is not finite"
      ),
      ("dump", " C 1.850751156", " C 1.8e", ":14:7: expected a number (x), found '1.8e'"),
      ("dump", " C 1.850751156", " C", ":14: expected 9 columns for an atom, found 8"),
      (
        "dump", "3 1 C 1.850751156", "3 1 Xx 1.850751156",
        ":14:5: expected an element symbol, found 'Xx', a dummy atom"
      ),
      (
        "dump", "12 2 I -0.08373265547", "3 2 I -0.08373265547",
        ": the numbers (id) of two atoms of the first frame are equal"
      ),
      ("dump", "ITEM: UNITS\nmetal", "ITEM: UNITS\nlj", ":2: LAMMPS units lj are not read"),
      (
        "dump", "NUMBER OF ATOMS\n12\n", "NUMBER OF ATOMS\n11\n",
        "expected a line 'ITEM: …' of frame 2"
      ),
      (
        "dump", "BOX BOUNDS xy xz yz pp pp pp\n-2.1", "BOX BOUNDS xy xz yz pp pp pp\n17.9",
        ":10: the box spans no volume"
      ),
      ("dump", "xy xz yz pp", "xy xz pp", "expected BOX BOUNDS of an orthogonal box"),
      (
        "dump", "id type element x y z vx vy vz\n3 1", "id type element a b c vx vy vz\n3 1",
        ":13: expected columns x y z, xs ys zs"
      ),
      ("xyz", "3.47423797", "3.4742379O", ":3:10: expected a number (pos), found '3.4742379O'"),
      ("xyz", "Lattice=\"7.2 0.0 0.0", "Lattice=\"7.2 0.0", ":2:1: expected Lattice="),
      ("xyz", "12\nLattice=\"7.2 0.0 0.0", "13\nLattice=\"7.2 0.0 0.0", ":15"),
    ])
  func malformed(kind: String, old: String, new: String, message: String) throws {
    let folder = try TemporaryDirectory()
    let name = kind == "dump" ? "wrapped.dump" : "ase.xyz"
    let text = try String(contentsOfFile: Fixtures.path(name), encoding: .utf8)
    let range = try #require(text.range(of: old))
    let path = try folder.write("a." + name, text.replacingCharacters(in: range, with: new))
    let error = #expect(throws: InputError.self) { try KeptFrame.all(path) }
    #expect(error?.description.contains(message) == true, "\(String(describing: error))")
  }

  @Test("Frames unlike the first are refused: atoms, columns, cell, elements, numbers of atoms")
  func changes() throws {
    let folder = try TemporaryDirectory()
    let frame =
      "2\nLattice=\"5 0 0 0 6 0 0 0 7\" Properties=species:S:1:pos:R:3:vel:R:3 time=0\nC 0 0 0 0 0 0\nH 1 1 1 0 0 0\n"
    let next = frame.replacingOccurrences(of: "time=0", with: "time=1")
    for (text, message) in [
      (
        next.replacingOccurrences(of: "2\nL", with: "3\nL") + "H 2 2 2 0 0 0\n",
        ":5: frame 2 has 3 atoms, the first has 2"
      ),
      (
        next.replacingOccurrences(of: "H 1", with: "C 1"),
        ":8: atom 2 of frame 2 is C, in the first frame it is H"
      ),
      (
        next.replacingOccurrences(of: ":vel", with: ":tag"),
        ":6: frame 2 has no velocities, unlike the first"
      ),
      (
        next.replacingOccurrences(of: "Lattice=\"5 0 0 0 6 0 0 0 7\" ", with: ""),
        ":6: frame 2 has no cell, unlike the first"
      ),
      (
        next.replacingOccurrences(of: "H 1 1 1 0 0 0\n", with: "2\n\nC 0 0 0\n"),
        ":8: expected 2 atoms in frame 2 (line 5), found 1"
      ),
      (
        next.replacingOccurrences(of: "H 1 1 1 0 0 0", with: "H 1 1 1 0 0 0 0"),
        ":8:15: expected 7 columns for an atom, found more"
      ),
      ("\n" + next, ":5: expected the number of atoms of frame 2, found a blank line"),
      ("x\n", ":5: expected the number of atoms of frame 2 or the end of the file, found 'x'"),
    ] {
      let path = try folder.write("a.xyz", frame + text)
      let error = #expect(throws: InputError.self) { try KeptFrame.all(path) }
      #expect(
        error?.description.contains("a.xyz" + message) == true, "\(String(describing: error))")
    }
    let dump = try String(contentsOfFile: Fixtures.path("wrapped.dump"), encoding: .utf8)
    let second = try #require(dump.ranges(of: "ITEM: TIME\n").dropFirst().first?.lowerBound)
    for (old, new, message) in [
      ("\n12\nITEM: BOX", "\n13\nITEM: BOX", "frame 2 has 13 atoms, the first has 12"),
      ("vx vy vz", "fx fy fz", "frame 2 has other columns than the first"),
      ("\n3 1 C", "\n33 1 C", "atom 33 is not in the first frame"),
      ("\n3 1 C", "\n5 1 C", "atom 5 stands twice in frame 2"),
      ("\n3 1 C", "\n3 1 I", "the element of atom 3 differs from that in the first frame"),
    ] {
      let tail = String(dump[second...])
      let range = try #require(tail.range(of: old))
      let path = try folder.write(
        "a.dump", dump[..<second] + tail.replacingCharacters(in: range, with: new))
      let error = #expect(throws: InputError.self) { try KeptFrame.all(path) }
      #expect(error?.message == message, "\(String(describing: error))")
    }
  }

  // MARK: choice, times, elements

  /// Ten frames of one atom at x = 0, 1, 2, … with given times.
  static func series(_ folder: TemporaryDirectory, _ times: [String]) throws -> String {
    var text = ""
    for (k, time) in times.enumerated() {
      text +=
        "1\nLattice=\"50 0 0 0 50 0 0 0 50\" Properties=species:S:1:pos:R:3 \(time)\nAr \(k) 0 0\n"
    }
    return try folder.write("series.xyz", text)
  }

  @Test("first, last and every count from the first frame; a survey says the same without reading")
  func selection() throws {
    let folder = try TemporaryDirectory()
    let path = try Self.series(folder, (0..<10).map { "time_ps=\(5 + 0.5 * Double($0))" })
    for (first, last, every, expected) in [
      (nil, nil, 1, Array(0..<10)), (nil, nil, 3, [0, 3, 6, 9]), (1, nil, 1, Array(2..<10)),
      (0.9, 3.1, 2, [2, 4, 6]), (nil, 2, 1, Array(0..<5)), (1.0000001, 1.9999999, 1, [2, 3, 4]),
      (9, nil, 1, []),
    ] as [(Double?, Double?, Int, [Int])] {
      var options = TrajectoryOptions()
      options.firstPs = first
      options.lastPs = last
      options.every = every
      let frames = try KeptFrame.all(TrajectoryFiles.open(path, options: options))
      #expect(frames.map { Int($0.positions[0].x) } == expected)
      #expect(frames.map(\.values.timePs) == expected.map { 5 + 0.5 * Double($0) })
      let survey = try TrajectoryFiles.survey(path, options: options)
      #expect(survey.frameCount == expected.count)
      #expect(survey.firstPs == frames.first?.values.timePs)
      #expect(survey.lastPs == frames.last?.values.timePs)
      if expected.count > 1 { #expect(survey.spacingPs == 0.5 * Double(every)) }
    }
    for change in [
      { $0.every = 0 }, { $0.firstPs = -1 }, { $0.timestepPs = 0 },
      {
        $0.firstPs = 3
        $0.lastPs = 2
      },
    ] as [(inout TrajectoryOptions) -> Void] {
      #expect(throws: InputError.self) { try KeptFrame.all(path, change) }
    }
  }

  @Test("Unwrapping sees the frames between those asked for")
  func unwrappedEvery() throws {
    let folder = try TemporaryDirectory()
    var text = ""
    for k in 0..<20 {
      text +=
        "1\nLattice=\"10 0 0 0 10 0 0 0 10\" Properties=species:S:1:pos:R:3 time=\(k)\nAr \(3 * k % 10) 5 5\n"
    }
    let path = try folder.write("a.xyz", text)
    let frames = try KeptFrame.all(path) {
      $0.every = 4
      $0.unwrapping = .lattice
    }
    #expect(frames.map { $0.positions[0].x } == [0, 12, 24, 36, 48])
  }

  @Test("A given time step takes the place of the file's times; without either, first is refused")
  func timestep() throws {
    let folder = try TemporaryDirectory()
    let path = try Self.series(folder, (0..<4).map { "step=\($0 * 7)" })
    #expect(try KeptFrame.all(path).allSatisfy { $0.values.timePs == nil })
    let frames = try KeptFrame.all(path) {
      $0.timestepPs = 0.02
      $0.firstPs = 0.02
    }
    #expect(frames.map(\.values.timePs) == [0.02, 0.04, 0.06])
    let error = #expect(throws: InputError.self) { try KeptFrame.all(path) { $0.lastPs = 1 } }
    #expect(
      error?.message == "first and last need the times of the frames, which the file does not tell")
  }

  @Test("Frames that are not evenly spaced in time or steps are refused by name, or noted")
  func spacing() throws {
    let folder = try TemporaryDirectory()
    for (times, message) in [
      (
        ["time_ps=0", "time_ps=1", "time_ps=2", "time_ps=4"],
        "frames 3 and 4 are 2.0 ps apart, those before 1.0 ps"
      ),
      (
        ["time_ps=0", "time_ps=1", "time_ps=2", "time_ps=0"],
        "the time goes back from 2.0 ps in frame 3 to 0.0 ps in frame 4, as where a second run was appended"
      ),
      (
        ["time_ps=0", "time_ps=1", "time_ps=1", "time_ps=2"],
        "frames 2 and 3 have the same time, 1.0 ps"
      ),
      (["step=0", "step=10", "step=25"], "frames 2 and 3 are 15 steps apart, those before 10"),
    ] {
      let path = try Self.series(folder, times)
      let error = #expect(throws: InputError.self) { try KeptFrame.all(path) }
      #expect(error?.message == message)
      var options = TrajectoryOptions()
      options.requiresEvenSpacing = false
      let stream = try TrajectoryFiles.open(path, options: options)
      #expect(try KeptFrame.all(stream).count == times.count && stream.unevenness == message)
      #expect(try KeptFrame.all(path) { $0.timestepPs = 1 }.count == times.count)
    }
    // Rounded to five digits, as programs print them, is even.
    let rounded = try Self.series(folder, (0..<10).map { "time_ps=\(Double(33333 * $0) / 1e5)" })
    #expect(try KeptFrame.all(rounded).count == 10)
  }

  @Test("Single-precision times are even as far as they can tell")
  func singleTimes() throws {
    let folder = try TemporaryDirectory()
    for (start, spacing) in [(1000.0, 0.01), (0, 0.1)] {
      let path = folder["t.nc"]
      let file = try NetCDFFile(creating: path, format: .offset64)
      for (name, length) in [("frame", nil), ("atom", 1), ("spatial", 3)] as [(String, Int?)] {
        try file.defineDimension(name, length)
      }
      try file.setAttribute("Conventions", .text("AMBER"))
      let t = try file.defineVariable("time", .float, ["frame"])
      let x = try file.defineVariable("coordinates", .float, ["frame", "atom", "spatial"])
      try file.endDefinitions()
      for k in 0..<200 {
        try file.put(t, [Float(start + spacing * Double(k))], record: k)
        try file.put(x, [Float(k), 0, 0], record: k)
      }
      try file.close()
      #expect(try KeptFrame.all(path).count == 200)
      let selected = try KeptFrame.all(path) {
        $0.firstPs = 10 * spacing
        $0.lastPs = 20 * spacing
      }
      #expect(selected.map { Int($0.positions[0].x) } == Array(10...20))
      // The spacing is the mean, because the first two times alone are rounded.
      let mean = try #require(TrajectoryFiles.survey(path).spacingPs)
      #expect(abs(mean / spacing - 1) < 1e-4)
    }
  }

  @Test("A topology gives elements and masses; its atoms must be those of the file")
  func topology() throws {
    let folder = try TemporaryDirectory()
    let dcd = Fixtures.path("mda.dcd")
    func write(_ symbols: [String], masses: Bool = false) throws -> String {
      var text = "\(symbols.count)\nProperties=species:S:1:pos:R:3\(masses ? ":masses:R:1" : "")\n"
      for (k, symbol) in symbols.enumerated() {
        text += "\(symbol) \(k) 0 0\(masses ? " 7.5" : "")\n"
      }
      return try folder.write("topology.xyz", text)
    }
    var options = TrajectoryOptions()
    options.topology = try write(Fixtures.elements.map(\.symbol), masses: true)
    let facts = try TrajectoryFiles.open(dcd, options: options).facts
    #expect(facts.elements == Fixtures.elements)
    #expect(facts.masses == [Double](repeating: 7.5, count: 12))
    options.topology = try write(["C", "H"])
    var error = #expect(throws: InputError.self) { try TrajectoryFiles.open(dcd, options: options) }
    #expect(error?.message.hasPrefix("the topology has 2 atoms, the trajectory") == true)
    options.topology = try write([String](repeating: "C", count: 12))
    error = #expect(throws: InputError.self) {
      try TrajectoryFiles.open(Fixtures.path("ase.xyz"), options: options)
    }
    #expect(error?.message.hasPrefix("atom 9 is I in the file, but C by the topology") == true)
    options = TrajectoryOptions()
    options.elements = Fixtures.elements
    #expect(try TrajectoryFiles.open(dcd, options: options).facts.elements == Fixtures.elements)
    options.elements = [Fixtures.elements[0]]
    #expect(try TrajectoryFiles.open(dcd, options: options).facts.elements?.count == 12)
    options.elements = Array(Fixtures.elements[..<3])
    #expect(throws: InputError.self) { try TrajectoryFiles.open(dcd, options: options) }
  }

  // MARK: run directories

  @Test("A run directory is its last stage with frames; a stage and a file are themselves")
  func runDirectory() throws {
    let folder = try TemporaryDirectory()
    let run = try SampleRun.triclinic()
    for (stage, frames, shift) in [("b-first", 3, 0), ("a-second", 2, 100), ("c-begun", 0, 200)] {
      try FileManager.default.createDirectory(
        atPath: folder[stage], withIntermediateDirectories: true)
      let writer = try AmberTrajectoryWriter(
        creating: folder[stage + "/trajectory.nc"], header: run.header)
      for k in 0..<frames {
        var frame = run.frame(k)
        frame.values.step = shift + 10 * k
        try writer.append(frame)
      }
      try writer.close()
    }
    var found = try TrajectoryFiles.locate(folder.path)
    #expect(found.path == folder["a-second/trajectory.nc"] && found.stage == "a-second")
    #expect(found.runDirectory == folder.path)
    #expect(try KeptFrame.all(folder.path).count == 2)
    found = try TrajectoryFiles.locate(folder["b-first"] + "/")
    #expect(found.path == folder["b-first/trajectory.nc"] && found.stage == "b-first")
    #expect(found.runDirectory == folder.path)
    let file = folder["b-first/trajectory.nc"]
    #expect(try TrajectoryFiles.locate(file).path == file)
    #expect(throws: InputError.self) { try KeptFrame.all(folder["c-begun"]) }
    try FileManager.default.createDirectory(
      atPath: folder["empty"], withIntermediateDirectories: true)
    #expect(throws: InputError.self) { try TrajectoryFiles.locate(folder["empty"]) }
  }

  @Test("A trajectory can be read while it is written")
  func whileWritten() throws {
    let folder = try TemporaryDirectory()
    let run = try SampleRun.triclinic()
    let writer = try AmberTrajectoryWriter(creating: folder["trajectory.nc"], header: run.header)
    for k in 0..<4 {
      try writer.append(run.frame(k))
      let stream = try TrajectoryFiles.open(folder.path)
      #expect(try KeptFrame.all(stream).count == k + 1 && stream.damage == nil)
    }
    try writer.close()
  }

  // MARK: prefetching

  @Test("Frames read ahead are the same, in order; errors come after the frames before them")
  func prefetch() throws {
    for name in ["wrapped.dump", "ase.xyz", "mda.dcd", "mda.nc"] {
      let direct = try KeptFrame.all(Fixtures.path(name))
      for depth in [1, 2, 3, 10] {
        let ahead = FramePrefetcher(try TrajectoryFiles.open(Fixtures.path(name)), depth: depth)
        #expect(try KeptFrame.all(ahead) == direct)
        var frame = TrajectoryFrame(for: ahead.facts)
        #expect(try !ahead.next(into: &frame))
      }
    }
    let folder = try TemporaryDirectory()
    let path = try Self.series(folder, ["time_ps=0", "time_ps=1", "time_ps=2", "time_ps=9"])
    let ahead = FramePrefetcher(try TrajectoryFiles.open(path))
    var frame = TrajectoryFrame(for: ahead.facts)
    for k in 0..<3 {
      #expect(try ahead.next(into: &frame))
      #expect(frame.positions[0].x == Double(k))
    }
    for _ in 0..<2 { #expect(throws: InputError.self) { try ahead.next(into: &frame) } }
    // Dropped at any moment.
    for taken in 0..<6 {
      let dropped = FramePrefetcher(
        try TrajectoryFiles.open(Fixtures.path("wrapped.dump")), depth: 2)
      var frame = TrajectoryFrame(for: dropped.facts)
      for _ in 0..<taken { #expect(try dropped.next(into: &frame)) }
    }
  }

  /// Twenty frames out of nowhere.
  private final class Counted: FrameSource {
    let facts: TrajectoryFacts = {
      var facts = TrajectoryFacts(path: "", kind: .extendedXYZ, atomCount: 1)
      facts.frameCount = 20
      return facts
    }()
    let damage: String? = nil
    private var count = 0
    func next(into frame: inout TrajectoryFrame) throws(InputError) -> Bool {
      if count == 20 { return false }
      frame.positions[0].x = Double(count)
      count += 1
      return true
    }
  }

  @Test("No frame is lost when the end is read while the last frames are still to be taken")
  func prefetchEnd() throws {
    var lost = 0
    for depth in [1, 2, 3] {
      for _ in 0..<1000 {
        let ahead = FramePrefetcher(Counted(), depth: depth)
        var frame = TrajectoryFrame(for: ahead.facts)
        var count = 0
        while try ahead.next(into: &frame) {
          if frame.positions[0].x != Double(count) { lost += 1 }
          count += 1
        }
        lost += 20 - count
      }
    }
    #expect(lost == 0)
  }

  // MARK: numbers

  @Test("Numbers in texts are correctly rounded, in every form")
  func numbers() throws {
    func read(_ text: String) -> Double? { NumberText.double(Array(text.utf8)[...]) }
    var generator = SystemRandomNumberGenerator()
    for k in 0..<200_000 {
      let value: Double
      switch k % 4 {
      case 0: value = Double.random(in: -100...100, using: &generator)
      case 1: value = Double(bitPattern: generator.next())
      case 2: value = Double.random(in: 0...1, using: &generator) * 1e-9
      default: value = (Double.random(in: -1e7...1e7, using: &generator)).rounded() / 1e4
      }
      guard value.isFinite else { continue }
      let text = "\(value)"
      #expect(read(text) == value, "\(text)")
      // Nineteen digits and a power of ten; strtod is the judge.
      let digits = UInt64.random(in: 0..<10_000_000_000_000_000_000, using: &generator)
      let power = Int.random(in: -32...32, using: &generator)
      let long = "\(digits)e\(power)"
      #expect(read(long) == Double(long), "\(long)")
    }
    for (text, value) in [
      ("1", 1), ("+1.", 1), (".5", 0.5), ("-0", -0.0), ("1d3", 1000), ("1D-3", 0.001),
      ("0.000000000000000000000000000001", 1e-30),
      ("12345678901234567890123", 1.2345678901234568e22),
      ("9007199254740993", 9007199254740992), ("4.9e-324", Double.leastNonzeroMagnitude),
      ("1.7976931348623157e308", 1.7976931348623157e308),
    ] {
      let found = try #require(read(text), "\(text)")
      #expect(found == value && found.sign == value.sign, "\(text)")
    }
    for text in [
      "", ".", "-", "+.", "1e", "1e+", "e5", "nan", "inf", "0x10", "1e999", "1 2", "1,5", "1_0",
      "--1", "1.2.3", "1\u{0}",
    ] {
      #expect(read(text) == nil, "\(text)")
    }
  }
}
