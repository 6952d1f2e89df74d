import CNetCDF
import Glibc
import Synchronization

/// A NetCDF file through libnetcdf. The library is not thread-safe: every call of the program
/// goes through the one lock here, and every error code becomes a `FileError` with the path and
/// the variable.
package final class NetCDFFile {
  /// The kinds of container.
  package enum Format: Sendable {
    /// CDF-2, the 64-bit offset format.
    case offset64
    /// CDF-5, which has 64-bit integers.
    case data64
    /// NetCDF-4, in HDF5.
    case netCDF4
  }
  /// The types of values.
  package enum ValueType: Int32, Sendable {
    case byte = 1, char, short, int, float, double
    case int64 = 10
    /// Text of any length, in NetCDF-4 only.
    case string = 12
  }
  /// The value of an attribute.
  package enum Attribute: Sendable, Equatable {
    case text(String)
    case doubles([Double])
    case ints([Int32])
    case int64s([Int64])
  }
  /// A dimension of the file.
  package struct Dimension: Sendable { let id: Int32 }
  /// A variable of the file.
  package struct Variable: Sendable {
    let id: Int32
    /// Its name.
    package let name: String
    /// The names of its dimensions.
    package let dimensions: [String]
  }

  /// The name of the file in messages.
  package var path: String
  private let id: Int32
  private var isOpen = true
  /// The file of a group, which stays open as long as the group is used.
  private var parent: NetCDFFile?
  private static let lock = Mutex(())

  // MARK: life

  /// A new file in define mode, in the place of any other.
  package init(creating path: String, format: Format) throws(FileError) {
    self.path = path
    let flag =
      switch format {
      case .offset64: NC_64BIT_OFFSET
      case .data64: NC_64BIT_DATA
      case .netCDF4: NC_NETCDF4
      }
    var handle: Int32 = -1
    let status = Self.status(path) { nc_create(path, flag | NC_CLOBBER, &handle) }
    id = handle
    if status != NC_NOERR {
      isOpen = false
      throw Self.error(status, path, "create")
    }
  }

  /// An existing file.
  package init(opening path: String, writable: Bool = false) throws(FileError) {
    self.path = path
    var handle: Int32 = -1
    let status = Self.status(path) { nc_open(path, writable ? NC_WRITE : NC_NOWRITE, &handle) }
    id = handle
    if status != NC_NOERR {
      isOpen = false
      throw Self.error(status, path, "open")
    }
  }

  /// A group within an open file.
  private init(group id: Int32, of file: NetCDFFile) {
    path = file.path
    self.id = id
    isOpen = false
    parent = file
  }

  deinit {
    if isOpen {
      let id = id
      _ = Self.lock.withLock { _ in nc_close(id) }
    }
  }

  /// Leaves define mode.
  package func endDefinitions() throws(FileError) { try call("define") { nc_enddef(self.id) } }

  /// Does not write fill values before data.
  package func setNoFill() throws(FileError) {
    try call("set no fill") { nc_set_fill(self.id, NC_NOFILL, nil) }
  }

  /// Hands everything to the operating system; no fsync.
  package func sync(bytesNeeded: Int? = nil) throws(FileError) {
    try call("write", bytesNeeded: bytesNeeded) { nc_sync(self.id) }
  }

  /// Writes what is left and closes. Nothing may be called afterwards.
  package func close() throws(FileError) {
    guard isOpen else { return }
    isOpen = false
    let status = Self.lock.withLock { _ in nc_close(id) }
    try call("close") { status }
  }

  // MARK: groups, of NetCDF-4

  /// Defines a group, which takes definitions and values as a file does. Only the file is closed.
  package func defineGroup(_ name: String) throws(FileError) -> NetCDFFile {
    var number: Int32 = 0
    try call("define group \(name)") { nc_def_grp(self.id, name, &number) }
    return NetCDFFile(group: number, of: self)
  }

  /// The names of the groups, in order.
  package func groupNames() throws(FileError) -> [String] {
    try groupNumbers().map { number throws(FileError) in
      var name = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
      try call("list groups") { nc_inq_grpname(number, &name) }
      return Self.string(name)
    }
  }

  /// The group of a name, or nil.
  package func group(_ name: String) throws(FileError) -> NetCDFFile? {
    let place = try groupNames().firstIndex(of: name)
    let numbers = try groupNumbers()
    return place.map { NetCDFFile(group: numbers[$0], of: self) }
  }

  private func groupNumbers() throws(FileError) -> [Int32] {
    var count: Int32 = 0
    try call("list groups") { nc_inq_grps(self.id, &count, nil) }
    var numbers = [Int32](repeating: 0, count: Int(count))
    try call("list groups") { nc_inq_grps(self.id, &count, &numbers) }
    return numbers
  }

  // MARK: definitions

  /// Defines a dimension; without a length it is the record dimension.
  @discardableResult
  package func defineDimension(_ name: String, _ length: Int?) throws(FileError) -> Dimension {
    var dimension: Int32 = 0
    try call("define dimension \(name)") {
      nc_def_dim(self.id, name, length ?? Int(NC_UNLIMITED), &dimension)
    }
    return Dimension(id: dimension)
  }

  /// Defines a variable over dimensions by name.
  @discardableResult
  package func defineVariable(
    _ name: String, _ type: ValueType, _ dimensions: [String],
    attributes: [(String, Attribute)] = []
  ) throws(FileError) -> Variable {
    var ids: [Int32] = []
    for dimension in dimensions {
      var number: Int32 = 0
      try call("find dimension \(dimension)", name) {
        nc_inq_dimid(self.id, dimension, &number)
      }
      ids.append(number)
    }
    var number: Int32 = 0
    try call("define", name) {
      nc_def_var(self.id, name, type.rawValue, Int32(ids.count), ids, &number)
    }
    let variable = Variable(id: number, name: name, dimensions: dimensions)
    for (key, value) in attributes { try setAttribute(key, value, on: variable) }
    return variable
  }

  /// Sets an attribute of a variable or, without one, of the file.
  package func setAttribute(_ name: String, _ value: Attribute, on variable: Variable? = nil)
    throws(FileError)
  {
    let target = variable?.id ?? NC_GLOBAL
    try call("set attribute \(name)", variable?.name) {
      switch value {
      case .text(let text):
        text.isEmpty
          ? nc_put_att_text(self.id, target, name, 0, "")
          : nc_put_att_text(self.id, target, name, text.utf8.count, text)
      case .doubles(let values):
        nc_put_att_double(self.id, target, name, NC_DOUBLE, values.count, values)
      case .ints(let values):
        nc_put_att_int(self.id, target, name, NC_INT, values.count, values)
      case .int64s(let values):
        nc_put_att_longlong(self.id, target, name, NC_INT64, values.count, values)
      }
    }
  }

  // MARK: questions

  /// The dimensions with their lengths, in order; the record dimension with its present length.
  package func dimensions() throws(FileError) -> [(name: String, length: Int)] {
    var count: Int32 = 0
    try call("list dimensions") { nc_inq_ndims(self.id, &count) }
    // Numbers of dimensions count through all groups of a file.
    var numbers = [Int32](repeating: 0, count: Int(count))
    try call("list dimensions") { nc_inq_dimids(self.id, &count, &numbers, 0) }
    var result: [(name: String, length: Int)] = []
    for number in numbers {
      var name = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
      var length = 0
      try call("list dimensions") { nc_inq_dim(self.id, number, &name, &length) }
      result.append((Self.string(name), length))
    }
    return result
  }

  /// The length of a dimension, or nil if there is none of that name.
  package func length(ofDimension name: String) throws(FileError) -> Int? {
    try dimensions().first { $0.name == name }?.length
  }

  /// The variables, in order.
  package func variables() throws(FileError) -> [Variable] {
    var count: Int32 = 0
    try call("list variables") { nc_inq_nvars(self.id, &count) }
    var result: [Variable] = []
    for number in 0..<count {
      var name = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
      var type: nc_type = 0
      var rank: Int32 = 0
      var ids = [Int32](repeating: 0, count: Int(NC_MAX_VAR_DIMS))
      try call("list variables") {
        nc_inq_var(self.id, number, &name, &type, &rank, &ids, nil)
      }
      var dimensions: [String] = []
      for dimension in ids[..<Int(rank)] {
        var text = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
        try call("list variables") { nc_inq_dimname(self.id, dimension, &text) }
        dimensions.append(Self.string(text))
      }
      result.append(Variable(id: number, name: Self.string(name), dimensions: dimensions))
    }
    return result
  }

  /// The variable of a name, or nil.
  package func variable(_ name: String) throws(FileError) -> Variable? {
    try variables().first { $0.name == name }
  }

  /// The type of a variable, or nil for one this program does not use.
  package func type(of variable: Variable) throws(FileError) -> ValueType? {
    var type: nc_type = 0
    try call("ask the type", variable.name) { nc_inq_vartype(self.id, variable.id, &type) }
    return ValueType(rawValue: type)
  }

  /// The shape of a variable.
  package func shape(of variable: Variable) throws(FileError) -> [Int] {
    let lengths = try dimensions()
    return variable.dimensions.map { name in lengths.first { $0.name == name }?.length ?? 0 }
  }

  /// The attributes of a variable or, without one, of the file, in order; those of other types are
  /// left out.
  package func attributes(of variable: Variable? = nil) throws(FileError) -> [(
    name: String, value: Attribute
  )] {
    let target = variable?.id ?? NC_GLOBAL
    var count: Int32 = 0
    try call("list attributes", variable?.name) {
      variable == nil
        ? nc_inq_natts(self.id, &count) : nc_inq_varnatts(self.id, target, &count)
    }
    var result: [(name: String, value: Attribute)] = []
    for number in 0..<count {
      var buffer = [CChar](repeating: 0, count: Int(NC_MAX_NAME) + 1)
      try call("list attributes", variable?.name) {
        nc_inq_attname(self.id, target, number, &buffer)
      }
      let name = Self.string(buffer)
      var type: nc_type = 0
      var length = 0
      try call("read attribute \(name)", variable?.name) {
        nc_inq_att(self.id, target, name, &type, &length)
      }
      switch type {
      case NC_CHAR:
        var bytes = [CChar](repeating: 0, count: length + 1)
        try call("read attribute \(name)", variable?.name) {
          nc_get_att_text(self.id, target, name, &bytes)
        }
        result.append((name, .text(Self.string(bytes))))
      case NC_FLOAT, NC_DOUBLE:
        var values = [Double](repeating: 0, count: length)
        try call("read attribute \(name)", variable?.name) {
          nc_get_att_double(self.id, target, name, &values)
        }
        result.append((name, .doubles(values)))
      case NC_BYTE, NC_SHORT, NC_INT:
        var values = [Int32](repeating: 0, count: length)
        try call("read attribute \(name)", variable?.name) {
          nc_get_att_int(self.id, target, name, &values)
        }
        result.append((name, .ints(values)))
      case NC_INT64:
        var values = [Int64](repeating: 0, count: length)
        try call("read attribute \(name)", variable?.name) {
          nc_get_att_longlong(self.id, target, name, &values)
        }
        result.append((name, .int64s(values)))
      case NC_STRING:
        // HDF5 writers such as h5netcdf store text this way.
        guard length > 0 else { continue }
        var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: length)
        try call("read attribute \(name)", variable?.name) {
          nc_get_att_string(self.id, target, name, &pointers)
        }
        let texts = pointers.map { $0.map { String(cString: $0) } ?? "" }
        Self.lock.withLock { _ in _ = nc_free_string(length, &pointers) }
        result.append((name, .text(texts.joined(separator: " "))))
      default: continue
      }
    }
    return result
  }

  // MARK: values

  /// Writes a whole variable, or one record of it.
  package func put(_ variable: Variable, _ values: [Double], record: Int? = nil)
    throws(FileError)
  {
    let (start, count) = try region(variable, record, values.count)
    try call("write", variable.name, bytesNeeded: 8 * values.count) {
      nc_put_vara_double(self.id, variable.id, start, count, values)
    }
  }

  /// Writes a whole variable, or one record of it.
  package func put(_ variable: Variable, _ values: [Float], record: Int? = nil) throws(FileError) {
    let (start, count) = try region(variable, record, values.count)
    try call("write", variable.name, bytesNeeded: 4 * values.count) {
      nc_put_vara_float(self.id, variable.id, start, count, values)
    }
  }

  /// Writes a whole variable, or one record of it.
  package func put(_ variable: Variable, _ values: [Int32], record: Int? = nil) throws(FileError) {
    let (start, count) = try region(variable, record, values.count)
    try call("write", variable.name, bytesNeeded: 4 * values.count) {
      nc_put_vara_int(self.id, variable.id, start, count, values)
    }
  }

  /// Writes a whole variable, or one record of it.
  package func put(_ variable: Variable, _ values: [Int64], record: Int? = nil) throws(FileError) {
    let (start, count) = try region(variable, record, values.count)
    try call("write", variable.name, bytesNeeded: 8 * values.count) {
      nc_put_vara_longlong(self.id, variable.id, start, count, values)
    }
  }

  /// Writes the bytes of a whole char variable, or one record of it.
  package func put(_ variable: Variable, text: String, record: Int? = nil) throws(FileError) {
    let (start, count) = try region(variable, record, text.utf8.count)
    try call("write", variable.name, bytesNeeded: text.utf8.count) {
      nc_put_vara_text(self.id, variable.id, start, count, text)
    }
  }

  /// Writes a whole variable of texts.
  package func put(_ variable: Variable, strings: [String]) throws(FileError) {
    let (start, count) = try region(variable, nil, strings.count)
    let texts = strings.map { strdup($0) }
    defer { for text in texts { free(text) } }
    var pointers = texts.map { $0.map { UnsafePointer<CChar>($0) } }
    try call("write", variable.name) {
      nc_put_vara_string(self.id, variable.id, start, count, &pointers)
    }
  }

  /// Reads a whole variable of texts.
  package func strings(_ variable: Variable) throws(FileError) -> [String] {
    let (start, count) = try region(variable, nil, nil)
    let number = count.reduce(1, *)
    var pointers = [UnsafeMutablePointer<CChar>?](repeating: nil, count: number)
    guard number > 0 else { return [] }
    try call("read", variable.name) {
      nc_get_vara_string(self.id, variable.id, start, count, &pointers)
    }
    let result = pointers.map { $0.map { String(cString: $0) } ?? "" }
    Self.lock.withLock { _ in _ = nc_free_string(number, &pointers) }
    return result
  }

  /// Reads a whole variable, or one record of it, as doubles.
  package func doubles(_ variable: Variable, record: Int? = nil) throws(FileError) -> [Double] {
    let (start, count) = try region(variable, record, nil)
    var values = [Double](repeating: 0, count: count.reduce(1, *))
    guard !values.isEmpty else { return values }
    try call("read", variable.name) {
      nc_get_vara_double(self.id, variable.id, start, count, &values)
    }
    return values
  }

  /// Reads a whole variable, or one record of it, as floats.
  package func floats(_ variable: Variable, record: Int? = nil) throws(FileError) -> [Float] {
    let (start, count) = try region(variable, record, nil)
    var values = [Float](repeating: 0, count: count.reduce(1, *))
    guard !values.isEmpty else { return values }
    try call("read", variable.name) {
      nc_get_vara_float(self.id, variable.id, start, count, &values)
    }
    return values
  }

  /// Reads a whole variable, or one record of it, as 64-bit integers.
  package func integers(_ variable: Variable, record: Int? = nil) throws(FileError) -> [Int64] {
    let (start, count) = try region(variable, record, nil)
    var values = [Int64](repeating: 0, count: count.reduce(1, *))
    guard !values.isEmpty else { return [] }
    try call("read", variable.name) {
      nc_get_vara_longlong(self.id, variable.id, start, count, &values)
    }
    return values
  }

  /// Reads the bytes of a whole char variable, or one record of it, without the zeros at its end.
  package func text(_ variable: Variable, record: Int? = nil) throws(FileError) -> String {
    let (start, count) = try region(variable, record, nil)
    var bytes = [CChar](repeating: 0, count: count.reduce(1, *) + 1)
    guard bytes.count > 1 else { return "" }
    try call("read", variable.name) {
      nc_get_vara_text(self.id, variable.id, start, count, &bytes)
    }
    return Self.string(bytes)
  }

  // MARK: calls

  /// Start and count of a whole variable or a record, checked against the number of values.
  private func region(_ variable: Variable, _ record: Int?, _ values: Int?) throws(FileError) -> (
    [Int], [Int]
  ) {
    var count = try shape(of: variable)
    var start = [Int](repeating: 0, count: count.count)
    if let record {
      precondition(!count.isEmpty, "a scalar has no records")
      start[0] = record
      count[0] = 1
    }
    if let values, values != count.reduce(1, *) {
      // A whole variable over the record dimension, written before it has its length.
      let rest = count.dropFirst().reduce(1, *)
      guard record == nil, !count.isEmpty, rest > 0, values % rest == 0,
        isRecordDimension(variable.dimensions[0])
      else {
        throw FileError(
          path: path,
          message:
            "cannot write variable \(variable.name): it has \(count) values, given \(values)")
      }
      count[0] = values / rest
    }
    return (start, count)
  }

  private func isRecordDimension(_ name: String) -> Bool {
    let id = id
    return Self.lock.withLock { _ in
      var dimension: Int32 = -1
      var unlimited: Int32 = -2
      return nc_inq_dimid(id, name, &dimension) == NC_NOERR
        && nc_inq_unlimdim(id, &unlimited) == NC_NOERR && dimension == unlimited
    }
  }

  private func call(
    _ action: String, _ variable: String? = nil, bytesNeeded: Int? = nil, _ body: () -> Int32
  ) throws(FileError) {
    let status = Self.status(path, body)
    if status != NC_NOERR {
      throw Self.error(
        status, path, action + (variable.map { " variable \($0)" } ?? ""),
        bytesNeeded: bytesNeeded)
    }
  }

  /// What a call of the library returns, or what a test puts in its place.
  private static func status(_ path: String, _ body: () -> Int32) -> Int32 {
    if case .code(let code)? = FileFaults.fault(.netCDF, path) { return code }
    return lock.withLock { _ in
      _ = silenceHDF5?(0, nil, nil)
      return body()
    }
  }

  /// `H5Eset_auto2` of the HDF5 that libnetcdf brings. Where HDF5 knows threads, it prints its own
  /// stack of every error, also of what libnetcdf merely tries, on each thread but the one that
  /// initialised libnetcdf.
  private static let silenceHDF5 = dlsym(nil, "H5Eset_auto2").map {
    unsafeBitCast(
      $0, to: (@convention(c) (Int64, UnsafeRawPointer?, UnsafeRawPointer?) -> Int32).self)
  }

  private static func error(
    _ status: Int32, _ path: String, _ action: String, bytesNeeded: Int? = nil
  ) -> FileError {
    // Positive codes are error numbers of the operating system.
    if status > 0 {
      return FileError(path: path, doing: action, code: status, bytesNeeded: bytesNeeded)
    }
    let reason = nc_strerror(status).map { String(cString: $0) } ?? "NetCDF error \(status)"
    return FileError(path: path, message: "cannot \(action): \(reason)")
  }

  private static func string(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
