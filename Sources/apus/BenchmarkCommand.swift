import CHost
import Dynamics
import Glibc
import Matter
import Parallel
import Potentials
import Trajectory

/// `apus benchmark`: the speed of molecular dynamics with a model.
enum BenchmarkCommand: Command {
  static let name = "benchmark"
  static let grammar = Arguments.Grammar(
    options: [
      "--model": 1, "--structure": 1, "--supercell": 3, "--steps": 1, "--precision": 1, "--head": 1,
      "--repeats": 1, "--temperature": 1, "--timestep": 1,
    ],
    flags: ["--json"], operands: [])
  static let help = """
    apus benchmark --model MODEL --structure FILE [options]: times steps of molecular dynamics
    (forces, neighbor rebuilds, integration) at constant energy

      --supercell A B C     repeat the structure
      --steps N             steps of each repeat (default: about two seconds)
      --repeats N           repeats, of which best and median are given (default 5)
      --precision P         mixed (default) or double
      --temperature T       of the start, in K (default 300)
      --timestep T          in fs (default 1)
      --json                one JSON object on stdout
      --threads N           threads (default: the cores this process may use)

    Example:
      apus benchmark --model Si.txt --structure silicon.xyz --supercell 5 5 5 --threads 1 --json
    """

  static func run(_ arguments: Arguments) throws -> ExitStatus {
    let modelPath = try arguments.required("--model", "the file of the potential")
    let structurePath = try arguments.required("--structure", "a structure file")
    let precision = try Self.precision(arguments)
    let team = ThreadTeam(count: try arguments.threads())
    let repeats = try arguments.count("--repeats") ?? 5
    let temperature = try positive(arguments, "--temperature") ?? 300
    let timestepFs = try positive(arguments, "--timestep") ?? 1
    let model = try PotentialLoader.load(
      RunPlan.PotentialChoice(
        model: modelPath, precision: precision, head: arguments.value("--head")))
    var structure = try StructureReader.first(path: structurePath).structure
    if let words = arguments.values["--supercell"]?.first {
      let m = words.compactMap { Int($0) }
      guard m.count == 3, m.allSatisfy({ $0 > 0 && $0 < 10_000 }),
        let repeated = structure.repeated([[m[0], 0, 0], [0, m[1], 0], [0, 0, m[2]]])
      else {
        throw InputError(
          "--supercell needs three positive whole numbers and a structure with a cell, found '\(words.joined(separator: " "))'"
        )
      }
      structure = repeated
    }
    guard structure.count > 1 else { throw InputError("a benchmark needs at least two atoms") }
    if let missing = Preflight.missingElements(structure, model.potential, model: modelPath) {
      throw InputError(missing, file: structurePath)
    }
    var state = PhaseState(
      configuration: structure.configuration(), masses: structure.elements.map(\.mass))
    state.setVelocities(temperature: temperature, seed: 1)
    let evaluator = ForceEvaluator(potential: model.potential, team: team)
    var forces = Evaluation(count: structure.count)
    try evaluator.evaluate(state.configuration, needing: [], into: &forces)
    let stage = RunPlan.Stage(
      name: "benchmark", ensemble: .nve, steps: 1, cell: .last, trajectory: nil, thermoEvery: 1)
    var integrator = try makeIntegrator(
      for: stage, timestepFs: timestepFs, seed: 1, state: state)
    let setpoint = Setpoint(temperature: temperature, pressure: .zero)
    var step = 0
    func advance(_ count: Int) throws -> Double {
      let start = MonotonicClock.seconds
      for _ in 0..<count {
        step += 1
        try integrator.step(step, &state, &forces, evaluator: evaluator, setpoint: setpoint)
      }
      return MonotonicClock.seconds - start
    }
    // The first steps size scratch and warm the caches.
    var trial = try advance(2) / 2
    trial = min(trial, try advance(3) / 3)
    let steps = try arguments.count("--steps") ?? max(5, min(100_000, Int(2 / trial)))
    var times: [Double] = []
    let builds = evaluator.neighbors.buildCount
    for _ in 0..<repeats { times.append(try advance(steps) / Double(steps)) }
    let rebuilds = evaluator.neighbors.buildCount - builds
    times.sort()
    let best = times[0]
    let median = times[times.count / 2]
    let atoms = Double(structure.count)
    let result: [(String, JSON)] = [
      ("name", .text("MD/\(FileLayer.name(of: structurePath))/\(structure.count)")),
      ("model", .text(model.description)), ("atoms", .number(atoms)),
      ("precision", .text(precision.rawValue)), ("threads", .number(Double(team.count))),
      ("steps", .number(Double(steps))), ("repeats", .number(Double(repeats))),
      ("atom_steps_per_second", .number(atoms / best)),
      ("atom_steps_per_second_median", .number(atoms / median)),
      ("seconds_per_step", .number(best)), ("seconds_per_step_median", .number(median)),
      ("ns_per_day", .number(86400 / best * timestepFs * 1e-6)),
      ("timestep_fs", .number(timestepFs)), ("neighbor_rebuilds", .number(Double(rebuilds))),
      ("peak_memory_MB", .number(peakMemory)), ("energy_eV", .number(forces.energy)),
      ("cpu", .text(cpu)),
      ("built_for", .text(String(cString: host_built_for()))), ("swift", .text(swiftVersion)),
      ("version", .text(Apus.version)),
    ]
    if arguments.flags.contains("--json") {
      Console.out(
        "{"
          + result.map { "\(JSON.text($0.0).description): \($0.1.description)" }
          .joined(separator: ", ") + "}")
    } else {
      let width = result.map { $0.0.count }.max() ?? 0
      for (key, value) in result {
        Console.out(
          key + String(repeating: " ", count: width - key.count + 2) + value.plain)
      }
    }
    return .done
  }

