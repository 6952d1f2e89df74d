import Dynamics
import Matter
import Trajectory

/// The command `apus`: finds the subcommand and turns errors into messages and exit statuses.
enum Apus {
  static let version = "0.1.0"

  private static var commands: [any Command.Type] {
    [
      RunCommand.self, EvaluateCommand.self, BenchmarkCommand.self, InfoCommand.self,
      ConvertCommand.self, AnalyzeCommand.self, ScatterCommand.self, MergeCommand.self,
    ]
  }
  private static let later = ["serve"]

  static func run(_ words: [String]) -> ExitStatus {
    guard let name = words.first else {
      Console.message(help)
      return .badInput
    }
    if name == "--help" || name == "-h" || name == "help" {
      Console.out(help)
      return .done
    }
    if name == "--version" {
      Console.out("apus \(version)")
      return .done
    }
    if later.contains(name) {
      Console.message("apus: \(name) is not in this version (\(version)). See `apus --help`")
      return .badInput
    }
    guard let command = commands.first(where: { $0.name == name }) else {
      let near = Spelling.nearest(name, among: commands.map { $0.name } + later)
      Console.message(
        "apus: unknown command '\(name)'" + (near.map { ", did you mean \($0)?" } ?? "")
          + ". See `apus --help`")
      return .badInput
    }
    do {
      let arguments = try Arguments(
        Array(words.dropFirst()), command.grammar, command: command.name)
      if arguments.flags.contains("--help") {
        Console.out(command.help)
        return .done
      }
      return try command.run(arguments)
    } catch let errors as InputErrors {
      for error in errors.errors { Console.message("apus: \(error)") }
      return .badInput
    } catch let error as InputError {
      Console.message("apus: \(error)")
      return .badInput
    } catch {
      Console.message("apus: \(error)")
      return .failed
    }
  }

  static let help = """
    apus \(version): molecular dynamics with machine-learned potentials

    apus run DECK            run a deck: equilibration, production, minimization
    apus evaluate            energies, forces and stresses of structures
    apus analyze SOURCE      energy, stress, heat capacity with errors and verdicts
    apus scatter SOURCE      dynamic structure factors, weights, corrections, instruments
    apus merge OUT PART      parts of a sharded scatter as one
    apus benchmark           the speed of a potential on a structure
    apus info FILE           what a model, structure, trajectory, checkpoint or result holds
    apus convert IN OUT      between structure and trajectory formats

    `apus COMMAND --help` says more. Every command takes --threads N (default: the cores this
    process may use) and --quiet.
    Exit status: 0 done; 1 failed while running; 2 bad usage or input, nothing written;
    75 stopped early, go on with --resume.

    Example:
      apus run silicon.yaml --output runs/silicon --max-walltime '2 h'
    """
}

/// One subcommand.
protocol Command {
  static var name: String { get }
  static var grammar: Arguments.Grammar { get }
  static var help: String { get }
  static func run(_ arguments: Arguments) throws -> ExitStatus
}
