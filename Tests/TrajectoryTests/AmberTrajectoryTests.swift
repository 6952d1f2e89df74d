import Foundation
import Glibc
import Matter
import Testing
import Trajectory

/// A small trajectory whose numbers are functions of frame and atom.
struct SampleRun {
  var cell: Cell
  var velocities = true
  var forces = true
  var periodicity = Periodicity.all
  let elements = [14, 8, 1, 53, 6].compactMap { Element(atomicNumber: $0) }

  init(cell: Cell) { self.cell = cell }

  static func triclinic() throws -> SampleRun {
    SampleRun(cell: try Cell(lengths: [5, 6, 7], angles: [78, 96, 108]))
  }

  var header: AmberHeader {
    AmberHeader(
      elements: elements, masses: elements.map(\.mass), velocities: velocities, forces: forces,
      title: "sample", attributes: [("apus_version", "0.1"), ("apus_timestep", "1 fs")],
      periodicity: periodicity, cell: cell)
  }

  static func vector(_ frame: Int, _ atom: Int, _ kind: Double) -> SIMD3<Double> {
    let t = Double(frame) + 0.1 * Double(atom) + 10 * kind
    return [3 * sin(t), 4 * cos(1.7 * t), 5 * sin(2.3 * t + 1)]
  }

  func values(_ frame: Int) -> FrameValues {
    FrameValues(
      timePs: 0.01 * Double(frame), step: 10 * frame, cell: cell, potential: -1.5 * Double(frame),
      kinetic: 0.25, conserved: -3, temperature: 300 + Double(frame),
      stress: Tensor6(xx: 1, yy: 2, zz: 3, yz: 4, xz: 5, xy: Double(frame)))
  }

  func frame(_ frame: Int) -> TrajectoryFrame {
    TrajectoryFrame(
      values(frame),
      positions: Vectors(elements.indices.map { Self.vector(frame, $0, 0) }),
      velocities: Vectors(elements.indices.map { Self.vector(frame, $0, 1) }),
      forces: Vectors(elements.indices.map { Self.vector(frame, $0, 2) }))
  }

  func write(_ path: String, frames: Int) throws {
    let writer = try AmberTrajectoryWriter(creating: path, header: header)
    for i in 0..<frames { try writer.append(frame(i)) }
    try writer.fsync()
    try writer.close()
  }
}

