import Trajectory

/// Writes result groups as NetCDF-4, which xarray opens with `group=NAME`.
public enum ResultFile {
  /// Writes a file so that its path holds the old content or the whole new one at any moment.
  /// - Parameter attributes: of the file: program, deck, sources
  public static func write(
    _ groups: [ResultGroup], attributes: [(String, String)], to path: String
  ) throws(FileError) {
    try FileLayer.replace(path) { temporary throws(FileError) in
      let file = try NetCDFFile(creating: temporary, format: .netCDF4)
      for (name, value) in attributes { try file.setAttribute(name, .text(value)) }
      for group in groups { try write(group, to: file.defineGroup(group.name)) }
      try file.close()
    }
  }

  private static func write(_ group: ResultGroup, to file: NetCDFFile) throws(FileError) {
    for (name, value) in group.attributes { try file.setAttribute(name, attribute(value)) }
    for dimension in group.dimensions {
      // A NetCDF dimension of length 0 would be the record dimension.
      guard dimension.length > 0 else { continue }
      try file.defineDimension(dimension.name, dimension.length)
    }
    for variable in group.variables where variable.values.count > 0 {
      let type: NetCDFFile.ValueType =
        switch variable.values {
        case .reals: .double
        case .integers: .int64
        case .strings: .string
        }
      let handle = try file.defineVariable(
        variable.name, type, variable.dimensions,
        attributes: variable.attributes.map { ($0.name, attribute($0.value)) })
      switch variable.values {
      case .reals(let values): try file.put(handle, values)
      case .integers(let values): try file.put(handle, values.map { Int64($0) })
      case .strings(let values): try file.put(handle, strings: values)
      }
    }
  }

  private static func attribute(_ value: ResultGroup.Attribute) -> NetCDFFile.Attribute {
    switch value {
    case .text(let text): .text(text)
    case .number(let number): .doubles([number])
    case .numbers(let numbers): .doubles(numbers)
    case .integer(let number): .int64s([Int64(number)])
    }
  }
}
