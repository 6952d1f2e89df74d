import Matter

/// A structure as a file holds it, with everything else the file says about it.
public struct StructureFrame: Sendable, Equatable {
  /// Elements, positions, cell, velocities, masses.
  public var structure: Structure
  /// What the comment line says besides cell, columns and periodicity, in order.
  public var info: [StructureInfo]
  /// Columns other than species, positions, velocities and masses, in order.
  public var arrays: [AtomColumn]

  /// A frame.
  public init(structure: Structure, info: [StructureInfo] = [], arrays: [AtomColumn] = []) {
    self.structure = structure
    self.info = info
    self.arrays = arrays
  }

  /// The numbers of the frame as a whole.
  package var values: FrameValues {
    FrameValues(info: info, cell: structure.cell, periodicity: structure.periodicity)
  }

  /// Sets an entry in place of one of that key, or adds it.
  public mutating func setInfo(_ key: String, _ value: String) {
    let entry = StructureInfo(key: key, value: value)
    if let index = info.firstIndex(where: { $0.key == key }) {
      info[index] = entry
    } else {
      info.append(entry)
    }
  }

  /// Sets an entry of numbers in place of one of that key, or adds it.
  public mutating func setInfo(_ key: String, _ numbers: [Double]) {
    setInfo(key, numbers.map { "\($0)" }.joined(separator: " "))
  }

  /// Sets a column in place of one of that name, or adds it.
  public mutating func setColumn(_ column: AtomColumn) {
    if let index = arrays.firstIndex(where: { $0.name == column.name }) {
      arrays[index] = column
    } else {
      arrays.append(column)
    }
  }
}

/// A `key=value` of a comment line.
public struct StructureInfo: Sendable, Equatable {
  /// The key.
  public var key: String
  /// The value as written, with its quotes or brackets; nil for a key alone.
  public var raw: String?

  /// An entry as written.
  public init(key: String, raw: String?) {
    self.key = key
    self.raw = raw
  }

  /// An entry with a value, which is quoted if it must be.
  public init(key: String, value: String) {
    self.key = key
    let plain =
      !value.isEmpty
      && value.utf8.allSatisfy { $0 > 32 && !Array("\"'{}[]=,\\".utf8).contains($0) }
    let escaped = value.flatMap { $0 == "\"" || $0 == "\\" ? ["\\", $0] : [$0] }
    raw = plain ? value : "\"" + String(escaped) + "\""
  }

  /// The value without quotes or brackets; `T` for a key alone.
  public var value: String {
    guard let raw else { return "T" }
    guard let first = raw.first, let last = raw.last, raw.count >= 2 else { return raw }
    switch (first, last) {
    case ("\"", "\""), ("'", "'"):
      var text = ""
      var escape = false
      for c in raw.dropFirst().dropLast() {
        if c == "\\", !escape {
          escape = true
          continue
        }
        text.append(c)
        escape = false
      }
      return text
    case ("{", "}"), ("[", "]"): return String(raw.dropFirst().dropLast())
    default: return raw
    }
  }

  /// The numbers that the value holds, or nil if it holds anything else.
  public var numbers: [Double]? {
    let parts = value.split { " \t,[]".contains($0) }
    let numbers = parts.compactMap { NumberText.double(Array($0.utf8)[...]) }
    return numbers.count == parts.count ? numbers : nil
  }
}

/// A column of extended XYZ, or several of one name.
public struct AtomColumn: Sendable, Equatable {
  /// The values, atom by atom, `width` of each.
  public enum Values: Sendable, Equatable {
    /// Type S.
    case strings([String])
    /// Type R.
    case reals([Double])
    /// Type I.
    case integers([Int])
    /// Type L.
    case logicals([Bool])
  }
  /// The name.
  public var name: String
  /// The number of values of each atom.
  public var width: Int
  /// The values.
  public var values: Values

  /// A column.
  public init(name: String, width: Int, values: Values) {
    self.name = name
    self.width = width
    self.values = values
  }

  /// A column of a vector for each atom.
  public init(name: String, vectors: [SIMD3<Double>]) {
    self.init(name: name, width: 3, values: .reals(vectors.flatMap { [$0.x, $0.y, $0.z] }))
  }

  /// The letter of the type.
  var letter: String {
    switch values {
    case .strings: "S"
    case .reals: "R"
    case .integers: "I"
    case .logicals: "L"
    }
  }
}
