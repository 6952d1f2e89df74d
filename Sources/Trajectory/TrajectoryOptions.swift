import Matter

/// What a user says about a trajectory, and which of its frames are wanted.
public struct TrajectoryOptions: Sendable {
  /// A structure file of the same atoms in the same order, for elements and masses.
  public var topology: String?
  /// The element of each type of the file; or of each atom, or one for all, where it has no types.
  public var elements: [Element]?
  /// The time between stored frames in ps, in place of what the file says.
  public var timestepPs: Double?
  /// The first and last time wanted, in ps from the first frame of the file.
  public var firstPs, lastPs: Double?
  /// Every how many frames one is wanted.
  public var every = 1
  /// Units of a LAMMPS dump that does not tell.
  public var units: LAMMPSUnits?
  /// What positions are when an atom leaves the cell, in place of what the file says.
  public var wrapping: Wrapping?
  /// How wrapped positions are unwrapped; nil leaves them as the file has them.
  public var unwrapping: Unwrapper.Scheme?
  /// Whether frames must be evenly spaced in time.
  public var requiresEvenSpacing = true

  /// All frames as they are, evenly spaced.
  public init() {}

  /// Checks numbers that mean nothing.
  func check() throws(InputError) {
    func require(_ good: Bool, _ name: String, _ what: String) throws(InputError) {
      if !good { throw InputError("\(name) must be \(what)") }
    }
    try require(every > 0, "every", "a positive whole number, not \(every)")
    if let t = timestepPs {
      try require(t > 0 && t.isFinite, "timestep", "a positive time, not \(t) ps")
    }
    for (name, time) in [("first", firstPs), ("last", lastPs)] {
      if let t = time {
        try require(t >= 0 && t.isFinite, name, "a time from the first frame on, not \(t) ps")
      }
    }
    if let first = firstPs, let last = lastPs {
      try require(first <= last, "last", "no earlier than first (\(first) ps), not \(last) ps")
    }
  }
}
