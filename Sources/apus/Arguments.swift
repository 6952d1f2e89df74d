import Matter

/// The words of a command line, sorted into options, flags and the rest.
struct Arguments {
  /// What a command accepts.
  struct Grammar {
    /// Options with their number of values.
    var options: [String: Int] = [:]
    var flags: Set<String> = []
    /// Names of the words that are not options, in order; `repeated`: the last may come often.
    var operands: [String] = []
    var repeated = false
    /// Operands that must be there.
    var required: Int?
  }

  private(set) var values: [String: [[String]]] = [:]
  private(set) var flags: Set<String> = []
  private(set) var operands: [String] = []

  /// Sorts words by a grammar; `--threads`, `--quiet` and `--help` belong to every command.
  /// - Throws: `InputError` with the nearest known name for an unknown option
  init(_ words: [String], _ grammar: Grammar, command: String) throws(InputError) {
    let help = "See `apus \(command) --help`"
    var options = grammar.options
    options["--threads"] = 1
    let known = grammar.flags.union(["--quiet", "--help", "-h"])
    var k = 0
    while k < words.count {
      var word = words[k]
      k += 1
      if word == "--" {
        operands += words[k...]
        break
      }
      guard word.hasPrefix("-"), word != "-" else {
        operands.append(word)
        continue
      }
      var inline: String?
      if word.hasPrefix("--"), let equals = word.firstIndex(of: "=") {
        inline = String(word[word.index(after: equals)...])
        word = String(word[..<equals])
      }
      if known.contains(word) {
        guard inline == nil else { throw InputError("\(word) takes no value", remedy: help) }
        flags.insert(word == "-h" ? "--help" : word)
      } else if let count = options[word] {
        var taken = inline.map { [$0] } ?? []
        while taken.count < count, k < words.count {
          taken.append(words[k])
          k += 1
        }
        guard taken.count == count else {
          throw InputError(
            "\(word) needs \(count == 1 ? "a value" : "\(count) values")", remedy: help)
        }
        if word != "--set", values[word] != nil {
          throw InputError("\(word) is given twice", remedy: help)
        }
        values[word, default: []].append(taken)
      } else {
        let near = Spelling.nearest(word, among: Array(options.keys) + Array(known))
        throw InputError(
          "unknown option \(word)" + (near.map { ", did you mean \($0)?" } ?? ""), remedy: help)
      }
    }
    if flags.contains("--help") { return }
    let required = grammar.required ?? grammar.operands.count
    if operands.count < required {
      throw InputError("\(grammar.operands[operands.count]) is missing", remedy: help)
    }
    if !grammar.repeated, operands.count > grammar.operands.count {
      throw InputError("unexpected argument '\(operands[grammar.operands.count])'", remedy: help)
    }
  }

  /// The value of an option, if given.
  func value(_ option: String) -> String? { values[option]?.last?.first }

  /// The value of an option that must be given.
  func required(_ option: String, _ meaning: String) throws(InputError) -> String {
    guard let value = value(option) else {
      throw InputError("\(option) is missing", remedy: "Give \(option) \(meaning)")
    }
    return value
  }

  /// A positive whole number.
  func count(_ option: String) throws(InputError) -> Int? {
    guard let text = value(option) else { return nil }
    guard let n = Int(text), n > 0 else {
      throw InputError("\(option) must be a positive whole number, not '\(text)'")
    }
    return n
  }

  /// The number of threads: `--threads`, or the processors the process may use.
  func threads() throws(InputError) -> Int? {
    guard let n = try count("--threads") else { return nil }
    guard n <= 4096 else { throw InputError("--threads is at most 4096, not \(n)") }
    return n
  }
}
