import Decks
import Matter
import Trajectory

/// The words of a command line about a trajectory, the same in every command.
enum TrajectoryArguments {
  /// The options with their number of values.
  static let options = [
    "--first": 1, "--last": 1, "--every": 1, "--topology": 1, "--elements": 1, "--timestep": 1,
    "--units": 1,
  ]
  /// What the help says about them.
  static let help = """
      --first T, --last T   only frames between these times, from the first frame on, as '10 ps'
      --every N             only every N-th of these
      --topology FILE       a structure of the same atoms in the same order, for elements and masses
      --elements C,H,...    the element of each type of a LAMMPS or GPUMD file, or of every atom
      --timestep T          the time between stored frames, where the file does not tell
      --units U             of a LAMMPS dump that does not tell: metal (default) or real
    """

  /// The options that a command line gives.
  static func options(_ arguments: Arguments) throws(InputError) -> TrajectoryOptions {
    var options = TrajectoryOptions()
    options.firstPs = try time("--first", arguments)
    options.lastPs = try time("--last", arguments)
    options.timestepPs = try time("--timestep", arguments)
    options.every = try arguments.count("--every") ?? 1
    options.topology = arguments.value("--topology")
    if let text = arguments.value("--elements") {
      var elements: [Element] = []
      for word in text.split(whereSeparator: { ", []".contains($0) }) {
        guard let element = Element(symbol: String(word)) else {
          throw InputError(
            "--elements: '\(word)' is no element symbol", remedy: "Write them as C,H,I,S")
        }
        elements.append(element)
      }
      guard !elements.isEmpty else { throw InputError("--elements names none") }
      options.elements = elements
    }
    if let text = arguments.value("--units") {
      guard let units = LAMMPSUnits(rawValue: text) else {
        throw InputError("--units must be metal or real, not '\(text)'")
      }
      options.units = units
    }
    return options
  }

  /// Tells the user what was assumed and what is wrong.
  static func report(_ stream: TrajectoryStream) {
    for note in stream.facts.notes { Console.message("apus: note: \(stream.facts.path): \(note)") }
    for problem in [stream.damage, stream.unevenness].compactMap({ $0 }) {
      Console.message("apus: warning: \(stream.facts.path): \(problem)")
    }
  }

  private static func time(_ option: String, _ arguments: Arguments) throws(InputError) -> Double? {
    guard let text = arguments.value(option) else { return nil }
    do throws(InputError) {
      return try Quantity.time.value(of: text) / 1000
    } catch {
      throw InputError("\(option): \(error.message)", remedy: error.remedy)
    }
  }
}
