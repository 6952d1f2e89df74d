import Matter

/// A `--set key.path=value` of the command line. List items go by index from 0; stages also by
/// name. The value is YAML, so that lists and mappings can be given. Paths in it start from the
/// working directory.
package struct Override: Sendable {
  private let path: [String]
  private let value: Node
  private let mark: Mark

  /// From the text after `--set`.
  package init(_ text: String) throws(InputError) {
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
      throw InputError(
        "'\(text.clipped)' is not key=value", remedy: "Write it as: --set timestep='1 fs'",
        file: "--set")
    }
    let key = String(text[..<equals])
    mark = Mark(file: "--set \(key.clipped)")
    path = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard !path.contains("") else {
      throw mark.error("an empty key", remedy: "Write it as: --set stages.0.duration='1 ps'")
    }
    let source = String(text[text.index(after: equals)...])
    if source.allSatisfy(\.isWhitespace) {
      value = Node(.scalar(""), at: mark)
      return
    }
    do throws(InputError) {
      let (node, errors) = try YAMLReader.tree(source, name: key)
      if let error = errors.first { throw error }
      value = node.moved(to: mark)
    } catch {
      throw mark.error(error.message, remedy: error.remedy)
    }
  }

  func apply(to root: inout Node) throws(InputError) { try apply(path[...], to: &root) }

  private func apply(_ path: ArraySlice<String>, to node: inout Node) throws(InputError) {
    guard let key = path.first else {
      node = value
      return
    }
    let parent = self.path[..<path.startIndex].joined(separator: ".")
    switch node.content {
    case .mapping(var entries):
      if let index = entries.firstIndex(where: { $0.key == key }) {
        try apply(path.dropFirst(), to: &entries[index].value)
      } else {
        var new = Node(.mapping([]), at: mark)
        try apply(path.dropFirst(), to: &new)
        entries.append(Node.Entry(key: key, mark: mark, value: new))
        // Either says the length of a stage, so the one given here replaces the other.
        if key == "steps" { entries.removeAll { $0.key == "duration" } }
        if key == "duration" { entries.removeAll { $0.key == "steps" } }
      }
      node.content = .mapping(entries)
    case .sequence(var nodes):
      let index = Int(key) ?? nodes.firstIndex { $0["name"]?.scalar == key }
      guard let index, nodes.indices.contains(index) else {
        let names = nodes.compactMap { $0["name"]?.scalar?.clipped }
        throw mark.error(
          "\(parent) has no item '\(key.clipped)'",
          remedy: nodes.isEmpty
            ? "" : "Use 0 to \(nodes.count - 1)" + names.map { ", \($0)" }.joined())
      }
      try apply(path.dropFirst(), to: &nodes[index])
      node.content = .sequence(nodes)
    case .scalar("") where self.path.startIndex != path.startIndex:
      node = Node(.mapping([]), at: mark)
      try apply(path, to: &node)
    case .scalar:
      throw mark.error(
        "\(parent.isEmpty ? "the deck" : parent) is \(node.found), without keys",
        remedy: "Set \(parent.isEmpty ? "keys of a mapping" : parent) as a whole")
    }
  }
}
