import Foundation
import Matter
import Testing
import Trajectory

@Suite(.serialized) struct AmberTrajectoryReaderTests {
  @Test("What the writer wrote comes back in internal units, in single precision")
  func roundTrip() throws {
    let folder = try TemporaryDirectory()
    let run = try SampleRun.triclinic()
    try run.write(folder["t.nc"], frames: 4)
    let reader = try AmberTrajectoryReader(path: folder["t.nc"])
    #expect(reader.frameCount == 4 && reader.facts.atomCount == 5 && reader.damage == nil)
    #expect(
      reader.facts.elements == run.elements && reader.facts.masses == run.elements.map(\.mass))
    #expect(
      reader.facts.title == "sample" && reader.facts.wrapping == .unwrapped
        && reader.rotation == nil)
    #expect(reader.attribute("apus_timestep") == "1 fs")
    let frame = try reader.frame(3)
    var expected = run.values(3)
    expected.cell = frame.values.cell
    #expect(frame.values == expected)
    let cell = try #require(frame.values.cell)
    #expect(Self.largest(cell.rows - run.cell.rows) < 1e-12)
    for i in 0..<5 {
      for (kind, v) in [(0.0, frame.positions[i]), (1, frame.velocities[i]), (2, frame.forces[i])] {
        let d = v - SampleRun.vector(3, i, kind)
        #expect(abs(d.x) + abs(d.y) + abs(d.z) < 2e-6)
      }
    }
  }

  static func largest(_ m: Matrix3) -> Double {
    (0..<9).map { abs(m[$0 / 3, $0 % 3]) }.max() ?? 0
  }

  @Test(
    "A cell in any orientation is turned together with positions, velocities, forces and stress")
  func rotation() throws {
    let folder = try TemporaryDirectory()
    var run = try SampleRun.triclinic()
    let plain = run
    // A proper rotation about (1, 2, 3) by 1.1 rad, from its generator.
    let axis = SIMD3<Double>(1, 2, 3) * (1.1 / 14.0.squareRoot())
    let small =
      Matrix3([0, -axis.z, axis.y], [axis.z, 0, -axis.x], [-axis.y, axis.x, 0]) * 0.03125
    var turn = small.exponential
    for _ in 0..<5 { turn = turn * turn }
    run.cell = try Cell(rows: plain.cell.rows * turn.transpose)
    let writer = try AmberTrajectoryWriter(creating: folder["t.nc"], header: run.header)
    var values = plain.values(1)
    values.cell = run.cell
    values.stress = values.stress.map { Tensor6(turn * $0.matrix * turn.transpose) }
    try writer.append(
      TrajectoryFrame(
        values, positions: Vectors((0..<5).map { turn * SampleRun.vector(1, $0, 0) }),
        velocities: Vectors((0..<5).map { turn * SampleRun.vector(1, $0, 1) }),
        forces: Vectors((0..<5).map { turn * SampleRun.vector(1, $0, 2) })))
    try writer.close()
    let reader = try AmberTrajectoryReader(path: folder["t.nc"])
    let frame = try reader.frame(0)
    for i in 0..<5 {
      for (kind, v) in [(0.0, frame.positions[i]), (1, frame.velocities[i]), (2, frame.forces[i])] {
        let d = v - SampleRun.vector(1, i, kind)
        #expect(abs(d.x) + abs(d.y) + abs(d.z) < 3e-6)
      }
    }
    let stress = try #require(frame.values.stress) + #require(plain.values(1).stress) * -1
    #expect(stress.components.allSatisfy { abs($0) < 1e-12 })
    let back = try #require(reader.rotation) * turn
    #expect(Self.largest(back - .identity) < 1e-12)
  }

  @Test("A left-handed cell is refused with the vectors to swap")
  func leftHanded() throws {
    let folder = try TemporaryDirectory()
    let cell = try Cell(a: [0, 5, 0], b: [5, 0, 0], c: [0, 0, 5])
    let error = #expect(throws: InputError.self) { try AmberOrientation.check(cell, file: "a.xyz") }
    #expect(
      error?.description
        == "a.xyz: the cell vectors are left-handed: a·(b×c) is negative. Swap the vectors b and c "
        + "(with fractional coordinates swap the second and third as well)")
    let run = SampleRun(cell: cell)
    let writer = try AmberTrajectoryWriter(creating: folder["t.nc"], header: run.header)
    #expect(throws: FileError.self) { try writer.append(run.frame(0)) }
    #expect(try ClassicHeader(path: folder["t.nc"]).usableRecords == 0)
  }

  @Test("Molecules have no cell in the file, slabs a length 0")
  func notPeriodic() throws {
    let folder = try TemporaryDirectory()
    var run = try SampleRun.triclinic()
    run.periodicity = .none
    try run.write(folder["m.nc"], frames: 1)
    #expect(try ClassicHeader(path: folder["m.nc"]).variable("cell_lengths") == nil)
    #expect(try AmberTrajectoryReader(path: folder["m.nc"]).structure(0).structure.cell == nil)
    run = SampleRun(cell: try Cell(orthogonal: [5, 6, 50]))
    run.periodicity = Periodicity(a: true, b: true, c: false)
    try run.write(folder["s.nc"], frames: 1)
    let slab = try AmberTrajectoryReader(path: folder["s.nc"]).structure(0).structure
    #expect(slab.periodicity == run.periodicity)
    let lengths = try #require(slab.cell).lengths
    #expect(lengths.x == 5 && lengths.y == 6 && lengths.z > 10)
  }

  @Test(
    "A file cut at any byte of its last three frames or its header gives whole frames or an error")
  func truncation() throws {
    let folder = try TemporaryDirectory()
    let run = try SampleRun.triclinic()
    let path = folder["t.nc"]
    try run.write(path, frames: 5)
    let header = try ClassicHeader(path: path)
    let last = try AmberTrajectoryReader(path: path).frame(1).positions.array
    for size in stride(from: header.fileSize - 1, through: 0, by: -1) {
      // From the end the same file is cut shorter and shorter; the middle frames are left out.
      let part = size - header.recordsBegin
      if part > header.recordSize, part < 2 * header.recordSize { continue }
      try FileLayer.truncate(path, to: size)
      let whole = part / header.recordSize
      if part < header.recordSize {
        #expect(throws: InputError.self) { try AmberTrajectoryReader(path: path) }
        continue
      }
      let reader = try AmberTrajectoryReader(path: path)
      let extra = part % header.recordSize
      #expect(reader.frameCount == whole)
      #expect(
        reader.damage
          == "file ends \(extra) byte\(extra == 1 ? "" : "s") into frame \(whole + 1) of 5; "
          + "\(whole) frame\(whole == 1 ? "" : "s") usable")
      if whole > 1 { #expect(try reader.frame(1).positions.array == last) }
    }
  }

  @Test("A header that states no, too many or endless frames is checked against the size")
  func frameNumbers() throws {
    let folder = try TemporaryDirectory()
    let run = try SampleRun.triclinic()
    let path = folder["t.nc"]
    try run.write(path, frames: 3)
    for (number, usable, damage) in [
      (
        [0, 0, 0, 0], 3,
        "its header says 0 frames, which a killed writer leaves; by the size of the file 3 frames usable"
      ),
      (
        [0x7f, 0xff, 0xff, 0xff], 3, "file ends 0 bytes into frame 4 of 2147483647; 3 frames usable"
      ),
      (
        [0xff, 0xff, 0xff, 0xff], 3,
        "its header gives no number of frames; by the size of the file 3 frames usable"
      ),
      ([0, 0, 0, 2], 2, nil),
    ] as [([UInt8], Int, String?)] {
      try FileLayer.overwrite(path, at: 4, number)
      let reader = try AmberTrajectoryReader(path: path)
      #expect(reader.frameCount == usable && reader.damage == damage)
    }
  }

  @Test("Any single changed bit of the header gives an error or a usable file, never a crash")
  func headerFuzz() throws {
    let folder = try TemporaryDirectory()
    let run = try SampleRun.triclinic()
    try run.write(folder["t.nc"], frames: 2)
    let bytes = try folder.bytes("t.nc")
    let header = try ClassicHeader(path: folder["t.nc"])
    var refused = 0
    for bit in 0..<8 * header.recordsBegin {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      do {
        let parsed = try ClassicHeader(bytes: damaged, fileSize: damaged.count, path: "x")
        #expect(parsed.wholeRecords * parsed.recordSize <= damaged.count)
      } catch {
        refused += 1
      }
    }
    #expect(refused > 1000)
  }

  // MARK: files of others

  /// A file in another program's manner, with two atoms and two frames.
  static func foreign(
    _ path: String, _ format: NetCDFFile.Format, program: String = "LAMMPS",
    time: (String, Double?) = ("picosecond", nil), velocity: (String, Double?) = ("", nil),
    force: String = "", id: Bool = false, types: [Int32]? = nil
  ) throws {
    let file = try NetCDFFile(creating: path, format: format)
    try file.defineDimension("frame", nil)
    try file.defineDimension("atom", 2)
    try file.defineDimension("spatial", 3)
    try file.defineDimension("cell_spatial", 3)
    try file.defineDimension("cell_angular", 3)
    try file.setAttribute("Conventions", .text("AMBER"))
    try file.setAttribute("program", .text(program))
    func define(_ name: String, _ dims: [String], _ units: String, _ scale: Double? = nil) throws
      -> NetCDFFile.Variable
    {
      var attributes: [(String, NetCDFFile.Attribute)] = [("units", .text(units))]
      if let scale { attributes.append(("scale_factor", .doubles([scale]))) }
      return try file.defineVariable(name, .float, ["frame"] + dims, attributes: attributes)
    }
    let t = try define("time", [], time.0, time.1)
    let x = try define("coordinates", ["atom", "spatial"], "Angstrom")
    let l = try define("cell_lengths", ["cell_spatial"], "Angstrom")
    let a = try define("cell_angles", ["cell_angular"], "degree")
    let v =
      velocity.0.isEmpty
      ? nil : try define("velocities", ["atom", "spatial"], velocity.0, velocity.1)
    let f = force.isEmpty ? nil : try define("forces", ["atom", "spatial"], force)
    let n = id ? try file.defineVariable("id", .int, ["frame", "atom"]) : nil
    let z = types == nil ? nil : try file.defineVariable("atom_types", .int, ["atom"])
    try file.endDefinitions()
    for i in 0..<2 {
      try file.put(t, [Float(100 * i)], record: i)
      try file.put(x, [1, 2, 3, 4, 5, Float(6 + i)], record: i)
      try file.put(l, [10 as Float, 11, 12], record: i)
      try file.put(a, [90 as Float, 90, 90], record: i)
      if let v { try file.put(v, [1 as Float, 0, 0, 0, 0, 2], record: i) }
      if let f { try file.put(f, [1 as Float, 0, 0, 0, 0, 2], record: i) }
      if let n { try file.put(n, [Int32(2), 1], record: i) }
    }
    if let z, let types { try file.put(z, types) }
    try file.close()
  }

  @Test("Files of LAMMPS, GPUMD, ASE, AMBER and MDAnalysis are read in their units and containers")
  func variants() throws {
    let folder = try TemporaryDirectory()
    let path = folder["t.nc"]
    let psUnit = 0.010180505710  // internal velocity units in Å/ps, inverse
    // LAMMPS metal: CDF-5, time in steps with a scale factor, eV/Å, unordered atoms with numbers.
    try Self.foreign(
      path, .data64, time: ("picosecond", 0.002), velocity: ("angstrom/picosecond", nil),
      force: "eV/angstrom", id: true)
    var reader = try AmberTrajectoryReader(path: path)
    var frame = try reader.frame(1)
    #expect(
      reader.frameCount == 2 && reader.facts.elements == nil && reader.facts.wrapping == .wrapped)
    #expect(abs((frame.values.timePs ?? 0) - 0.2) < 1e-12)
    #expect(frame.positions.array == [[4, 5, 7], [1, 2, 3]])
    #expect(frame.forces[0].z == 2)
    #expect(abs(frame.velocities[0].z - 2 * psUnit) < 1e-10)
    // LAMMPS real: fs, Å/fs, its own spelling of kcal/mol/Å.
    try Self.foreign(
      path, .data64, time: ("femtosecond", nil), velocity: ("angstrom/femtosecond", nil),
      force: "(Kcal/mol)/angstrom)")
    frame = try AmberTrajectoryReader(path: path).frame(1)
    #expect(abs((frame.values.timePs ?? 0) - 0.1) < 1e-12)
    #expect(abs(frame.velocities[0].x - 1000 * psUnit) < 1e-6)
    #expect(abs(frame.forces[1].z - 2 / 23.06054783) < 1e-12)
    // NetCDF-4; AMBER's own velocities with 20.455.
    try Self.foreign(
      path, .netCDF4, program: "GPUMD", velocity: ("angstrom/picosecond", 20.455),
      force: "kilocalorie/mole/angstrom")
    reader = try AmberTrajectoryReader(path: path)
    frame = try reader.frame(1)
    #expect(reader.frameCount == 2 && frame.positions[1] == [4, 5, 7])
    #expect(abs(frame.velocities[1].z - 40.91 * psUnit) < 1e-9)
    // ASE: its own velocity unit under another name, elements by number.
    try Self.foreign(
      path, .offset64, program: "ASE", velocity: ("angstrom/picosecond", nil), types: [14, 8])
    reader = try AmberTrajectoryReader(path: path)
    frame = try reader.frame(0)
    #expect(frame.velocities[0].x == 1 && reader.facts.elements?.map(\.symbol) == ["Si", "O"])
    // Units that nobody knows are refused by name.
    try Self.foreign(path, .offset64, force: "hartree/bohr")
    let error = #expect(throws: InputError.self) { try AmberTrajectoryReader(path: path) }
    #expect(error?.description == path + ": variable forces has the unknown units 'hartree/bohr'")
  }

  @Test("Values of every type come back from every container")
  func values() throws {
    let folder = try TemporaryDirectory()
    for format in [NetCDFFile.Format.offset64, .data64, .netCDF4] {
      let path = folder["v.nc"]
      let file = try NetCDFFile(creating: path, format: format)
      try file.defineDimension("n", 3)
      try file.defineDimension("r", nil)
      try file.setAttribute("title", .text("größer"))
      let d = try file.defineVariable("d", .double, ["n"], attributes: [("units", .text("eV"))])
      let r = try file.defineVariable("r", .float, ["r", "n"])
      let c = try file.defineVariable("c", .char, ["n"])
      let one = try file.defineVariable("one", .double, [])
      let big = format == .offset64 ? nil : try file.defineVariable("big", .int64, ["n"])
      try file.endDefinitions()
      try file.put(d, [0.1, -Double.pi, 1e300])
      try file.put(r, [1, 2, 3, 4, 5, 6] as [Float])
      try file.put(c, text: "xyz")
      try file.put(one, [42.0])
      if let big { try file.put(big, [Int64.max, Int64.min, 1 << 53 + 1]) }
      #expect(throws: FileError.self) { try file.put(d, [1.0]) }
      try file.close()
      let back = try NetCDFFile(opening: path)
      #expect(try back.doubles(d) == [0.1, -Double.pi, 1e300])
      #expect(try back.floats(r, record: 1) == [4, 5, 6])
      #expect(try back.doubles(r).count == 6 && back.length(ofDimension: "r") == 2)
      #expect(try back.text(c) == "xyz" && back.doubles(one) == [42])
      if let big { #expect(try back.integers(big) == [Int64.max, Int64.min, 1 << 53 + 1]) }
      #expect(try back.attributes().first?.value == .text("größer"))
      #expect(try back.attributes(of: d).first?.value == .text("eV"))
      #expect(try back.variable("none") == nil && back.type(of: r) == .float)
    }
    let error = #expect(throws: FileError.self) { try NetCDFFile(opening: folder["none.nc"]) }
    #expect(error?.path == folder["none.nc"] && error?.code == 2)
  }
}
