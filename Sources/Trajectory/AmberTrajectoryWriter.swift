import Glibc
import Matter

/// Writes a trajectory in the AMBER convention (CDF-2): after every frame the file on disk is whole
/// and can be read by others, also after a kill; `fsync` makes it safe from power loss.
public final class AmberTrajectoryWriter {
  /// Where the file is.
  public let path: String
  /// Frames in the file.
  public private(set) var frameCount: Int
  /// Bytes of one frame in the file.
  public let frameBytes: Int
  private let header: AmberHeader
  private let layout: AmberLayout
  private let file: NetCDFFile
  private var variables: [String: NetCDFFile.Variable] = [:]
  private let recordsBegin: Int
  private var scratch: [Float]

  /// A new trajectory without frames, in the place of any other. It appears under its name when it
  /// is whole.
  public init(creating path: String, header: AmberHeader) throws(FileError) {
    self.path = path
    self.header = header
    layout = AmberLayout(header)
    scratch = [Float](repeating: 0, count: 3 * header.elements.count)
    let temporary = path + ".tmp"
    file = try NetCDFFile(creating: temporary, format: .offset64)
    frameCount = 0
    do {
      (recordsBegin, frameBytes) = try Self.define(layout, file, temporary)
      try FileLayer.synchronize(temporary)
      try FileLayer.rename(temporary, to: path)
    } catch {
      unlink(temporary)
      throw error
    }
    file.path = path
    try FileLayer.synchronizeDirectory(of: path)
    for variable in try file.variables() { variables[variable.name] = variable }
  }

  /// Goes on with a trajectory after its first `frames` frames; those after them are cut off.
  /// - Throws: `FileError` naming the difference if the file was made with another header, and if
  ///   it has fewer whole frames.
  public init(continuing path: String, header: AmberHeader, frames: Int) throws(FileError) {
    self.path = path
    self.header = header
    layout = AmberLayout(header)
    scratch = [Float](repeating: 0, count: 3 * header.elements.count)
    frameCount = frames
    let found = try Self.header(of: path)
    if let difference = layout.difference(from: found) {
      throw FileError(path: path, message: "cannot be continued: \(difference)")
    }
    guard found.usableRecords >= frames else {
      throw FileError(
        path: path,
        message: "cannot be continued: it holds \(found.usableRecords) whole frames, fewer than "
          + "the \(frames) of the checkpoint")
    }
    recordsBegin = found.recordsBegin
    frameBytes = found.recordSize
    try Self.cut(path, begin: recordsBegin, frameBytes: frameBytes, to: frames)
    file = try NetCDFFile(opening: path, writable: true)
    try file.setNoFill()
    for variable in try file.variables() { variables[variable.name] = variable }
    try compareFixedValues()
  }

  /// Adds a frame and hands it to the operating system.
  public func append(_ frame: borrowing TrajectoryFrame) throws(FileError) {
    try append(
      frame.values, positions: frame.positions, velocities: frame.velocities, forces: frame.forces)
  }

  /// Adds a frame and hands it to the operating system. If that fails the file keeps the frames it
  /// had, and nothing more may be added.
  /// - Parameters:
  ///   - positions: in Å, unwrapped
  ///   - velocities: in internal units; not looked at if the header has no velocities
  ///   - forces: in eV/Å; not looked at if the header has no forces
  public func append(
    _ values: FrameValues, positions: borrowing Vectors, velocities: borrowing Vectors,
    forces: borrowing Vectors
  ) throws(FileError) {
    do {
      try write(values, positions: positions, velocities: velocities, forces: forces)
      try file.sync(bytesNeeded: frameBytes)
      frameCount += 1
    } catch {
      // The library may count a frame that is not whole.
      try? file.close()
      try? Self.cut(path, begin: recordsBegin, frameBytes: frameBytes, to: frameCount)
      throw error
    }
  }

  /// Makes all frames durable.
  public func fsync() throws(FileError) {
    try FileLayer.synchronize(path)
  }

  /// Closes the file. Nothing may be added afterwards.
  public func close() throws(FileError) { try file.close() }

  // MARK: frames

