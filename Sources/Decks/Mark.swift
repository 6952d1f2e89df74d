import Matter

/// Where something a user wrote stands: a file with line and column from 1, or a `--set` option.
package struct Mark: Sendable, Equatable {
  package var file: String?
  package var line: Int?
  package var column: Int?

  package init(file: String? = nil, line: Int? = nil, column: Int? = nil) {
    self.file = file
    self.line = line
    self.column = column
  }

  func error(_ message: String, remedy: String = "") -> InputError {
    InputError(message, remedy: remedy, file: file, line: line, column: column)
  }
}
