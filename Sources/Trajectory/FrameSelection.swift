import Matter

/// Which frames of a file are wanted, and when they were: times are settled and checked here.
package struct FrameSelection: Sendable {
  /// What to do with a frame.
  package enum Choice: Sendable {
    /// It is wanted.
    case take
    /// It lies between two that are wanted.
    case between
    /// It is earlier than the first wanted.
    case before
    /// It is later than the last wanted.
    case stop
  }
  /// The number of frames looked at.
  package private(set) var place = 0
  /// The first place where frames are not evenly spaced.
  package private(set) var unevenness: String?
  /// The time between frames wanted in ps, once known: given, or the mean of what the file says,
  /// whose single times may be rounded; nil where they are uneven.
  package var spacingPs: Double? {
    if let given = options.timestepPs { return given * Double(options.every) }
    guard unevenness == nil, let firstPlace, previousPlace > firstPlace, let first = firstTime,
      let last = previous.timePs
    else { return nil }
    return (last - first) / Double(previousPlace - firstPlace) * Double(options.every)
  }
  private let options: TrajectoryOptions
  private let timeIsSingle: Bool
  private let file: String
  private var storedSpacingPs: Double?
  private var firstPlace: Int?
  private var start: Double?
  private var firstTime: Double?
  private var previous = FrameValues()
  private var previousPlace = 0
  private var stepSpacing: Int?

  /// A choice by options.
  /// - Parameters:
  ///   - timeIsSingle: whether times were stored in single precision
  ///   - file: the file, for messages
  package init(_ options: TrajectoryOptions, timeIsSingle: Bool, file: String) {
    self.options = options
    self.timeIsSingle = timeIsSingle
    self.file = file
    storedSpacingPs = options.timestepPs
  }

  /// Whether the next frame is wanted, unless by its time it is not.
  package var takesNext: Bool { isTaken(place) }

  private func isTaken(_ place: Int) -> Bool {
    firstPlace.map { (place - $0) % options.every == 0 } ?? true
  }

  /// Counts a frame, settles its time, and checks the spacing from the first wanted on.
  package mutating func choose(_ values: inout FrameValues) throws(InputError) -> Choice {
    let place = self.place
    self.place += 1
    if let given = options.timestepPs { values.timePs = Double(place) * given }
    if start == nil { start = values.timePs }
    var elapsed: Double?
    if let time = values.timePs, let start { elapsed = time - start }
    if elapsed == nil, options.firstPs != nil || options.lastPs != nil {
      throw InputError(
        "first and last need the times of the frames, which the file does not tell",
        remedy: "Give the time between stored frames (timestep)", file: file)
    }
    let gap = values.timePs.flatMap { now in previous.timePs.map { abs(now - $0) } }
    let slack = 1e-3 * (storedSpacingPs ?? gap ?? 0) + resolution(values.timePs)
    if let last = options.lastPs, let elapsed, elapsed > last + slack { return .stop }
    if let first = options.firstPs, let elapsed, elapsed < first - slack {
      previous = values
      return .before
    }
    if firstPlace == nil {
      firstPlace = place
      firstTime = values.timePs
    } else {
      try checkSpacing(values, place)
    }
    previous = values
    previousPlace = place
    return isTaken(place) ? .take : .between
  }

  /// How far a stored time may be from the true one, in ps.
  private func resolution(_ time: Double?) -> Double {
    guard timeIsSingle, options.timestepPs == nil, let time else { return 0 }
    return abs(time) * 0x1p-22
  }

  private mutating func checkSpacing(_ values: FrameValues, _ place: Int) throws(InputError) {
    guard options.timestepPs == nil else { return }
    var problem: String?
    if let now = values.timePs, let before = previous.timePs {
      let gap = now - before
      let expected = storedSpacingPs ?? gap
      if gap < 0 {
        problem =
          "the time goes back from \(before) ps in frame \(place) to \(now) ps in frame "
          + "\(place + 1), as where a second run was appended"
      } else if gap == 0 {
        problem = "frames \(place) and \(place + 1) have the same time, \(now) ps"
      } else if abs(gap - expected) > 0.01 * expected + 2 * resolution(now) {
        problem =
          "frames \(place) and \(place + 1) are \(gap) ps apart, those before \(expected) ps"
      }
      if storedSpacingPs == nil, gap > 0 { storedSpacingPs = gap }
    } else if let now = values.step, let before = previous.step {
      let gap = now - before
      let expected = stepSpacing ?? gap
      if gap <= 0 || gap != expected {
        problem =
          "frames \(place) and \(place + 1) are \(gap) steps apart"
          + (gap <= 0 ? "" : ", those before \(expected)")
      }
      stepSpacing = expected
    }
    guard let problem, unevenness == nil else { return }
    unevenness = problem
    if options.requiresEvenSpacing {
      throw InputError(
        problem,
        remedy:
          "Give timestep if the times in the file are wrong, or take an evenly spaced part by "
          + "first and last", file: file)
    }
  }
}
