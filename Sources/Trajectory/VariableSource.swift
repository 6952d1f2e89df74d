import Glibc
import Matter

/// The variables of a NetCDF file of any container, read record by record.
///
/// Classic files are read here and not by libnetcdf: that way frames of a file whose header states
/// no or too many records can be used.
final class VariableSource {
  struct Variable {
    var name: String
    var dimensions: [String]
    var units: String?
    var scale: Double
    /// The number of values, of one record if it has the record dimension.
    var valueCount: Int
    var isRecord: Bool
    /// Whether values are floats.
    var isSingle: Bool
    fileprivate var classic: ClassicHeader.Variable?
    fileprivate var library: NetCDFFile.Variable?
  }

  let path: String
  private(set) var variables: [String: Variable] = [:]
  private(set) var attributes: [String: ClassicHeader.Attribute.Value] = [:]
  private(set) var lengths: [String: Int] = [:]
  private(set) var recordCount = 0
  private(set) var damage: String?
  private var header: ClassicHeader?
  private var descriptor: Int32 = -1
  private var file: NetCDFFile?
  private var scratch = UnsafeMutableRawBufferPointer(start: nil, count: 0)

  init(path: String) throws(InputError) {
    self.path = path
    try InputFile.check(path, expecting: "a NetCDF file")
    descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw InputError("cannot be read: \(FileError.text(of: errno))", file: path)
    }
    let magic = try InputFile.read(descriptor, at: 0, count: 4, path: path)
    if magic == [0x89, 0x48, 0x44, 0x46] {
      do {
        try openLibrary()
      } catch {
        throw InputError(error.message, file: path)
      }
    } else {
      openClassic(try ClassicHeader(path: path))
    }
  }

  deinit {
    if descriptor >= 0 { _ = Glibc.close(descriptor) }
    scratch.deallocate()
  }

  private func openClassic(_ header: ClassicHeader) {
    self.header = header
    recordCount = header.usableRecords
    damage = header.damage
    for attribute in header.attributes { attributes[attribute.name] = attribute.value }
    for dimension in header.dimensions {
      lengths[dimension.name] = dimension.length == 0 ? recordCount : dimension.length
    }
    for v in header.variables {
      var variable = Variable(
        name: v.name, dimensions: v.dimensions.map { header.dimensions[$0].name }, units: nil,
        scale: 1, valueCount: v.valueCount, isRecord: v.isRecord, isSingle: v.type == .float,
        classic: v)
      for attribute in v.attributes {
        switch (attribute.name, attribute.value) {
        case ("units", .text(let text)): variable.units = text
        case ("scale_factor", .numbers(let numbers)): variable.scale = numbers.first ?? 1
        default: break
        }
      }
      variables[v.name] = variable
    }
  }

  private func openLibrary() throws(FileError) {
    let file = try NetCDFFile(opening: path)
    self.file = file
    for (name, value) in try file.attributes() { attributes[name] = Self.value(value) }
    for (name, length) in try file.dimensions() { lengths[name] = length }
    recordCount = lengths["frame"] ?? 0
    for v in try file.variables() {
      let isRecord = v.dimensions.first == "frame"
      var variable = Variable(
        name: v.name, dimensions: v.dimensions, units: nil, scale: 1,
        valueCount: (isRecord ? v.dimensions.dropFirst() : v.dimensions[...])
          .reduce(1) { $0 * (lengths[$1] ?? 0) },
        isRecord: isRecord, isSingle: try file.type(of: v) == .float, library: v)
      for (name, value) in try file.attributes(of: v) {
        switch (name, Self.value(value)) {
        case ("units", .text(let text)): variable.units = text
        case ("scale_factor", .numbers(let numbers)): variable.scale = numbers.first ?? 1
        default: break
        }
      }
      variables[v.name] = variable
    }
  }

  private static func value(_ value: NetCDFFile.Attribute) -> ClassicHeader.Attribute.Value {
    switch value {
    case .text(let text): .text(text)
    case .doubles(let values): .numbers(values)
    case .ints(let values): .numbers(values.map(Double.init))
    case .int64s(let values): .numbers(values.map { Double($0) })
    }
  }

  /// A text attribute of the file.
  func text(_ name: String) -> String? {
    if case .text(let text)? = attributes[name] { return text }
    return nil
  }

  /// The vectors of a record, three values each, times a factor.
  /// - Parameter places: where each vector goes, if not in order
  /// - Returns: the index of the first that is not finite or a fill value, or nil.
  func vectors(
    _ variable: Variable, record: Int, factor: Double, places: [Int]?,
    into target: borrowing Vectors
  ) throws(InputError) -> Int? {
    let count = target.count
    precondition(variable.valueCount == 3 * count && (places?.count ?? count) == count)
    guard let v = variable.classic, let header, v.type == .float, places == nil else {
      let flat = try values(variable, record: record)
      var bad: Int?
      for k in 0..<count {
        let value = SIMD3(flat[3 * k], flat[3 * k + 1], flat[3 * k + 2]) * factor
        let size = abs(value.x) + abs(value.y) + abs(value.z)
        if !(size < 1e30 * abs(factor)), bad == nil { bad = places?[k] ?? k }
        target[places?[k] ?? k] = value
      }
      return bad
    }
    if scratch.count < 12 * count {
      scratch.deallocate()
      scratch = .allocate(byteCount: 12 * count, alignment: 16)
    }
    let bytes = UnsafeMutableRawBufferPointer(rebasing: scratch[..<(12 * count)])
    try InputFile.read(
      descriptor, at: v.begin + record * header.recordSize, into: bytes, path: path)
    guard let base = bytes.baseAddress else { return nil }
    let total = factor * variable.scale
    let swapped = UInt32(1).bigEndian != 1
    var bad: Int?
    for (k, component) in [target.x, target.y, target.z].enumerated() {
      let found = SingleValues.decode(
        UnsafeRawPointer(base + 4 * k), swapped, count, stride: 3, factor: total, into: component)
      if let found { bad = min(bad ?? found, found) }
    }
    return bad
  }

  /// The values of a variable, of one record if it has records, times its scale factor.
  func values(_ variable: Variable, record: Int = 0) throws(InputError) -> [Double] {
    var result: [Double]
    if let v = variable.classic, let header {
      let size = v.type.size
      let offset = v.begin + (v.isRecord ? record * header.recordSize : 0)
      let bytes = try InputFile.read(
        descriptor, at: offset, count: v.valueCount * size, path: path)
      guard bytes.count == v.valueCount * size else {
        throw InputError(
          "the file ends inside variable \(variable.name) of frame \(record + 1)", file: path)
      }
      result = bytes.withUnsafeBytes { raw in
        switch v.type {
        case .float:
          (0..<v.valueCount).map {
            Double(
              Float(
                bitPattern: UInt32(
                  bigEndian: raw.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self))))
          }
        case .double:
          (0..<v.valueCount).map {
            Double(
              bitPattern: UInt64(
                bigEndian: raw.loadUnaligned(fromByteOffset: 8 * $0, as: UInt64.self)))
          }
        default:
          (0..<v.valueCount).map { v.type.value(bytes[$0 * size..<($0 + 1) * size]) }
        }
      }
    } else if let v = variable.library, let file {
      do {
        result = try file.doubles(v, record: variable.isRecord ? record : nil)
      } catch {
        throw InputError(error.message, file: path)
      }
    } else {
      return []
    }
    if variable.scale != 1 { for i in result.indices { result[i] *= variable.scale } }
    return result
  }
}
