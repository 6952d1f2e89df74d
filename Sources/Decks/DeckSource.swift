import Matter
import Trajectory

/// The text of a deck and the name it goes by in messages.
package struct DeckSource: Sendable {
  /// As in messages.
  package let name: String
  /// UTF-8 without a byte-order mark.
  package let text: String
  /// The absolute folder that relative paths start from.
  package let folder: String

  /// The largest deck that is read, in bytes.
  static let sizeLimit = 16 << 20

  /// A deck held in memory; relative paths start from `folder`, or from the working directory.
  package init(text: String, name: String = "deck.yaml", folder: String? = nil) {
    self.name = name
    self.text = text.hasPrefix("\u{FEFF}") ? String(text.unicodeScalars.dropFirst()) : text
    self.folder = folder.map(Paths.absolute) ?? Paths.workingDirectory
  }

  /// A deck read from a regular file of at most 16 MiB.
  package init(path: String) throws(InputErrors) {
    let bytes: [UInt8]
    do throws(InputError) {
      bytes = try InputFile.read(path, expecting: "a deck", limit: Self.sizeLimit)
      try self.init(
        text: Self.decoded(bytes, name: path), name: path, folder: Paths.folder(of: path))
    } catch {
      throw InputErrors([error])
    }
  }

  /// The root of the deck; what can be passed over goes to the problems.
  func tree(_ problems: Problems) throws(InputErrors) -> Node {
    do throws(InputError) {
      let (root, errors) = try YAMLReader.tree(text, name: name)
      problems.errors += errors
      return root
    } catch {
      throw InputErrors([error])
    }
  }

  /// The text of UTF-8 bytes; other encodings and NUL are refused.
  static func decoded(_ bytes: [UInt8], name: String) throws(InputError) -> String {
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      throw InputError(
        "is UTF-16 text; a deck is UTF-8", remedy: "Convert it: iconv -f UTF-16 -t UTF-8",
        file: name)
    }
    func place(_ offset: Int) -> (line: Int, column: Int) {
      let before = bytes[..<offset]
      let start = before.lastIndex(of: 10).map { $0 + 1 } ?? 0
      return (1 + before.count { $0 == 10 }, 1 + offset - start)
    }
    if let offset = bytes.firstIndex(of: 0) {
      let (line, column) = place(offset)
      throw InputError(
        "holds a NUL byte; a deck is UTF-8 text", remedy: "Give the path of a run deck",
        file: name, line: line, column: column)
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      let valid = zip(String(decoding: bytes, as: UTF8.self).utf8, bytes).prefix { $0 == $1 }.count
      let (line, column) = place(min(valid, bytes.count - 1))
      throw InputError(
        "is not UTF-8 text", remedy: "Convert it, for example: iconv -f LATIN1 -t UTF-8",
        file: name, line: line, column: column)
    }
    return text
  }
}
