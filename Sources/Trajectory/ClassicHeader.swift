import Glibc
import Matter

/// The header of a classic NetCDF file (CDF-1, CDF-2, CDF-5), read without libnetcdf and checked
/// against the size of the file, because libnetcdf returns zeros for what is missing.
///
/// All integers are big-endian: magic `CDF` and version, number of records, dimensions (tag 10),
/// attributes (12), variables (11); fixed variables, then records.
package struct ClassicHeader: Sendable, Equatable {
  /// An attribute; numbers of every type as doubles.
  package struct Attribute: Sendable, Equatable {
    package enum Value: Sendable, Equatable {
      case text(String)
      case numbers([Double])
    }
    package var name: String
    package var value: Value
  }
  /// A dimension; the record dimension has length 0.
  package struct Dimension: Sendable, Equatable {
    package var name: String
    package var length: Int
  }
  /// A variable.
  package struct Variable: Sendable, Equatable {
    package var name: String
    package var dimensions: [Int]
    package var attributes: [Attribute]
    package var type: ValueType
    package var isRecord: Bool
    /// The number of values, of one record if it is a record variable.
    package var valueCount: Int
    /// Bytes in the file, of one record if it is a record variable, rounded up to 4.
    package var paddedBytes: Int
    /// Offset of the first value.
    package var begin: Int
  }
  /// External types.
  package enum ValueType: Int, Sendable {
    case byte = 1, char, short, int, float, double, ubyte, ushort, uint, int64, uint64
    /// Bytes of one value.
    package var size: Int {
      switch self {
      case .byte, .char, .ubyte: 1
      case .short, .ushort: 2
      case .int, .float, .uint: 4
      case .double, .int64, .uint64: 8
      }
    }
  }

  /// 1, 2 or 5.
  package let version: Int
  /// The number of records that the header states, or nil for an unclosed stream (all bits set).
  package let statedRecords: Int?
  package let dimensions: [Dimension]
  package let attributes: [Attribute]
  package let variables: [Variable]
  /// Offset of the first record.
  package let recordsBegin: Int
  /// Bytes of one record.
  package let recordSize: Int
  /// Bytes of the whole file.
  package let fileSize: Int
  /// Records that lie wholly in the file.
  package let wholeRecords: Int

  /// Records that can be used: those stated, as far as they are whole; all whole ones if the
  /// header states none, which is what a writer leaves that was killed before its first sync.
  package var usableRecords: Int {
    guard let stated = statedRecords, stated > 0 else { return wholeRecords }
    return min(stated, wholeRecords)
  }

  /// What is wrong with the number of records, in a sentence, or nil if nothing is.
  package var damage: String? {
    guard recordSize > 0 else { return nil }
    let usable = usableRecords
    func count(_ n: Int) -> String { "\(n) frame\(n == 1 ? "" : "s") usable" }
    guard let stated = statedRecords else {
      return "its header gives no number of frames; by the size of the file \(count(usable))"
    }
    if stated == 0, usable > 0 {
      return "its header says 0 frames, which a killed writer leaves; by the size of the file "
        + count(usable)
    }
    if stated > wholeRecords {
      let extra = max(0, fileSize - recordsBegin - wholeRecords * recordSize)
      return "file ends \(extra) byte\(extra == 1 ? "" : "s") into frame \(wholeRecords + 1) of "
        + "\(stated); \(count(usable))"
    }
    return nil
  }

  /// The attribute of the file of a name.
  package func attribute(_ name: String) -> Attribute.Value? {
    attributes.first { $0.name == name }?.value
  }

  /// The variable of a name.
  package func variable(_ name: String) -> Variable? { variables.first { $0.name == name } }

  /// The length of a dimension by name.
  package func length(of dimension: String) -> Int? {
    dimensions.first { $0.name == dimension }?.length
  }

  /// Reads and checks the header of a file.
  /// - Throws: `InputError` for anything that is not a whole, consistent classic header.
  package init(path: String) throws(InputError) {
    let size = try InputFile.check(path, expecting: "a NetCDF file")
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw InputError("cannot be read: \(FileError.text(of: errno))", file: path)
    }
    defer { _ = Glibc.close(descriptor) }
    // Most headers fit the first piece; a longer one is read again up to a bound.
    var piece = 1 << 16
    while true {
      let bytes = try InputFile.read(descriptor, at: 0, count: min(piece, size), path: path)
      do {
        try self.init(bytes: bytes, fileSize: size, path: path)
        return
      } catch let failure {
        guard case .needsMore = failure, bytes.count == piece, piece < 1 << 26 else {
          throw failure.inputError(path, size)
        }
        piece *= 16
      }
    }
  }

  /// Why a header cannot be used.
  package enum Failure: Error {
    case needsMore
    case bad(String)

    func inputError(_ path: String, _ size: Int) -> InputError {
      switch self {
      case .needsMore:
        InputError(
          "the file ends inside its header (\(size) bytes)",
          remedy: "It is damaged beyond use; copy it again or make it anew", file: path)
      case .bad(let message): InputError(message, file: path)
      }
    }
  }

  /// Parses the start of a file of a known size.
  package init(bytes: [UInt8], fileSize: Int, path: String) throws(Failure) {
    var parser = Parser(bytes: bytes, fileSize: fileSize)
    guard bytes.count >= 4 else { throw .needsMore }
    guard Array(bytes[..<3]) == Array("CDF".utf8), [1, 2, 5].contains(bytes[3]) else {
      throw .bad("expected a classic NetCDF file (CDF-1, CDF-2 or CDF-5), found other bytes")
    }
    let version = Int(bytes[3])
    parser.position = 4
    parser.wide = version == 5
    self.version = version
    self.fileSize = fileSize
    let stated = try parser.count()
    statedRecords =
      stated == (version == 5 ? UInt64.max : 0xffff_ffff) ? nil : Int(clamping: stated)

    var dimensions: [Dimension] = []
    for _ in 0..<(try parser.list(tag: 10, "dimensions", smallest: 8)) {
      let name = try parser.name()
      let length = try parser.count()
      guard length < 1 << 62 else { throw .bad("dimension \(name) has length \(length)") }
      dimensions.append(Dimension(name: name, length: Int(length)))
    }
    let recordDimensions = dimensions.indices.filter { dimensions[$0].length == 0 }
    guard recordDimensions.count <= 1 else {
      let names = recordDimensions.map { dimensions[$0].name }.joined(separator: " and ")
      throw .bad("dimensions \(names) have length 0, but only the frames may")
    }
    attributes = try parser.attributes()

    var variables: [Variable] = []
    for _ in 0..<(try parser.list(tag: 11, "variables", smallest: 28)) {
      let name = try parser.name()
      let rank = try parser.count()
      guard rank <= 1024 else { throw .bad("variable \(name) has \(rank) dimensions") }
      var ids: [Int] = []
      for _ in 0..<rank {
        let id = try parser.count()
        guard id < UInt64(dimensions.count) else {
          throw .bad("variable \(name) uses dimension \(id) of \(dimensions.count)")
        }
        ids.append(Int(id))
      }
      let isRecord = ids.first.map { dimensions[$0].length == 0 } ?? false
      guard !ids.dropFirst().contains(where: { dimensions[$0].length == 0 }) else {
        throw .bad("variable \(name) has the frame dimension in another place than the first")
      }
      let attributes = try parser.attributes()
      let typeCode = try parser.word()
      guard let type = ValueType(rawValue: Int(typeCode)), version == 5 || type.rawValue <= 6 else {
        throw .bad("variable \(name) has the unknown type \(typeCode)")
      }
      let statedBytes = try parser.count()
      let begin = version == 1 ? UInt64(try parser.word()) : try parser.long()
      var values = 1
      var overflow = false
      for id in isRecord ? ids.dropFirst() : ids[...] {
        let (product, over) = values.multipliedReportingOverflow(by: dimensions[id].length)
        values = product
        overflow = overflow || over
      }
      let (bytes, over) = values.multipliedReportingOverflow(by: type.size)
      guard !overflow, !over, bytes < 1 << 60 else {
        throw .bad("variable \(name) is larger than any file")
      }
      let padded = (bytes + 3) / 4 * 4
      guard statedBytes == UInt64(padded) || statedBytes == UInt64(bytes) || padded >= 0xffff_fffc
      else {
        throw .bad(
          "the sizes in its header contradict each other: variable \(name) has \(statedBytes) "
            + "bytes stated, \(padded) by its dimensions")
      }
      guard begin <= UInt64(fileSize) || isRecord, begin < 1 << 62 else {
        throw .bad(
          "the file ends before variable \(name), which begins at byte \(begin); it has "
            + "\(fileSize) bytes")
      }
      variables.append(
        Variable(
          name: name, dimensions: ids, attributes: attributes, type: type, isRecord: isRecord,
          valueCount: values, paddedBytes: padded, begin: Int(begin)))
    }
    let headerSize = parser.position
    let records = variables.filter(\.isRecord)
    for variable in variables {
      guard variable.begin >= headerSize else {
        throw .bad("variable \(variable.name) begins at byte \(variable.begin), inside the header")
      }
      if !variable.isRecord {
        let bytes = variable.valueCount * variable.type.size
        guard bytes <= fileSize - variable.begin else {
          throw .bad(
            "the file ends inside variable \(variable.name), "
              + "\(fileSize - variable.begin) of \(bytes) bytes are there")
        }
      }
    }
    // A single record variable of small values is not padded.
    var recordSize = 0
    for variable in records {
      let (sum, over) = recordSize.addingReportingOverflow(
        records.count == 1 ? variable.valueCount * variable.type.size : variable.paddedBytes)
      guard !over, sum < 1 << 61 else { throw .bad("a frame is larger than any file") }
      recordSize = sum
    }
    let begin = records.map(\.begin).min() ?? fileSize
    for variable in records {
      guard variable.begin - begin <= recordSize - variable.valueCount * variable.type.size else {
        throw .bad(
          "the sizes in its header contradict each other: variable \(variable.name) begins "
            + "outside the first frame")
      }
    }
    self.dimensions = dimensions
    self.variables = variables
    self.recordSize = recordSize
    recordsBegin = begin
    if recordSize > 0, fileSize > begin {
      // The padding after the last value may be missing.
      let last = records.max { $0.begin < $1.begin }
      let padding = last.map { $0.paddedBytes - $0.valueCount * $0.type.size } ?? 0
      wholeRecords = (fileSize - begin + (records.count == 1 ? 0 : padding)) / recordSize
    } else {
      wholeRecords = 0
    }
  }

  private struct Parser {
    let bytes: [UInt8]
    let fileSize: Int
    var position = 0
    var wide = false

    init(bytes: [UInt8], fileSize: Int) {
      self.bytes = bytes
      self.fileSize = fileSize
    }

    mutating func word() throws(Failure) -> UInt32 {
      guard position + 4 <= bytes.count else { throw .needsMore }
      defer { position += 4 }
      return bytes[position..<position + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    mutating func long() throws(Failure) -> UInt64 {
      let high = try word()
      return UInt64(high) << 32 | UInt64(try word())
    }

    mutating func count() throws(Failure) -> UInt64 { wide ? try long() : UInt64(try word()) }

    /// The number of entries of a list, checked against the bytes left.
    mutating func list(tag: UInt32, _ what: String, smallest: Int) throws(Failure) -> Int {
      let found = try word()
      let number = try count()
      guard found == tag || (found == 0 && number == 0) else {
        throw .bad("its header is damaged where the list of \(what) begins (byte \(position))")
      }
      guard number <= UInt64((fileSize - position) / smallest) else {
        throw .bad("its header claims \(number) \(what), more than the file can hold")
      }
      return Int(number)
    }

    mutating func name() throws(Failure) -> String {
      String(decoding: try take(try count(), 1), as: UTF8.self)
    }

    /// Bytes of `number` values, with the padding to 4 skipped.
    mutating func take(_ number: UInt64, _ size: Int) throws(Failure) -> ArraySlice<UInt8> {
      guard number <= UInt64(max(0, fileSize - position) / size) else {
        throw .bad("its header is damaged at byte \(position): a length of \(number)")
      }
      let length = Int(number) * size
      let padded = (length + 3) / 4 * 4
      guard position + padded <= bytes.count else { throw .needsMore }
      defer { position += padded }
      return bytes[position..<position + length]
    }

    mutating func attributes() throws(Failure) -> [Attribute] {
      var result: [Attribute] = []
      for _ in 0..<(try list(tag: 12, "attributes", smallest: 12)) {
        let name = try name()
        let code = try word()
        guard let type = ValueType(rawValue: Int(code)) else {
          throw .bad("attribute \(name) has the unknown type \(code)")
        }
        let number = try count()
        let data = try take(number, type.size)
        if type == .char {
          result.append(Attribute(name: name, value: .text(String(decoding: data, as: UTF8.self))))
        } else {
          let values = stride(from: data.startIndex, to: data.endIndex, by: type.size).map {
            type.value(data[$0..<$0 + type.size])
          }
          result.append(Attribute(name: name, value: .numbers(values)))
        }
      }
      return result
    }
  }
}

extension ClassicHeader.ValueType {
  /// The number that big-endian bytes hold.
  func value(_ bytes: ArraySlice<UInt8>) -> Double {
    let bits = bytes.reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
    switch self {
    case .byte: return Double(Int8(truncatingIfNeeded: bits))
    case .char, .ubyte, .ushort, .uint, .uint64: return Double(bits)
    case .short: return Double(Int16(truncatingIfNeeded: bits))
    case .int: return Double(Int32(truncatingIfNeeded: bits))
    case .float: return Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits)))
    case .double: return Double(bitPattern: bits)
    case .int64: return Double(Int64(bitPattern: bits))
    }
  }
}
