import CZlib
import Glibc
import Matter

/// The lines of a text file, plain or compressed by gzip, with their numbers. Memory does not grow
/// with the file.
package final class LineReader {
  /// The file, for messages.
  package let path: String
  /// The number of the last line read, counted from 1.
  package private(set) var number = 0
  /// Bytes of the file on disk.
  package let fileSize: Int
  private let handle: gzFile
  private var buffer: [UInt8] = []
  private var position = 0
  private var atEnd = false
  /// What went wrong behind the bytes in the buffer.
  private var failure: InputError?
  private var held: [UInt8]?
  private let longest: Int

  /// Opens a file after checking that it is one and is text.
  package init(_ path: String, expecting what: String, longestLine: Int = 1 << 24)
    throws(InputError)
  {
    self.path = path
    longest = longestLine
    fileSize = try InputFile.check(path, expecting: what)
    guard let handle = gzopen(path, "rb") else {
      throw InputError("cannot be read: \(FileError.text(of: errno))", file: path)
    }
    self.handle = handle
    gzbuffer(handle, 1 << 17)
    try fill()
    if buffer.prefix(4096).contains(0) {
      let utf16 = buffer.starts(with: [0xff, 0xfe]) || buffer.starts(with: [0xfe, 0xff])
      throw InputError(
        "expected \(what), found \(utf16 ? "UTF-16 text" : "binary data")",
        remedy: utf16 ? "Save it as UTF-8" : "", file: path)
    }
    if buffer.isEmpty { throw InputError("expected \(what), found no content", file: path) }
    if buffer.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
  }

  deinit { gzclose(handle) }

  /// The next line without its end, or nil at the end of the file.
  package func next() throws(InputError) -> [UInt8]? {
    if let line = held {
      held = nil
      number += 1
      return line
    }
    var line: [UInt8] = []
    while true {
      if position == buffer.count {
        if atEnd {
          if line.isEmpty { return nil }
          break
        }
        try fill()
        continue
      }
      let end = buffer[position...].firstIndex(of: 10)
      line.append(contentsOf: buffer[position..<(end ?? buffer.count)])
      if line.count > longest {
        throw InputError(
          "expected text, found a line of more than \(ByteCount.text(longest))", file: path,
          line: number + 1)
      }
      position = end.map { $0 + 1 } ?? buffer.count
      if end != nil { break }
    }
    if line.last == 13 { line.removeLast() }
    number += 1
    return line
  }

  /// Gives back the line read last; the next call of `next` returns it again.
  package func putBack(_ line: [UInt8]) {
    held = line
    number -= 1
  }

  private func fill() throws(InputError) {
    if let failure { throw failure }
    let size = 1 << 17
    var got: Int32 = 0
    buffer = [UInt8](unsafeUninitializedCapacity: size) { bytes, count in
      got = gzread(handle, bytes.baseAddress, UInt32(size))
      count = max(0, Int(got))
    }
    position = 0
    if got < size {
      // A compressed file that ends too early is reported here, not by the read itself.
      var code: Int32 = Z_OK
      let text = gzerror(handle, &code).map { String(cString: $0) } ?? ""
      if got < 0 || (code != Z_OK && code != Z_STREAM_END) {
        let error = InputError(
          "cannot be read: \(code == Z_BUF_ERROR ? "the compressed file ends too early" : text)",
          file: path, line: number + 1)
        if got <= 0 { throw error }
        failure = error
      }
      if got == 0 { atEnd = true }
    }
  }

  /// A token of a line and the column where it begins, counted from 1.
  package struct Token {
    /// Its bytes.
    package let bytes: ArraySlice<UInt8>
    /// Where it begins.
    package let column: Int
    /// Its text.
    package var text: String { String(decoding: bytes, as: UTF8.self) }
  }

  /// The tokens of a line between spaces and tabs.
  package static func tokens(_ line: [UInt8]) -> [Token] {
    var result: [Token] = []
    var start = -1
    for (i, c) in line.enumerated() {
      if c == 32 || c == 9 || c == 13 || c == 11 || c == 12 {
        if start >= 0 { result.append(Token(bytes: line[start..<i], column: start + 1)) }
        start = -1
      } else if start < 0 {
        start = i
      }
    }
    if start >= 0 { result.append(Token(bytes: line[start...], column: start + 1)) }
    return result
  }

  /// An error at a place of this file.
  package func error(_ message: String, _ remedy: String = "", line: Int? = nil, column: Int? = nil)
    -> InputError
  {
    InputError(message, remedy: remedy, file: path, line: line ?? max(1, number), column: column)
  }

  /// The number that a token of the last line holds.
  package func real(_ token: Token, _ what: String) throws(InputError) -> Double {
    guard let value = NumberText.double(token.bytes) else {
      throw error(
        "expected \(what), found \(NumberText.problem(token.bytes))", column: token.column)
    }
    return value
  }

  /// The integer that a token of the last line holds.
  package func integer(_ token: Token, _ what: String) throws(InputError) -> Int {
    guard let value = NumberText.integer(token.bytes) else {
      throw error("expected \(what), found '\(token.text.prefix(40))'", column: token.column)
    }
    return value
  }

  /// Three numbers of the last line.
  func vector(_ tokens: ArraySlice<Token>, _ what: String) throws(InputError) -> SIMD3<Double> {
    guard tokens.count >= 3 else { throw error("expected \(what), three numbers") }
    let i = tokens.startIndex
    return [
      try real(tokens[i], what), try real(tokens[i + 1], what), try real(tokens[i + 2], what),
    ]
  }
}
