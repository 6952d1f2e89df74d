import Glibc
import Matter

/// Reads DCD trajectories of CHARMM, NAMD, LAMMPS, OpenMM and MDAnalysis: Fortran records of either
/// byte order, positions in single precision, the cell as lengths and angles, cosines, or CHARMM's
/// symmetric matrix. The format holds no elements, masses or velocities.
final class DCDReader: TrajectoryReader {
  private(set) var facts: TrajectoryFacts
  private(set) var damage: String?
  private let descriptor: Int32
  private let swapped: Bool
  private let version: Int
  private let hasCell: Bool
  private let frameBytes: Int
  private let framesBegin: Int
  private let frameCount: Int
  private let firstStep: Int
  private let stepsPerFrame: Int
  private let stepPs: Double?
  private let buffer: UnsafeMutableRawBufferPointer
  private var frame = 0

  init(path: String) throws(InputError) {
    let size = try InputFile.check(path, expecting: "a DCD trajectory")
    let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else {
      throw InputError("cannot be read: \(FileError.text(of: errno))", file: path)
    }
    do throws(InputError) {
      let header = try Header(file, size, path)
      descriptor = file
      swapped = header.swapped
      version = header.version
      hasCell = header.hasCell
      firstStep = header.numbers[1]
      stepsPerFrame = header.numbers[2]
      framesBegin = header.end
      frameBytes = header.frameBytes
      let frames = (size - header.end) / header.frameBytes
      frameCount = frames
      facts = TrajectoryFacts(path: path, kind: .dcd, atomCount: header.atomCount)
      facts.title = header.title
      let program = ["LAMMPS", "NAMD", "CHARMM", "OpenMM", "MDAnalysis", "MDTraj"].first {
        header.title.lowercased().contains($0.lowercased())
      }
      facts.program = program ?? ""
      // LAMMPS writes its own unit of time, and which it is the file does not tell; the plugin of
      // VMD, which mdtraj uses, writes 1 whatever the step was.
      let means = program != "LAMMPS" && !header.title.contains("DCD plugin")
      let known = means && header.step.isFinite && header.step > 0
      stepPs = known ? header.step * Self.akma : nil
      let rest = (size - header.end) % header.frameBytes
      let stated = header.numbers[0]
      func usable() -> String { "\(frames) frame\(frames == 1 ? "" : "s") usable" }
      if rest > 0 || stated > frames {
        damage =
          "file ends \(rest) byte\(rest == 1 ? "" : "s") into frame \(frames + 1)"
          + (stated > frames ? " of \(stated)" : "") + "; \(usable())"
      } else if stated < frames {
        damage = "its header says \(stated) frames; by the size of the file \(usable())"
      }
      guard frames > 0 else {
        throw InputError("it holds no whole frame" + (damage.map { ": \($0)" } ?? ""), file: path)
      }
      facts.frameCount = frames
      facts.hasCell = header.hasCell
      facts.wrapping = header.hasCell ? .unknown : .unwrapped
      buffer = .allocate(byteCount: header.frameBytes, alignment: 16)
    } catch {
      _ = Glibc.close(file)
      throw error
    }
  }

  deinit {
    _ = Glibc.close(descriptor)
    buffer.deallocate()
  }

  func skip(into values: inout FrameValues) throws(InputError) -> Bool {
    guard frame < frameCount else { return false }
    values = self.values()
    frame += 1
    return true
  }

  func next(into frame: inout TrajectoryFrame) throws(InputError) -> Bool {
    guard self.frame < frameCount else { return false }
    try InputFile.read(
      descriptor, at: framesBegin + self.frame * frameBytes, into: buffer, path: facts.path)
    frame.values = values()
    var offset = 0
    if hasCell {
      try record(&offset, 48)
      frame.values.cell = try cell(at: 4)
      frame.values.periodicity = frame.values.cell == nil ? .none : .all
    }
    let count = facts.atomCount
    let base = UnsafeRawPointer(buffer.baseAddress!)
    for k in 0..<3 {
      let start = offset + 4
      try record(&offset, 4 * count)
      let target = k == 0 ? frame.positions.x : k == 1 ? frame.positions.y : frame.positions.z
      if let bad = SingleValues.decode(base + start, swapped, count, stride: 1, into: target) {
        throw InputError(
          "\(["x", "y", "z"][k]) of atom \(bad + 1) in frame \(self.frame + 1) is no finite number",
          file: facts.path)
      }
    }
    self.frame += 1
    return true
  }

  /// Checks the marks around a record and goes to its end.
  private func record(_ offset: inout Int, _ length: Int) throws(InputError) {
    let marks = (integer(offset), integer(offset + 4 + length))
    guard marks.0 == length, marks.1 == length else {
      throw InputError(
        "frame \(frame + 1) is damaged: expected a record of \(length) bytes, found marks of "
          + "\(marks.0) and \(marks.1)", file: facts.path)
    }
    offset += 8 + length
  }

  private func integer(_ offset: Int) -> Int {
    let value = buffer.loadUnaligned(fromByteOffset: offset, as: Int32.self)
    return Int(swapped ? value.byteSwapped : value)
  }

  private func values() -> FrameValues {
    let step = firstStep + frame * stepsPerFrame
    return FrameValues(
      timePs: stepPs.map { Double(step) * $0 }, step: stepsPerFrame > 0 ? step : nil)
  }

  // MARK: cell

