import Dynamics
import Matter
import NEP
import Neighbors
import Parallel
import Potentials
import Trajectory

/// Makes potentials from model files; the only place that knows their kinds.
enum PotentialLoader {
  /// A potential and what to say about it.
  struct Model {
    let potential: any Potential
    /// SHA-256 of the file.
    let hash: String
    /// One phrase, and the works to cite.
    let description: String
    let citations: [String]
  }

  /// Far beyond any model, in bytes.
  private static let limit = 1 << 28

  /// Reads a model, its kind recognised from the file.
  static func load(_ choice: RunPlan.PotentialChoice) throws -> Model {
    let line = try firstLine(of: choice.model)
    let hash = try InputFile.hash(choice.model, expecting: "a model file", limit: limit)
    let name = FileLayer.name(of: choice.model)
    if let model = try analytic(line, file: choice.model) {
      return Model(
        potential: model.0, hash: hash, description: "\(model.1) (\(name))", citations: model.2)
    }
    guard NEPModel.recognizes(line) else {
      let start = line.prefix(40).unicodeScalars.map { $0.isASCII && $0.value >= 32 ? $0 : "?" }
      throw InputError(
        "not a model file that apus knows: it begins with '\(String(String.UnicodeScalarView(start)))'",
        remedy:
          "Expected a NEP file (nep3, nep4 or nep5), or a line `lennard-jones El sigma epsilon cutoff` or `stillinger-weber Si`",
        file: choice.model, line: 1)
    }
    if let head = choice.head {
      throw InputError(
        "has one head only; the deck asks for '\(head)'", remedy: "Remove `head`",
        file: choice.model)
    }
    let model = try NEPModel.read(path: choice.model)
    return Model(
      potential: NEPPotential(
        model, precision: choice.precision == .mixed ? .mixed : .double),
      hash: hash,
      description: "\(model.summary) (\(name))",
      citations: [
        "Z. Fan et al., J. Chem. Phys. 157, 114801 (2022), doi:10.1063/5.0106617 (neuroevolution potentials)"
      ])
  }

  /// Whether a file begins like a model.
  static func recognizes(_ path: String) -> Bool {
    guard let line = try? firstLine(of: path) else { return false }
    return NEPModel.recognizes(line)
      || ["lennard-jones", "stillinger-weber"].contains {
        line.hasPrefix($0)
      }
  }

  private static func firstLine(of path: String) throws(InputError) -> String {
    let start = try InputFile.read(path, expecting: "a model file", limit: limit, atMost: 4096)
    return String(decoding: start.prefix { $0 != 10 && $0 != 13 }, as: UTF8.self)
  }

  /// The SHA-256 of a structure file.
  static func hash(of path: String) throws -> String {
    try InputFile.hash(path, expecting: "a structure file", limit: 1 << 32)
  }

  /// A potential of one line, for tests and demonstrations.
  private static func analytic(
    _ line: String, file: String
  ) throws(InputError) -> ((any Potential), String, [String])? {
    let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).map(String.init)
    func fail(_ message: String) -> InputError {
      InputError(
        message,
        remedy: "Write `lennard-jones Ar 3.4 0.0104 8.5` (Å, eV, Å) or `stillinger-weber Si`",
        file: file, line: 1)
    }
    switch words.first {
    case "lennard-jones":
      guard words.count == 5, let element = Element(symbol: words[1]) else {
        throw fail("expected an element, sigma, epsilon and cutoff, found '\(line)'")
      }
      let numbers = words[2...].map { Double($0) ?? .nan }
      guard numbers.allSatisfy({ $0.isFinite && $0 > 0 }) else {
        throw fail("expected three positive numbers, found '\(words[2...].joined(separator: " "))'")
      }
      return (
        OneElement(
          LennardJones(
            epsilon: numbers[1], sigma: numbers[0], onset: 0.9 * numbers[2], cutoff: numbers[2]),
          element),
        "Lennard-Jones potential for \(element)",
        ["J. E. Lennard-Jones, Proc. R. Soc. A 106, 463 (1924), doi:10.1098/rspa.1924.0082"]
      )
    case "stillinger-weber":
      guard words.count == 2, words[1] == "Si" else {
        throw fail("expected `stillinger-weber Si`, found '\(line)'")
      }
      return (
        StillingerWeber(), "Stillinger-Weber potential for Si",
        [
          "F. H. Stillinger and T. A. Weber, Phys. Rev. B 31, 5262 (1985), doi:10.1103/PhysRevB.31.5262"
        ]
      )
    default: return nil
    }
  }
}

/// A potential that serves one element only.
private final class OneElement: Potential {
  private let base: any Potential
  let elements: [Element]?
  init(_ base: any Potential, _ element: Element) {
    self.base = base
    elements = [element]
  }
  var cutoff: Double { base.cutoff }
  func evaluate(
    _ configuration: borrowing Configuration, _ neighbors: NeighborList, needing: Requirements,
    team: ThreadTeam, into result: inout Evaluation
  ) throws(ModelError) {
    try base.evaluate(configuration, neighbors, needing: needing, team: team, into: &result)
  }
}
