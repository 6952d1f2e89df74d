import Glibc
import Matter
import Potentials
import Trajectory

/// What a run will need of memory and disk, and what there is.
public struct RunEstimate: Sendable {
  /// Bytes of memory.
  public var memory = 0.0
  /// Bytes of the files to be written.
  public var disk = 0.0

  /// From the plan and the number of atoms.
  /// - Parameters:
  ///   - neighborsPerAtom: pairs per atom in the neighbour list
  public init(plan: RunPlan, atoms: Int, neighborsPerAtom: Double) {
    let n = Double(atoms)
    // State, forces, grid and scratch of a potential; a pair takes 12 bytes in the list, and about
    // as many keys while it is built.
    memory = 5e7 + n * (1500 + 40 * neighborsPerAtom)
    // Positions, velocities, forces and masses, in two checkpoints and a third while writing.
    disk = 3 * (n * 88 + 20_000) + n * 120
    for stage in plan.stages {
      disk += Double(stage.steps / max(stage.thermoEvery, 1)) * 400
      if let output = stage.trajectory {
        let vectors = 1 + (output.velocities ? 1.0 : 0) + (output.forces ? 1.0 : 0)
        disk += Double(stage.steps / max(output.every, 1)) * (n * 12 * vectors + 200) + n * 100
      }
    }
  }

  /// Neighbours within a radius of a mean atom of a periodic structure.
  public static func neighbors(_ structure: Structure, within radius: Double) -> Double {
    let sphere = 4 / 3 * Double.pi * radius * radius * radius
    return Double(structure.count) / structure.framingCell.volume * sphere
  }

  /// Bytes of memory that this process may still take; nil if unknown.
  public static var availableMemory: Double? {
    var least: Double?
    func take(_ value: Double?) {
      if let value { least = min(least ?? .infinity, value) }
    }
    for line in text("/proc/meminfo").split(separator: "\n") where line.hasPrefix("MemAvailable:") {
      take(line.split(separator: " ").dropFirst().first.flatMap { Double($0) }.map { $0 * 1024 })
    }
    let group = "/sys/fs/cgroup/"
    if let limit = Double(word(group + "memory.max")),
      let used = Double(word(group + "memory.current"))
    {
      // Cached files count as used but give way.
      let cached =
        text(group + "memory.stat").split(separator: "\n")
        .first { $0.hasPrefix("inactive_file ") }
        .flatMap { Double($0.dropFirst(14)) } ?? 0
      take(limit - used + cached)
    }
    var limit = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit) == 0,
      limit.rlim_cur != rlim_t.max
    {
      take(Double(limit.rlim_cur))
    }
    return least
  }

  /// What stands against the run, a line each.
  /// - Parameter directory: where the files go; it need not exist
  public func obstacles(directory: String) -> [InputError] {
    var errors: [InputError] = []
    if let error = Self.memoryObstacle(memory) { errors.append(error) }
    if let free = FileLayer.freeSpace(at: directory), disk > Double(free) {
      errors.append(
        InputError(
          "\(directory): the run writes \(Decimal.bytes(disk)), \(Decimal.bytes(Double(free))) are free",
          remedy: "Write fewer frames (`trajectory: {every: …}`), or to another disk with --output")
      )
    }
    return errors
  }

  /// An error if so many bytes of memory are not there.
  public static func memoryObstacle(_ bytes: Double) -> InputError? {
    guard let available = availableMemory, bytes > available else { return nil }
    return InputError(
      "the run needs about \(Decimal.bytes(bytes)) of memory, \(Decimal.bytes(available)) are available",
      remedy: "Use a smaller supercell or a larger machine")
  }

  private static func word(_ path: String) -> String {
    text(path).split(separator: "\n").first.map(String.init) ?? ""
  }

  private static func text(_ path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 16384)
    let n = fread(&bytes, 1, bytes.count, file)
    return String(decoding: bytes.prefix(n), as: UTF8.self)
  }
}