@Suite(.serialized) struct AmberTrajectoryTests {
  @Test("The file has the layout of the AMBER convention, byte for byte where it can be computed")
  func layout() throws {
    let folder = try TemporaryDirectory()
    try SampleRun.triclinic().write(folder["t.nc"], frames: 3)
    let bytes = try folder.bytes("t.nc")
    #expect(bytes[..<8] == [0x43, 0x44, 0x46, 2, 0, 0, 0, 3])
    let header = try ClassicHeader(path: folder["t.nc"])
    #expect(
      header.dimensions.map { "\($0.name)=\($0.length)" } == [
        "frame=0", "spatial=3", "atom=5", "cell_spatial=3", "cell_angular=3", "label=5", "Voigt=6",
      ])
    #expect(
      header.variables.map(\.name) == [
        "spatial", "cell_spatial", "cell_angular", "atom_types", "atomic_numbers", "mass", "time",
        "step", "cell_lengths", "cell_angles", "potential_energy", "kinetic_energy", "conserved",
        "temperature", "stress", "coordinates", "velocities", "forces",
      ])
    let units = header.variables.compactMap { v in
      v.attributes.first { $0.name == "units" }.map { (v.name, $0.value) }
    }
    #expect(
      units.map { "\($0.0) \($0.1)" }
        == [
          ("mass", "dalton"), ("time", "picosecond"), ("cell_lengths", "angstrom"),
          ("cell_angles", "degree"), ("potential_energy", "eV"), ("kinetic_energy", "eV"),
          ("conserved", "eV"), ("temperature", "kelvin"), ("stress", "GPa"),
          ("coordinates", "angstrom"), ("velocities", "angstrom/picosecond"),
          ("forces", "kilocalorie/mole/angstrom"),
        ].map { "\($0.0) \(ClassicHeader.Attribute.Value.text($0.1))" })
    // time, step, 3+3 cell, 4 scalars, 6 stress as doubles, then 3 float arrays of 5 atoms.
    #expect(header.recordSize == 18 * 8 + 3 * 5 * 3 * 4)
    #expect(header.fileSize == header.recordsBegin + 3 * header.recordSize)
    #expect(header.wholeRecords == 3 && header.usableRecords == 3 && header.damage == nil)
    #expect(header.attribute("species") == .text("H C O Si I"))
    #expect(header.attribute("apus_coordinates") == .text("unwrapped"))
    // Offsets from the order of the variables; big-endian values.
    let coordinates = try #require(header.variable("coordinates"))
    #expect(coordinates.begin == header.recordsBegin + 18 * 8)
    let offset = coordinates.begin + 2 * header.recordSize + 4 * (3 * 4 + 1)
    let bits = bytes[offset..<offset + 4].reduce(0 as UInt32) { $0 << 8 | UInt32($1) }
    #expect(Float(bitPattern: bits) == Float(SampleRun.vector(2, 4, 0).y))
    let time = header.recordsBegin + header.recordSize
    let timeBits = bytes[time..<time + 8].reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
    #expect(Double(bitPattern: timeBits) == 0.01)
  }

  @Test("The file on disk is whole after every frame and equal in two runs")
  func wholeAndEqual() throws {
    let folder = try TemporaryDirectory()
    let run = try SampleRun.triclinic()
    let writer = try AmberTrajectoryWriter(creating: folder["a.nc"], header: run.header)
    #expect(folder.names == ["a.nc"])
    for i in 0..<4 {
      let header = try ClassicHeader(path: folder["a.nc"])
      #expect(header.statedRecords == i && header.wholeRecords == i)
      #expect(writer.frameCount == i && writer.frameBytes == header.recordSize)
      try writer.append(run.frame(i))
    }
    try writer.close()
    try run.write(folder["b.nc"], frames: 4)
    #expect(try folder.bytes("a.nc") == folder.bytes("b.nc"))
  }

  @Test("A file continued at any frame equals the unbroken one byte for byte")
  func continued() throws {
    let folder = try TemporaryDirectory()
    let run = try SampleRun.triclinic()
    try run.write(folder["whole.nc"], frames: 5)
    let whole = try folder.bytes("whole.nc")
    for present in 0...5 {
      for kept in 0...present {
        try run.write(folder["part.nc"], frames: present)
        // What a kill in the middle of a frame leaves.
        let handle = try #require(FileHandle(forWritingAtPath: folder["part.nc"]))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(repeating: 7, count: 41))
        try handle.close()
        for _ in 0..<2 {
          let writer = try AmberTrajectoryWriter(
            continuing: folder["part.nc"], header: run.header, frames: kept)
          try writer.close()
        }
        let writer = try AmberTrajectoryWriter(
          continuing: folder["part.nc"], header: run.header, frames: kept)
        for i in kept..<5 { try writer.append(run.frame(i)) }
        try writer.close()
        #expect(try folder.bytes("part.nc") == whole, "\(kept) of \(present)")
      }
    }
  }

  @Test("Continuing names the difference between the file and what is expected")
  func differences() throws {
    let folder = try TemporaryDirectory()
    let run = try SampleRun.triclinic()
    let path = folder["t.nc"]
    try run.write(path, frames: 2)
    func message(_ header: AmberHeader, _ frames: Int = 2) -> String? {
      let error = #expect(throws: FileError.self) {
        try AmberTrajectoryWriter(continuing: path, header: header, frames: frames)
      }
      return error?.message
    }
    var header = run.header
    header.attributes[1].1 = "2 fs"
    #expect(message(header) == "cannot be continued: its apus_timestep is '1 fs', not '2 fs'")
    header = run.header
    header.forces = false
    #expect(message(header) == "cannot be continued: it holds forces, which is not expected")
    header = run.header
    header.masses[2] = 2.014
    #expect(message(header) == "cannot be continued: its masses differ")
    header = run.header
    header.elements.swapAt(0, 1)
    header.masses.swapAt(0, 1)
    #expect(message(header) == "cannot be continued: its elements differ")
    header = AmberHeader(
      elements: Array(run.elements[..<4]), masses: Array(run.header.masses[..<4]), velocities: true,
      forces: true, title: "sample", attributes: run.header.attributes, cell: run.cell)
    #expect(message(header) == "cannot be continued: it holds 5 atoms, not 4")
    #expect(
      message(run.header, 3)
        == "cannot be continued: it holds 2 whole frames, fewer than the 3 of the checkpoint")
  }

  @Test("A full disk stops after the last whole frame, and the run can go on")
  func fullDisk() async {
    // In a process of its own: the limit on the size of files makes libnetcdf's writes fail.
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryDirectory()
      let run = try SampleRun.triclinic()
      try run.write(folder["whole.nc"], frames: 40)
      let bound = try folder.bytes("whole.nc").count - 3000
      signal(SIGXFSZ, SIG_IGN)
      let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
      var limit = rlimit()
      getrlimit(resource, &limit)
      let writer = try AmberTrajectoryWriter(creating: folder["t.nc"], header: run.header)
      var small = limit
      small.rlim_cur = rlim_t(bound)
      setrlimit(resource, &small)
      let error = #expect(throws: FileError.self) {
        for i in 0..<40 { try writer.append(run.frame(i)) }
      }
      setrlimit(resource, &limit)
      #expect(error?.path == folder["t.nc"])
      #expect(error?.code == EFBIG && error?.bytesNeeded != nil)
      let header = try ClassicHeader(path: folder["t.nc"])
      let kept = writer.frameCount
      #expect(kept > 20 && kept < 40)
      #expect(header.statedRecords == kept && header.wholeRecords == kept)
      #expect(header.fileSize == header.recordsBegin + kept * header.recordSize)
      let again = try AmberTrajectoryWriter(
        continuing: folder["t.nc"], header: run.header, frames: kept)
      for i in kept..<40 { try again.append(run.frame(i)) }
      try again.close()
      #expect(try folder.bytes("t.nc") == folder.bytes("whole.nc"))
    }
  }
}
