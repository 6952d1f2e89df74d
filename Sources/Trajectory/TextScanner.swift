import CZlib
import Glibc
import Matter

/// The lines of a large text file, plain or compressed by gzip, without a copy of each.
final class TextScanner {
  /// The file, for messages.
  let path: String
  /// The number of the last line read, counted from 1.
  private(set) var number = 0
  /// Whether the last line read has no line end: the file may have been cut inside it.
  private(set) var lineIsCut = false
  /// Why the file ends before its end, or nil.
  private(set) var earlyEnd: String?
  private let handle: gzFile
  private var buffer: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private var begin = 0
  private var end = 0
  private var atEnd = false
  private static let longestLine = 1 << 24

  /// Opens a file after checking that it is one and is text.
  init(_ path: String, expecting what: String) throws(InputError) {
    self.path = path
    try InputFile.check(path, expecting: what)
    guard let handle = gzopen(path, "rb") else {
      throw InputError("cannot be read: \(FileError.text(of: errno))", file: path)
    }
    self.handle = handle
    gzbuffer(handle, 1 << 18)
    capacity = 1 << 20
    buffer = .allocate(capacity: capacity)
    try fill()
    if (0..<min(end, 4096)).contains(where: { buffer[$0] == 0 }) {
      throw InputError("expected \(what), found binary data", file: path)
    }
    if end == 0 {
      throw InputError(
        "expected \(what), found " + (earlyEnd ?? "no content"), file: path)
    }
    skipMark()
  }

  deinit {
    gzclose(handle)
    buffer.deallocate()
  }

  /// Goes back to the first line.
  func rewind() throws(InputError) {
    guard gzrewind(handle) == 0 else {
      throw InputError("cannot be read a second time", file: path)
    }
    (number, begin, end, lineIsCut, atEnd, earlyEnd) = (0, 0, 0, false, false, nil)
    try fill()
    skipMark()
  }

  private func skipMark() {
    if end >= 3, buffer[0] == 0xef, buffer[1] == 0xbb, buffer[2] == 0xbf { begin = 3 }
  }

  /// The next line without its end, valid until the call after; nil at the end of the file.
  @inline(__always)
  func next() throws(InputError) -> Fields? {
    if begin < end, let found = memchr(buffer + begin, 10, end - begin) {
      let start = buffer + begin
      let stop = found.assumingMemoryBound(to: UInt8.self)
      begin = stop - buffer + 1
      number += 1
      return Fields(start, stop > start && stop[-1] == 13 ? stop - 1 : stop)
    }
    return try nextAcrossBuffers()
  }

  @inline(never)
  private func nextAcrossBuffers() throws(InputError) -> Fields? {
    while !atEnd {
      guard end - begin <= Self.longestLine else {
        throw InputError(
          "expected text, found a line of more than \(ByteCount.text(Self.longestLine))",
          file: path, line: number + 1)
      }
      try fill()
      if memchr(buffer + begin, 10, end - begin) != nil { return try next() }
    }
    guard begin < end else { return nil }
    let line = Fields(buffer + begin, buffer + end)
    begin = end
    number += 1
    lineIsCut = true
    return line
  }

  /// Moves what is left to the front and reads on.
  private func fill() throws(InputError) {
    let left = end - begin
    if begin > 0 { memmove(buffer, buffer + begin, left) }
    (begin, end) = (0, left)
    if left > capacity / 2 {
      let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: 2 * capacity)
      larger.update(from: buffer, count: left)
      buffer.deallocate()
      (buffer, capacity) = (larger, 2 * capacity)
    }
    let wanted = capacity - left
    let got = Int(gzread(handle, buffer + left, UInt32(wanted)))
    if got > 0 { end += got }
    if got < wanted {
      atEnd = true
      // A compressed file that ends too early is reported here, not by the read itself.
      var code: Int32 = Z_OK
      let text = gzerror(handle, &code).map { String(cString: $0) } ?? ""
      if code == Z_BUF_ERROR {
        earlyEnd = "the compressed file ends too early"
      } else if got < 0 || (code != Z_OK && code != Z_STREAM_END) {
        throw InputError("cannot be read: \(text)", file: path, line: number + 1)
      }
    }
  }

  /// An error at a place of this file, without a line that of the last line read.
  func error(_ message: String, _ remedy: String = "", line: Int? = nil, column: Int? = nil)
    -> InputError
  {
    InputError(message, remedy: remedy, file: path, line: line ?? max(1, number), column: column)
  }

  /// An error about the next field of the last line.
  func error(expected what: String, _ fields: Fields) -> InputError {
    var fields = fields
    guard fields.hasMore() else {
      return error("expected \(what), found the end of the line", column: fields.column)
    }
    let column = fields.column
    return error(
      "expected \(what), found \(NumberText.problem(Array(fields.word())[...]))", column: column)
  }
}

/// The fields of a line, between bytes of 1 to 32: spaces and tabs, but not the zeros that a lost
/// write leaves. The bytes belong to the scanner.
struct Fields {
  private let start: UnsafePointer<UInt8>
  private var place: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>

  @inline(__always)
  init(_ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>) {
    self.start = start
    place = start
    self.end = end
  }

  /// Whether a field is left; goes to its first byte.
  @inline(__always)
  mutating func hasMore() -> Bool {
    while place < end, place.pointee &- 1 < 32 { place += 1 }
    return place < end
  }

  /// Where the next byte is, counted from 1.
  var column: Int { place - start + 1 }

  /// Passes over a field; false if there is none.
  @inline(__always)
  mutating func skip() -> Bool {
    guard hasMore() else { return false }
    while place < end, place.pointee &- 1 >= 32 { place += 1 }
    return true
  }

  /// The bytes of the next field; none at the end of the line.
  @inline(__always)
  mutating func word() -> UnsafeBufferPointer<UInt8> {
    guard hasMore() else { return UnsafeBufferPointer(start: place, count: 0) }
    let first = place
    while place < end, place.pointee &- 1 >= 32 { place += 1 }
    return UnsafeBufferPointer(start: first, count: place - first)
  }

  /// The number in the next field; nil, at the same place, if it holds none.
  @inline(__always)
  mutating func double() -> Double? {
    guard hasMore() else { return nil }
    var p = place
    guard let value = NumberText.double(&p, end) else { return nil }
    place = p
    return value
  }

  /// The integer in the next field; nil, at the same place, if it holds none.
  @inline(__always)
  mutating func integer() -> Int? {
    guard hasMore() else { return nil }
    var p = place
    let negative = p.pointee == 45
    if negative || p.pointee == 43 { p += 1 }
    let first = p
    var value = 0
    while p < end, p.pointee &- 48 < 10 {
      value = value &* 10 &+ Int(p.pointee &- 48)
      p += 1
    }
    guard p > first, p - first <= 18, p == end || p.pointee &- 1 < 32 else { return nil }
    place = p
    return negative ? -value : value
  }

  /// The whole line.
  var bytes: [UInt8] { Array(UnsafeBufferPointer(start: start, count: end - start)) }
  /// The whole line as text.
  var text: String {
    String(decoding: UnsafeBufferPointer(start: start, count: end - start), as: UTF8.self)
  }
  /// The fields as texts, those of the whole line or those left.
  func words(fromStart: Bool = false) -> [String] {
    var rest = fromStart ? Fields(start, end) : self
    var result: [String] = []
    while rest.hasMore() { result.append(String(decoding: rest.word(), as: UTF8.self)) }
    return result
  }
}
