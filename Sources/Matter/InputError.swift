/// What is wrong with something a user gave, where, and how to mend it. Ends a command with exit
/// status 2 before anything is written.
public struct InputError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file, or nil for the command line.
  public var file: String?
  /// Line and column, counted from 1, where known.
  public var line, column: Int?
  /// What was expected and what was found.
  public var message: String
  /// How to mend it.
  public var remedy: String

  /// An error at a place in a file, or without one.
  public init(
    _ message: String, remedy: String = "", file: String? = nil, line: Int? = nil,
    column: Int? = nil
  ) {
    self.file = file
    self.line = line
    self.column = column
    self.message = message
    self.remedy = remedy
  }

  /// `file:line:column: message. remedy`, on one line.
  public var description: String {
    var place = file ?? ""
    if let line { place += ":\(line)" }
    if let column { place += ":\(column)" }
    if !place.isEmpty { place += ": " }
    return place + message + (remedy.isEmpty ? "" : ". " + remedy)
  }
}

/// All that is wrong with one input, a line each.
public struct InputErrors: Error, Sendable, Equatable, CustomStringConvertible {
  /// At least one error.
  public var errors: [InputError]
  /// Errors found in one pass.
  public init(_ errors: [InputError]) { self.errors = errors }
  /// A line for each error.
  public var description: String { errors.map(\.description).joined(separator: "\n") }
}
