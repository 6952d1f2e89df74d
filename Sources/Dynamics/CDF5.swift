/// The bytes of a small NetCDF file of kind CDF-5: attributes and one-dimensional variables of
/// Float64 and Int64, read back strictly.
///
/// Made in memory so that checkpoints go through the file layer in one piece.
struct CDF5: Equatable, Sendable {
  /// Text attributes, numbers and integers by name.
  var texts: [String: String] = [:]
  var numbers: [String: [Double]] = [:]
  var integers: [String: [Int64]] = [:]

  /// Why bytes are not such a file.
  struct Damage: Error, Equatable { let description: String }

  private enum Tag {
    static let dimension: UInt32 = 10
    static let variable: UInt32 = 11
    static let attribute: UInt32 = 12
    static let char: UInt32 = 2
    static let double: UInt32 = 6
    static let int64: UInt32 = 10
  }

  /// The file. Empty variables have no dimension of their own in NetCDF: they are not written.
  var bytes: [UInt8] {
    let doubles = numbers.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
    let longs = integers.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
    let lengths = Set(doubles.map(\.value.count) + longs.map(\.value.count)).sorted()
    var out: [UInt8] = Array("CDF".utf8) + [5]
    out.append(0 as UInt64)
    out.append(lengths.isEmpty ? 0 : Tag.dimension)
    out.append(UInt64(lengths.count))
    for length in lengths {
      out.append(name: "n\(length)")
      out.append(UInt64(length))
    }
    out.append(texts.isEmpty ? 0 : Tag.attribute)
    out.append(UInt64(texts.count))
    for (name, text) in texts.sorted(by: { $0.key < $1.key }) {
      out.append(name: name)
      out.append(Tag.char)
      out.append(UInt64(text.utf8.count))
      out.append(padded: Array(text.utf8))
    }
    out.append(doubles.isEmpty && longs.isEmpty ? 0 : Tag.variable)
    out.append(UInt64(doubles.count + longs.count))
    let entries =
      doubles.map { ($0.key, $0.value.count, Tag.double) }
      + longs.map { ($0.key, $0.value.count, Tag.int64) }
    // An entry takes its padded name and 64 bytes.
    var begin = out.count + entries.reduce(0) { $0 + 8 + ($1.0.utf8.count + 3) / 4 * 4 + 48 }
    for (name, count, kind) in entries {
      out.append(name: name)
      out.append(1 as UInt64)
      out.append(UInt64(lengths.firstIndex(of: count) ?? 0))
      out.append(0 as UInt32)
      out.append(0 as UInt64)
      out.append(kind)
      out.append(UInt64(8 * count))
      out.append(UInt64(begin))
      begin += 8 * count
    }
    for (_, values) in doubles { for v in values { out.append(v.bitPattern) } }
    for (_, values) in longs { for v in values { out.append(UInt64(bitPattern: v)) } }
    return out
  }

  /// Reads what `bytes` makes.
  init(bytes: [UInt8]) throws(Damage) {
    var reader = Reader(bytes: bytes)
    guard bytes.starts(with: Array("CDF".utf8)) else {
      throw Damage(description: "not a NetCDF file")
    }
    guard bytes.count > 3 else { throw reader.damage }
    guard bytes[3] == 5 else {
      throw Damage(description: "not a CDF-5 file")
    }
    reader.at = 4
    _ = try reader.word()
    var lengths: [Int] = []
    for _ in 0..<(try reader.list(Tag.dimension)) {
      _ = try reader.name()
      lengths.append(try reader.count())
    }
    for _ in 0..<(try reader.list(Tag.attribute)) {
      let name = try reader.name()
      guard try reader.half() == Tag.char else { throw reader.damage }
      let text = try reader.text()
      texts[name] = text
    }
    for _ in 0..<(try reader.list(Tag.variable)) {
      let name = try reader.name()
      guard try reader.word() == 1 else { throw reader.damage }
      let dimension = try reader.count()
      guard dimension < lengths.count else { throw reader.damage }
      guard try reader.half() == 0, try reader.word() == 0 else { throw reader.damage }
      let kind = try reader.half()
      let size = try reader.count()
      let begin = try reader.count()
      let count = lengths[dimension]
      guard size == 8 * count, begin <= bytes.count, size <= bytes.count - begin else {
        throw reader.damage
      }
      var data = Reader(bytes: bytes, at: begin)
      switch kind {
      case Tag.double:
        var values: [Double] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(Double(bitPattern: try data.word())) }
        numbers[name] = values
      case Tag.int64:
        var values: [Int64] = []
        values.reserveCapacity(count)
        for _ in 0..<count { values.append(Int64(bitPattern: try data.word())) }
        integers[name] = values
      default: throw reader.damage
      }
    }
  }

  /// A file of nothing.
  init() {}

  private struct Reader {
    let bytes: [UInt8]
    var at = 0

    var damage: Damage {
      Damage(description: "incomplete or damaged (byte \(at) of \(bytes.count))")
    }

    mutating func half() throws(Damage) -> UInt32 {
      guard bytes.count - at >= 4 else { throw damage }
      var v: UInt32 = 0
      for k in 0..<4 { v = v << 8 | UInt32(bytes[at + k]) }
      at += 4
      return v
    }
    mutating func word() throws(Damage) -> UInt64 {
      let high = try half()
      return UInt64(high) << 32 | UInt64(try half())
    }
    /// A count that cannot exceed the file.
    mutating func count() throws(Damage) -> Int {
      let v = try word()
      guard v <= UInt64(bytes.count) else { throw damage }
      return Int(v)
    }
    mutating func list(_ tag: UInt32) throws(Damage) -> Int {
      let found = try half()
      let n = try count()
      guard found == tag || (found == 0 && n == 0) else { throw damage }
      return n
    }
    mutating func text() throws(Damage) -> String {
      let n = try count()
      let padded = (n + 3) / 4 * 4
      guard padded <= bytes.count - at else { throw damage }
      guard let text = String(validating: bytes[at..<at + n], as: UTF8.self) else { throw damage }
      at += padded
      return text
    }
    mutating func name() throws(Damage) -> String { try text() }
  }
}

extension [UInt8] {
  fileprivate mutating func append(_ v: UInt32) {
    for k in stride(from: 24, through: 0, by: -8) {
      append(UInt8(truncatingIfNeeded: v >> UInt32(k)))
    }
  }
  fileprivate mutating func append(_ v: UInt64) {
    append(UInt32(truncatingIfNeeded: v >> 32))
    append(UInt32(truncatingIfNeeded: v))
  }
  fileprivate mutating func append(padded other: [UInt8]) {
    self += other
    self += [UInt8](repeating: 0, count: (4 - other.count % 4) % 4)
  }
  fileprivate mutating func append(name: String) {
    append(UInt64(name.utf8.count))
    append(padded: Array(name.utf8))
  }
}