  private func write(
    _ values: FrameValues, positions: borrowing Vectors, velocities: borrowing Vectors,
    forces: borrowing Vectors
  ) throws(FileError) {
    precondition(positions.count == header.elements.count)
    var rotation: Matrix3?
    try put("time", [try needed(values.timePs, "time")])
    try put("step", [Double(try needed(values.step, "step"))])
    if layout.hasCell {
      guard let cell = values.cell else {
        throw FileError(path: path, message: "frame \(frameCount + 1) has no cell")
      }
      guard cell.isRightHanded else {
        throw FileError(
          path: path, message: AmberOrientation.problem + ". " + AmberOrientation.remedy)
      }
      rotation = AmberOrientation.rotation(of: cell)
      let lengths = cell.lengths
      let angles = cell.angles
      try put("cell_lengths", (0..<3).map { header.periodicity[$0] ? lengths[$0] : 0 })
      try put("cell_angles", [angles.x, angles.y, angles.z])
    }
    if header.energies {
      try put("potential_energy", [try needed(values.potential, "potential energy")])
      try put("kinetic_energy", [try needed(values.kinetic, "kinetic energy")])
      try put("conserved", [try needed(values.conserved, "conserved energy")])
      try put("temperature", [try needed(values.temperature, "temperature")])
      var stress = try needed(values.stress, "stress")
      if let r = rotation { stress = Tensor6(r * stress.matrix * r.transpose) }
      try put("stress", stress.components)
    }
    try put("coordinates", positions, 1, rotation)
    if header.velocities {
      try put("velocities", velocities, Units.angstromPerPicosecond, rotation)
    }
    if header.forces { try put("forces", forces, Units.kilocaloriePerMole, rotation) }
  }

  private func needed<Value>(_ value: Value?, _ what: String) throws(FileError) -> Value {
    guard let value else {
      throw FileError(path: path, message: "frame \(frameCount + 1) has no \(what)")
    }
    return value
  }

  private func variable(_ name: String) -> NetCDFFile.Variable {
    guard let variable = variables[name] else { preconditionFailure("no variable \(name)") }
    return variable
  }

  private func put(_ name: String, _ values: [Double]) throws(FileError) {
    try file.put(variable(name), values, record: frameCount)
  }

  private func put(
    _ name: String, _ vectors: borrowing Vectors, _ factor: Double, _ rotation: Matrix3?
  ) throws(FileError) {
    precondition(vectors.count == header.elements.count)
    for i in 0..<vectors.count {
      var v = vectors[i]
      if let rotation { v = rotation * v }
      scratch[3 * i] = Float(v.x * factor)
      scratch[3 * i + 1] = Float(v.y * factor)
      scratch[3 * i + 2] = Float(v.z * factor)
    }
    try file.put(variable(name), scratch, record: frameCount)
  }

  // MARK: the file

  private static func define(_ layout: AmberLayout, _ file: NetCDFFile, _ path: String)
    throws(FileError) -> (Int, Int)
  {
    try file.setNoFill()
    for (name, length) in layout.dimensions { try file.defineDimension(name, length) }
    for (name, value) in layout.attributes { try file.setAttribute(name, value) }
    var defined: [String: NetCDFFile.Variable] = [:]
    for v in layout.variables {
      defined[v.name] = try file.defineVariable(
        v.name, v.type, v.dimensions, attributes: v.units.map { [("units", .text($0))] } ?? [])
    }
    try file.endDefinitions()
    for (name, value) in layout.fixed {
      guard let variable = defined[name] else { continue }
      switch value {
      case .text(let text): try file.put(variable, text: text)
      case .ints(let values): try file.put(variable, values)
      case .doubles(let values): try file.put(variable, values)
      }
    }
    try file.sync()
    let header = try Self.header(of: path)
    return (header.recordsBegin, header.recordSize)
  }

  private static func header(of path: String) throws(FileError) -> ClassicHeader {
    do {
      return try ClassicHeader(path: path)
    } catch {
      throw FileError(path: path, message: "cannot be continued: \(error.message)")
    }
  }

  /// Makes a closed file hold exactly its first `frames` frames; may be repeated after a kill.
  private static func cut(_ path: String, begin: Int, frameBytes: Int, to frames: Int)
    throws(FileError)
  {
    let count = UInt32(frames).bigEndian
    try FileLayer.overwrite(path, at: 4, withUnsafeBytes(of: count) { Array($0) })
    try FileLayer.truncate(path, to: begin + frames * frameBytes)
    try FileLayer.synchronize(path)
  }

  private func compareFixedValues() throws(FileError) {
    for (name, value) in layout.fixed {
      let same: Bool
      switch value {
      case .text(let text): same = try file.text(variable(name)) == text
      case .ints(let values): same = try file.integers(variable(name)).elementsEqual(values, by: ==)
      case .doubles(let values): same = try file.doubles(variable(name)) == values
      }
      if !same {
        throw FileError(
          path: path, message: "cannot be continued: its \(Self.meaning(of: name)) differ")
      }
    }
  }

  private static func meaning(of variable: String) -> String {
    switch variable {
    case "atom_types", "atomic_numbers": "elements"
    case "mass": "masses"
    default: "values of \(variable)"
    }
  }
}
