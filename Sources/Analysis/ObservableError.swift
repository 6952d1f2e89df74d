/// Why an observable cannot be had from a trajectory.
public enum ObservableError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Too few frames or atoms: what is missing, in words.
  case notEnoughData(String)
  /// A number of a frame (counted from 0 as the observable sees them) is infinite or NaN.
  case notFinite(frame: Int, atom: Int, what: String)
  /// A frame lacks what the observable needs.
  case missing(frame: Int, what: String)
  /// A request that the frames do not allow, in words.
  case unsuitable(String)
  /// The temporary file of a long trajectory failed.
  case temporaryFile(String)

  /// One line in words; atoms and frames counted from 1.
  public var description: String {
    switch self {
    case .notEnoughData(let text): "not enough data: \(text)"
    case .notFinite(let frame, let atom, let what):
      "the \(what) of atom \(atom + 1) in frame \(frame + 1) is not finite"
    case .missing(let frame, let what): "frame \(frame + 1) has no \(what)"
    case .unsuitable(let text): text
    case .temporaryFile(let text): "temporary file: \(text)"
    }
  }
}