  static func precision(_ arguments: Arguments) throws(InputError) -> RunPlan.Precision {
    guard let word = arguments.value("--precision") else { return .mixed }
    guard let precision = RunPlan.Precision(rawValue: word) else {
      throw InputError("--precision is mixed or double, not '\(word)'")
    }
    return precision
  }

  private static func positive(_ arguments: Arguments, _ option: String) throws(InputError)
    -> Double?
  {
    guard let text = arguments.value(option) else { return nil }
    guard let x = Double(text.split(separator: " ").first.map(String.init) ?? text), x.isFinite,
      x > 0
    else { throw InputError("\(option) must be a positive number, not '\(text)'") }
    return x
  }

  private enum JSON: CustomStringConvertible {
    case text(String)
    case number(Double)
    var plain: String {
      switch self {
      case .text(let text): text
      case .number: description
      }
    }
    var description: String {
      switch self {
      case .number(let x): x == x.rounded() && abs(x) < 1e15 ? String(Int(x)) : "\(x)"
      case .text(let text):
        "\""
          + text.unicodeScalars.map {
            $0 == "\"" || $0 == "\\"
              ? "\\\($0)" : $0.value < 32 ? " " : String($0)
          }.joined() + "\""
      }
    }
  }

  private static var cpu: String { systemValue("model name", in: "/proc/cpuinfo") ?? "unknown" }

  /// Largest resident memory of this process so far, in MB; zero where the system does not say.
  private static var peakMemory: Double {
    let kibibytes = systemValue("VmHWM", in: "/proc/self/status")?.split(separator: " ").first
    return (kibibytes.flatMap { Double($0) } ?? 0) * 1.024e-3
  }

  /// What follows the colon in the first line of a file of /proc that begins with a word.
  private static func systemValue(_ word: String, in path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let n = fread(&bytes, 1, bytes.count, file)
    let lines = String(decoding: bytes.prefix(n), as: UTF8.self).split(separator: "\n")
    let value = lines.first { $0.hasPrefix(word) }?.split(separator: ":").last
    return value.map { String($0.drop { $0 == " " || $0 == "\t" }) }
  }

  private static var swiftVersion: String {
    #if compiler(>=6.4)
      "6.4 or newer"
    #elseif compiler(>=6.3)
      "6.3"
    #else
      "6.2"
    #endif
  }
}
