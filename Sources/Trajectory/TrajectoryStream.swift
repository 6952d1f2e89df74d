import Matter

/// The frames of a trajectory that a user asked for, with elements, masses and times resolved, and
/// unwrapped on request.
public final class TrajectoryStream: FrameSource {
  /// What holds for every frame; elements, masses and wrapping as the options resolve them.
  public private(set) var facts: TrajectoryFacts
  /// The first place where frames are not evenly spaced, where that is allowed.
  public var unevenness: String? { selection.unevenness }
  /// What is wrong with the file as far as it was read, or nil.
  public var damage: String? { reader.damage }
  /// The time between frames of this stream in ps, once known.
  public var spacingPs: Double? { selection.spacingPs }
  private let reader: any TrajectoryReader
  private let options: TrajectoryOptions
  private var unwrapper: Unwrapper?
  private var selection: FrameSelection
  private var isDone = false

  /// Frames of a reader as the options say.
  init(_ reader: any TrajectoryReader, _ options: TrajectoryOptions) throws(InputError) {
    try options.check()
    self.reader = reader
    self.options = options
    facts = reader.facts
    selection = FrameSelection(
      options, timeIsSingle: facts.timeIsSingle, file: facts.path)
    facts.frameCount =
      options.firstPs == nil && options.lastPs == nil
      ? facts.frameCount.map { ($0 + options.every - 1) / options.every } : nil
    if let given = options.wrapping { facts.wrapping = given }
    try resolveElements()
    if let scheme = options.unwrapping, facts.hasCell, facts.wrapping != .unwrapped {
      unwrapper = Unwrapper(atomCount: facts.atomCount, scheme: scheme)
      facts.wrapping = .unwrapped
    }
  }

  /// Reads the next frame asked for; its time is the given spacing times its number in the file, or
  /// what the file says.
  public func next(into frame: inout TrajectoryFrame) throws(InputError) -> Bool {
    var passed = FrameValues()
    while !isDone {
      // Frames between those asked for are read only to follow atoms through the cell.
      let reads = unwrapper != nil || selection.takesNext
      let choice: FrameSelection.Choice
      if reads {
        guard try reader.next(into: &frame) else { break }
        choice = try selection.choose(&frame.values)
      } else {
        guard try reader.skip(into: &passed) else { break }
        choice = try selection.choose(&passed)
      }
      if choice == .stop { break }
      if choice == .before { continue }
      // Molecules in no cell need nothing, though their file may have room for a cell.
      if frame.values.periodicity != .none {
        try unwrapper?.unwrap(
          frame.positions, cell: frame.values.cell, periodicity: frame.values.periodicity,
          frame: selection.place, file: facts.path)
      }
      if choice == .take { return true }
    }
    isDone = true
    return false
  }

  /// Goes through all frames without reading positions.
  func survey() throws(InputError) -> TrajectorySurvey {
    var result = TrajectorySurvey()
    var values = FrameValues()
    while try reader.skip(into: &values) {
      let choice = try selection.choose(&values)
      if choice == .stop { break }
      guard choice == .take else { continue }
      if result.frameCount == 0 { result.firstPs = values.timePs }
      result.lastPs = values.timePs
      result.lastStep = values.step
      result.frameCount += 1
    }
    result.spacingPs = spacingPs
    result.damage = damage
    result.unevenness = unevenness
    return result
  }

  // MARK: elements

  private func resolveElements() throws(InputError) {
    let count = facts.atomCount
    if let path = options.topology {
      let topology = try StructureReader.first(path: path).structure
      guard topology.count == count else {
        throw InputError(
          "the topology has \(topology.count) atoms, the trajectory \(facts.path) has \(count)",
          file: path)
      }
      try compare(topology.elements, "the topology \(path)")
      facts.elements = topology.elements
      facts.masses = topology.masses ?? facts.masses
    }
    guard let given = options.elements else { return }
    if let types = facts.types {
      guard let lowest = types.min(), let highest = types.max(), lowest >= 1 else {
        throw InputError("its types are not counted from 1", file: facts.path)
      }
      guard highest <= given.count else {
        throw InputError(
          "elements names \(given.count) type\(given.count == 1 ? "" : "s"), the file has type "
            + "\(highest)", remedy: "Name the element of each type in order", file: facts.path)
      }
      let mapped = types.map { given[$0 - 1] }
      try compare(mapped, "elements")
      facts.elements = mapped
    } else if given.count == count || given.count == 1 {
      let all = given.count == count ? given : [Element](repeating: given[0], count: count)
      try compare(all, "elements")
      facts.elements = all
    } else {
      throw InputError(
        "elements names \(given.count), but the file has no types to which they could belong",
        remedy: "Give the elements of all \(count) atoms, or a structure file (topology)",
        file: facts.path)
    }
  }

  private func compare(_ given: [Element], _ what: String) throws(InputError) {
    guard let own = facts.elements,
      let bad = own.indices.first(where: { own[$0] != given[$0] })
    else { return }
    throw InputError(
      "atom \(bad + 1) is \(own[bad]) in the file, but \(given[bad]) by \(what)",
      remedy: "Give the same atoms in the same order", file: facts.path)
  }
}
