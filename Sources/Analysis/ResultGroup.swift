/// One observable as it goes into a result file: named dimensions, variables with units, and what a
/// person reads first.
public struct ResultGroup: Sendable {
  /// The value of an attribute.
  public enum Attribute: Sendable, Equatable {
    case text(String)
    case number(Double)
    case numbers([Double])
    case integer(Int)
  }
  /// The values of a variable, row-major over its dimensions.
  public enum Values: Sendable, Equatable {
    case reals([Double])
    case integers([Int])
    case strings([String])

    /// The number of values.
    public var count: Int {
      switch self {
      case .reals(let v): v.count
      case .integers(let v): v.count
      case .strings(let v): v.count
      }
    }
  }
  /// A variable.
  public struct Variable: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// The names of its dimensions; none for a single value.
    public var dimensions: [String]
    /// Its values.
    public var values: Values
    /// Its attributes, `units` and `long_name` first.
    public var attributes: [(name: String, value: Attribute)]

    /// Whether all fields are equal.
    public static func == (a: Variable, b: Variable) -> Bool {
      a.name == b.name && a.dimensions == b.dimensions && a.values == b.values
        && a.attributes.elementsEqual(b.attributes) { $0.name == $1.name && $0.value == $1.value }
    }
  }
  /// A line of the table that is printed, also an entry of summary.json.
  public struct Line: Sendable, Equatable {
    /// The name, in snake case.
    public var key: String
    /// A number with its error.
    public var estimate: Estimate?
    /// Words instead of a number.
    public var text: String?
    /// The unit.
    public var units: String
    /// Words behind the number, such as a verdict.
    public var remark: String
  }

  /// The name of the group.
  public let name: String
  /// Dimensions in the order of their definition.
  public private(set) var dimensions: [(name: String, length: Int)] = []
  /// Variables in the order of their definition.
  public private(set) var variables: [Variable] = []
  /// Attributes of the group.
  public private(set) var attributes: [(name: String, value: Attribute)] = []
  /// What a person reads first.
  public private(set) var lines: [Line] = []

  /// An empty group; `title` says what it holds.
  public init(_ name: String, title: String) {
    self.name = name
    attributes = [("title", .text(title))]
  }

  /// Adds an attribute of the group.
  public mutating func set(_ name: String, _ value: Attribute) { attributes.append((name, value)) }

  /// Adds a dimension with the numbers along it.
  public mutating func addCoordinate(
    _ name: String, _ values: [Double], units: String, longName: String
  ) {
    dimensions.append((name, values.count))
    add(name, [name], values, units: units, longName: longName)
  }

  /// Adds a dimension with the names along it.
  public mutating func addCoordinate(_ name: String, _ names: [String], longName: String) {
    dimensions.append((name, names.count))
    append(name, [name], .strings(names), [("long_name", .text(longName))])
  }

  /// Adds a dimension of which the places have no names.
  public mutating func addDimension(_ name: String, _ length: Int) {
    dimensions.append((name, length))
  }

  /// Adds a variable, row-major over its dimensions, and with `error` one of standard errors named
  /// `NAME_stderr`.
  public mutating func add(
    _ name: String, _ dimensions: [String], _ values: [Double], error: [Double]? = nil,
    units: String, longName: String, attributes: [(String, Attribute)] = []
  ) {
    let start: [(name: String, value: Attribute)] = [
      ("units", .text(units)), ("long_name", .text(longName)),
    ]
    append(name, dimensions, .reals(values), start + attributes.map { (name: $0.0, value: $0.1) })
    guard let error else { return }
    append(
      name + "_stderr", dimensions, .reals(error),
      [("units", .text(units)), ("long_name", .text("standard error of " + longName))])
  }

  /// Adds names over dimensions, such as a verdict for each component.
  public mutating func add(
    _ name: String, _ dimensions: [String], _ names: [String], longName: String
  ) {
    append(name, dimensions, .strings(names), [("long_name", .text(longName))])
  }

  /// Adds a single number with its standard error, and a line of the table.
  public mutating func add(
    _ name: String, _ estimate: Estimate, units: String, longName: String, remark: String = "",
    isListed: Bool = true
  ) {
    append(
      name, [], .reals([estimate.value]),
      [
        ("units", .text(units)), ("long_name", .text(longName)),
        ("effective_samples", .number(estimate.effectiveSamples)),
        ("interval_95", .number(estimate.interval95)),
      ])
    append(
      name + "_stderr", [], .reals([estimate.standardError]),
      [("units", .text(units)), ("long_name", .text("standard error of " + longName))])
    guard isListed else { return }
    lines.append(Line(key: name, estimate: estimate, text: nil, units: units, remark: remark))
  }

  /// Adds words to the table and an attribute of that name to the group.
  public mutating func addVerdict(_ key: String, _ text: String, remark: String = "") {
    attributes.append((key, .text(text)))
    lines.append(Line(key: key, estimate: nil, text: text, units: "", remark: remark))
  }

  /// Adds a number to the table that is part of a variable over dimensions.
  public mutating func list(
    _ key: String, _ estimate: Estimate, units: String, remark: String = ""
  ) {
    lines.append(Line(key: key, estimate: estimate, text: nil, units: units, remark: remark))
  }

  /// Adds something that a reader of the results should know.
  public mutating func addCaveat(_ text: String) {
    let count = attributes.count { $0.name.hasPrefix("caveat") }
    addVerdict(count == 0 ? "caveat" : "caveat_\(count + 1)", text)
  }

  private mutating func append(
    _ name: String, _ dimensions: [String], _ values: Values,
    _ attributes: [(name: String, value: Attribute)]
  ) {
    let lengths = dimensions.map { wanted in
      self.dimensions.first { $0.name == wanted }?.length
    }
    precondition(
      lengths.allSatisfy { $0 != nil }
        && lengths.reduce(1) { $0 * ($1 ?? 0) } == values.count,
      "\(self.name).\(name) does not fill its dimensions")
    precondition(!variables.contains { $0.name == name }, "\(self.name).\(name) is there twice")
    variables.append(
      Variable(name: name, dimensions: dimensions, values: values, attributes: attributes))
  }
}

