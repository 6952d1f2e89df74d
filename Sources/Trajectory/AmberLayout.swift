import Matter

/// Dimensions, attributes and variables of our AMBER trajectories, in the order of the file: made
/// from a header, and compared with the header of a file that is to be continued.
struct AmberLayout {
  struct Variable {
    var name: String
    var type: NetCDFFile.ValueType
    var dimensions: [String]
    var units: String?
  }
  enum FixedValue {
    case text(String)
    case ints([Int32])
    case doubles([Double])
  }

  var dimensions: [(name: String, length: Int?)]
  var attributes: [(name: String, value: NetCDFFile.Attribute)]
  var variables: [Variable]
  /// Values of the variables that do not change.
  var fixed: [(name: String, value: FixedValue)]
  let hasCell: Bool

  init(_ header: AmberHeader) {
    hasCell = header.periodicity != .none
    dimensions = [("frame", nil), ("spatial", 3), ("atom", header.elements.count)]
    if hasCell { dimensions += [("cell_spatial", 3), ("cell_angular", 3), ("label", 5)] }
    if header.energies { dimensions.append(("Voigt", 6)) }

    let species = Set(header.elements).sorted().map(\.symbol).joined(separator: " ")
    var texts = [
      ("Conventions", "AMBER"), ("ConventionVersion", "1.0"), ("program", "Apus"),
      ("programVersion", header.attributes.first { $0.0 == "apus_version" }?.1 ?? "1"),
      ("title", header.title),
    ]
    if header.isUnwrapped { texts.append(("apus_coordinates", "unwrapped")) }
    if species.utf8.count <= 80 { texts.append(("species", species)) }
    texts += header.attributes
    attributes = texts.map { (name: $0.0, value: .text(Self.cut($0.1))) }
    if let r = header.rotation {
      attributes.append(
        (
          name: "apus_rotation",
          value: .doubles([r.x.x, r.x.y, r.x.z, r.y.x, r.y.y, r.y.z, r.z.x, r.z.y, r.z.z])
        ))
    }

    variables = [Variable(name: "spatial", type: .char, dimensions: ["spatial"])]
    fixed = [("spatial", .text("xyz"))]
    if hasCell {
      variables += [
        Variable(name: "cell_spatial", type: .char, dimensions: ["cell_spatial"]),
        Variable(name: "cell_angular", type: .char, dimensions: ["cell_angular", "label"]),
      ]
      fixed += [("cell_spatial", .text("abc")), ("cell_angular", .text("alphabeta gamma"))]
    }
    let numbers = header.elements.map { Int32($0.atomicNumber) }
    variables += [
      Variable(name: "atom_types", type: .int, dimensions: ["atom"]),
      Variable(name: "atomic_numbers", type: .int, dimensions: ["atom"]),
      Variable(name: "mass", type: .double, dimensions: ["atom"], units: "dalton"),
    ]
    fixed += [
      ("atom_types", .ints(numbers)), ("atomic_numbers", .ints(numbers)),
      ("mass", .doubles(header.masses)),
    ]
    variables += [
      Variable(name: "time", type: .double, dimensions: ["frame"], units: "picosecond"),
      Variable(name: "step", type: .double, dimensions: ["frame"]),
    ]
    if hasCell {
      variables += [
        Variable(
          name: "cell_lengths", type: .double, dimensions: ["frame", "cell_spatial"],
          units: "angstrom"),
        Variable(
          name: "cell_angles", type: .double, dimensions: ["frame", "cell_angular"],
          units: "degree"),
      ]
    }
    if header.energies {
      for name in ["potential_energy", "kinetic_energy", "conserved"] {
        variables.append(Variable(name: name, type: .double, dimensions: ["frame"], units: "eV"))
      }
      variables += [
        Variable(name: "temperature", type: .double, dimensions: ["frame"], units: "kelvin"),
        Variable(name: "stress", type: .double, dimensions: ["frame", "Voigt"], units: "GPa"),
      ]
    }
    var arrays = [("coordinates", "angstrom")]
    if header.velocities { arrays.append(("velocities", "angstrom/picosecond")) }
    if header.forces { arrays.append(("forces", "kilocalorie/mole/angstrom")) }
    variables += arrays.map {
      Variable(name: $0.0, type: .float, dimensions: ["frame", "atom", "spatial"], units: $0.1)
    }
  }

  /// At most 80 bytes of a text, whole characters: the bound of the AMBER convention.
  private static func cut(_ text: String) -> String {
    var result = text
    while result.utf8.count > 80 { result.removeLast() }
    return result
  }

  /// The first difference from the header of a file, in words, or nil.
  func difference(from file: ClassicHeader) -> String? {
    if file.version != 2 { return "its container is CDF-\(file.version), not CDF-2" }
    for (name, length) in dimensions {
      let found = file.length(of: name)
      guard let found else { return "it has no dimension \(name)" }
      if found != length ?? 0 {
        return name == "atom"
          ? "it holds \(found) atoms, not \(length ?? 0)"
          : "its dimension \(name) is \(found), not \(length ?? 0)"
      }
    }
    for (name, value) in attributes {
      let expected: ClassicHeader.Attribute.Value =
        switch value {
        case .text(let text): .text(text)
        case .doubles(let values): .numbers(values)
        case .ints(let values): .numbers(values.map(Double.init))
        case .int64s(let values): .numbers(values.map { Double($0) })
        }
      guard let found = file.attribute(name) else { return "it has no attribute \(name)" }
      if found != expected {
        return "its \(name) is \(Self.text(found)), not \(Self.text(expected))"
      }
    }
    for attribute in file.attributes
    where !attributes.contains(where: { $0.name == attribute.name }) {
      return "it has the attribute \(attribute.name), which is not expected"
    }
    for variable in variables {
      guard let found = file.variable(variable.name) else { return "it holds no \(variable.name)" }
      let names = found.dimensions.map { file.dimensions[$0].name }
      if names != variable.dimensions || found.type.rawValue != Int(variable.type.rawValue) {
        return "its variable \(variable.name) has another shape or type"
      }
    }
    for variable in file.variables where !variables.contains(where: { $0.name == variable.name }) {
      return "it holds \(variable.name), which is not expected"
    }
    return nil
  }

  private static func text(_ value: ClassicHeader.Attribute.Value) -> String {
    switch value {
    case .text(let text): "'\(text)'"
    case .numbers(let numbers): "(" + numbers.map { "\($0)" }.joined(separator: " ") + ")"
    }
  }
}
