import Matter
import Trajectory

/// All that a run needs to go on as if it had never stopped, bit for bit.
public struct Checkpoint: Sendable, Equatable {
  /// The layout of the file; another number is refused by name.
  static let formatVersion = 1

  /// Steps done in the whole run.
  public var step = 0
  /// Of those the steps of dynamics, which alone take time.
  public var dynamicsStep = 0
  /// The stage by index; −1 before the first.
  public var stage = 0
  /// Steps done in the stage.
  public var stageStep = 0
  /// Whether the stage is over.
  public var stageIsDone = false
  /// Frames in the stage's trajectory.
  public var frames = 0
  /// Bytes in the stage's thermo.csv.
  public var thermoBytes = 0

  /// Atomic numbers.
  public var elements: [Int] = []
  /// Masses, in amu.
  public var masses: [Double] = []
  /// Cell vectors a, b, c, in Å.
  public var cell: [Double] = []
  /// Which directions repeat.
  public var periodicity: [Bool] = []
  /// Positions, in Å: x of all atoms, then y, then z.
  public var positions: [Double] = []
  /// Velocities, in internal units, in the same order.
  public var velocities: [Double] = []
  /// Forces, in eV/Å, in the same order.
  public var forces: [Double] = []
  /// Potential energy, in eV.
  public var energy = 0.0
  /// Virial, in eV, 3×3 by rows.
  public var virial: [Double] = []

  /// The integrator's own variables.
  public var integrator: IntegratorMemory = [:]
  /// Running averages of the cell by name, and what guards compare with.
  public var accumulators: [String: [Double]] = [:]

  /// The resolved deck.
  public var deck = ""
  /// SHA-256 of the model file.
  public var modelHash = ""
  /// SHA-256 of the structure file.
  public var structureHash = ""
  /// The program that wrote it.
  public var program = ""

  /// A checkpoint of nothing.
  public init() {}
}

extension Checkpoint {
  /// Why a file is not a usable checkpoint.
  public struct Damage: Error, Equatable, CustomStringConvertible {
    /// The reason, such as `incomplete (checksum)`.
    public let description: String
  }

  private static let integratorPrefix = "integrator."
  private static let accumulatorPrefix = "accumulator."

  /// The file, with a checksum over everything else in it.
  public var bytes: [UInt8] {
    var file = CDF5()
    file.texts = [
      "apus_kind": "checkpoint", "program": program, "deck": deck, "model_sha256": modelHash,
      "structure_sha256": structureHash,
    ]
    file.integers = [
      "format_version": [Int64(Self.formatVersion)],
      "position": [step, dynamicsStep, stage, stageStep, frames, thermoBytes].map(Int64.init),
      "flags": [stageIsDone ? 1 : 0],
      "atomic_numbers": elements.map(Int64.init),
      "periodicity": periodicity.map { $0 ? 1 : 0 },
    ]
    file.numbers = [
      "masses": masses, "cell": cell, "positions": positions, "velocities": velocities,
      "forces": forces, "energy": [energy], "virial": virial,
    ]
    for (name, values) in integrator { file.numbers[Self.integratorPrefix + name] = values }
    for (name, values) in accumulators { file.numbers[Self.accumulatorPrefix + name] = values }
    file.texts["empty"] = file.numbers.filter { $0.value.isEmpty }.keys.sorted()
      .joined(separator: "\n")
    file.texts["checksum"] = Self.checksum(file)
    return file.bytes
  }

  /// Reads and verifies a file, its size against its header before anything else.
  /// - Throws: `Damage`, or `InputError` for what is no file
  public init(path: String) throws {
    let size = try InputFile.check(path, expecting: "a checkpoint")
    guard let header = try? ClassicHeader(path: path) else {
      throw Damage(description: "incomplete or altered (header)")
    }
    let end = header.variables.map { $0.begin + $0.paddedBytes }.max() ?? 0
    guard end == size else {
      throw Damage(description: "incomplete or altered (\(size) bytes, \(end) by its header)")
    }
    try self.init(bytes: InputFile.read(path, expecting: "a checkpoint", limit: size))
  }