  /// The cell of six numbers: A, γ, B, β, α, C with angles in degrees or as cosines, or the lower
  /// triangle of CHARMM's symmetric matrix; nil where nothing repeats.
  private func cell(at offset: Int) throws(InputError) -> Cell? {
    let n = (0..<6).map { k in
      let bits = buffer.loadUnaligned(fromByteOffset: offset + 8 * k, as: UInt64.self)
      return Double(bitPattern: swapped ? bits.byteSwapped : bits)
    }
    if n[0] == 0 && n[2] == 0 && n[5] == 0 { return nil }
    let others = [n[1], n[3], n[4]]
    let isCosines = others.allSatisfy { abs($0) <= 1 }
    let isDegrees = others.allSatisfy { $0 >= 20 && $0 <= 160 }
    do {
      // CHARMM, whose version is above the 24 that other programs state, writes the matrix.
      if !isDegrees, !isCosines || (version > 24 && others.contains { $0 != 0 }) {
        return try Cell(a: [n[0], n[1], n[3]], b: [n[1], n[2], n[4]], c: [n[3], n[4], n[5]])
      }
      let lengths = SIMD3(n[0], n[2], n[5])
      guard lengths.x > 0, lengths.y > 0, lengths.z > 0 else { throw Cell.Problem.noVolume }
      let angles = [n[4], n[3], n[1]].map { isDegrees ? $0 : $0 == 0 ? 90 : acos($0) * 180 / .pi }
      return try Cell(lengths: lengths, angles: [angles[0], angles[1], angles[2]])
    } catch {
      throw InputError("the cell of frame \(frame + 1) has no volume: \(n)", file: facts.path)
    }
  }

  /// One unit of time of the AKMA system, in ps.
  private static let akma = 0.04888821290839616

  // MARK: header

  private struct Header {
    var swapped: Bool
    var numbers: [Int]
    var version: Int
    var step: Double
    var hasCell: Bool
    var title: String
    var atomCount: Int
    var end: Int
    var frameBytes: Int

    init(_ file: Int32, _ size: Int, _ path: String) throws(InputError) {
      func fail(_ message: String, _ remedy: String = "") -> InputError {
        InputError(message, remedy: remedy, file: path)
      }
      func bytes(_ offset: Int, _ count: Int) throws(InputError) -> [UInt8] {
        let found = try InputFile.read(file, at: offset, count: count, path: path)
        guard found.count == count else {
          throw fail("the file ends inside its header (\(size) bytes)")
        }
        return found
      }
      let first = try bytes(0, 92)
      func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
        bytes[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
      }
      let mark = word(first, 0)
      swapped = mark != 84
      guard mark == 84 || mark.byteSwapped == 84 else {
        throw fail(
          "expected a DCD trajectory with record marks of 4 bytes, found other bytes",
          "Convert it with MDAnalysis or catdcd")
      }
      let isSwapped = swapped
      func number(_ bytes: [UInt8], _ offset: Int) -> Int {
        let bits = word(bytes, offset)
        return Int(Int32(bitPattern: isSwapped ? bits.byteSwapped : bits))
      }
      let kind = String(decoding: first[4..<8], as: UTF8.self)
      guard kind == "CORD" else {
        throw fail(
          kind == "VELD"
            ? "the DCD file holds velocities, not positions"
            : "expected a DCD trajectory (CORD), found '\(kind)'")
      }
      numbers = (0..<20).map { number(first, 8 + 4 * $0) }
      version = numbers[19]
      guard number(first, 88) == 84, numbers[0] >= 0, numbers[2] >= 0 else {
        throw fail("the header of the DCD file is damaged")
      }
      guard numbers[8] == 0 else {
        throw fail(
          "the DCD file leaves out \(numbers[8]) fixed atoms after its first frame, which is not read",
          "Convert it with MDAnalysis or catdcd")
      }
      // X-PLOR, of version 0, has its step in double precision and neither cell nor fourth dimension.
      let isCHARMM = version != 0
      if isCHARMM {
        let bits = word(first, 8 + 36)
        step = Double(Float(bitPattern: isSwapped ? bits.byteSwapped : bits))
      } else {
        let low = UInt64(word(first, 8 + 36))
        let high = UInt64(word(first, 8 + 40))
        let bits = high << 32 | low
        step = Double(bitPattern: isSwapped ? bits.byteSwapped : bits)
      }
      hasCell = isCHARMM && numbers[10] != 0
      let hasFourth = isCHARMM && numbers[11] != 0
      let titleBytes = number(try bytes(92, 4), 0)
      guard titleBytes >= 4, titleBytes <= 1 << 20, 92 + 8 + titleBytes + 12 <= size else {
        throw fail("the title in the header of the DCD file is damaged")
      }
      let text = try bytes(96, titleBytes + 4)
      guard number(text, titleBytes) == titleBytes else {
        throw fail("the title in the header of the DCD file is damaged")
      }
      title = String(
        decoding: text[4..<titleBytes].map { $0 < 32 || $0 > 126 ? 32 : $0 }, as: UTF8.self
      ).split(separator: " ").joined(separator: " ")
      let counts = try bytes(100 + titleBytes, 12)
      atomCount = number(counts, 4)
      guard number(counts, 0) == 4, number(counts, 8) == 4, atomCount > 0 else {
        throw fail("the number of atoms in the header of the DCD file is damaged")
      }
      end = 112 + titleBytes
      frameBytes = (hasCell ? 56 : 0) + (hasFourth ? 4 : 3) * (8 + 4 * atomCount)
      guard frameBytes <= size - end else {
        throw fail(
          "it holds no whole frame: \(size - end) of \(frameBytes) bytes of the first are there")
      }
    }
  }
}