extension ResultGroup {
  /// The mean of groups of replicas, with the spread as error of every variable that has one; texts
  /// are those of the first. Nil where coordinates differ.
  public static func mean(ofReplicas groups: [ResultGroup]) -> ResultGroup? {
    guard var result = groups.first else { return nil }
    guard groups.count > 1 else { return result }
    let coordinates = Set(result.dimensions.map(\.name))
    for k in result.variables.indices {
      let name = result.variables[k].name
      let same = groups.compactMap { g in g.variables.first { $0.name == name } }
      guard same.count == groups.count else { return nil }
      if coordinates.contains(name) {
        guard same.allSatisfy({ $0.values == same[0].values }) else { return nil }
        continue
      }
      if name.hasSuffix("_stderr") { continue }
      let columns = same.compactMap { variable -> [Double]? in
        if case .reals(let values) = variable.values { values } else { nil }
      }
      guard columns.count == groups.count else { continue }
      guard columns.allSatisfy({ $0.count == columns[0].count }) else { return nil }
      let means = columns[0].indices.map { i in
        Estimate.mean(ofReplicas: columns.map { Estimate($0[i]) })
      }
      result.variables[k].values = .reals(means.map(\.value))
      if let e = result.variables.firstIndex(where: { $0.name == name + "_stderr" }) {
        result.variables[e].values = .reals(means.map(\.standardError))
      }
    }
    for k in result.lines.indices {
      let same = groups.compactMap { g in g.lines.first { $0.key == result.lines[k].key }?.estimate
      }
      if same.count == groups.count { result.lines[k].estimate = .mean(ofReplicas: same) }
    }
    result.set("replicas", .integer(groups.count))
    return result
  }
}