  /// Verifies the bytes of a file.
  public init(bytes: [UInt8]) throws(Damage) {
    var file: CDF5
    do { file = try CDF5(bytes: bytes) } catch { throw Damage(description: error.description) }
    guard let found = file.texts.removeValue(forKey: "checksum"), found == Self.checksum(file)
    else {
      throw Damage(description: "incomplete or altered (checksum)")
    }
    guard file.texts["apus_kind"] == "checkpoint" else {
      throw Damage(description: "not a checkpoint")
    }
    guard let version = file.integers["format_version"]?.first, version == Self.formatVersion else {
      throw Damage(
        description:
          "of format \(file.integers["format_version"]?.first ?? 0); this program reads \(Self.formatVersion)"
      )
    }
    for name in (file.texts["empty"] ?? "").split(separator: "\n") {
      file.numbers[String(name)] = []
    }
    func integers(_ name: String, _ count: Int? = nil) throws(Damage) -> [Int] {
      let values = (file.integers[name] ?? []).map { Int($0) }
      guard count == nil || values.count == count else {
        throw Damage(description: "without \(name)")
      }
      return values
    }
    func numbers(_ name: String, _ count: Int) throws(Damage) -> [Double] {
      guard let values = file.numbers[name], values.count == count else {
        throw Damage(description: "without \(name)")
      }
      return values
    }
    let position = try integers("position", 6)
    (step, dynamicsStep, stage) = (position[0], position[1], position[2])
    (stageStep, frames, thermoBytes) = (position[3], position[4], position[5])
    stageIsDone = try integers("flags", 1)[0] == 1
    elements = try integers("atomic_numbers")
    let n = elements.count
    periodicity = try integers("periodicity", 3).map { $0 == 1 }
    masses = try numbers("masses", n)
    cell = try numbers("cell", 9)
    positions = try numbers("positions", 3 * n)
    velocities = try numbers("velocities", 3 * n)
    forces = try numbers("forces", 3 * n)
    energy = try numbers("energy", 1)[0]
    virial = try numbers("virial", 9)
    for (name, values) in file.numbers {
      if name.hasPrefix(Self.integratorPrefix) {
        integrator[String(name.dropFirst(Self.integratorPrefix.count))] = values
      } else if name.hasPrefix(Self.accumulatorPrefix) {
        accumulators[String(name.dropFirst(Self.accumulatorPrefix.count))] = values
      }
    }
    deck = file.texts["deck"] ?? ""
    modelHash = file.texts["model_sha256"] ?? ""
    structureHash = file.texts["structure_sha256"] ?? ""
    program = file.texts["program"] ?? ""
  }

  private static func checksum(_ file: CDF5) -> String { SHA256.hex(of: file.bytes) }
}

extension Checkpoint {
  /// Whether the cell of the initial state had right angles, on which a default of decks depends.
  public var initialCellIsOrthogonal: Bool { accumulators["orthogonal"]?.first == 1 }

  /// The cell, elements and periodicity as values; nil if they make no sense.
  public var structure: Structure? {
    let elements = elements.compactMap(Element.init(atomicNumber:))
    let c = cell
    guard elements.count == self.elements.count,
      let cell = try? Cell(
        a: [c[0], c[1], c[2]], b: [c[3], c[4], c[5]], c: [c[6], c[7], c[8]])
    else { return nil }
    let n = elements.count
    func vectors(_ v: [Double]) -> [SIMD3<Double>] {
      (0..<n).map { [v[$0], v[n + $0], v[2 * n + $0]] }
    }
    return Structure(
      elements: elements, positions: vectors(positions), cell: cell,
      periodicity: Periodicity(a: periodicity[0], b: periodicity[1], c: periodicity[2]),
      velocities: vectors(velocities), masses: masses)
  }
}
