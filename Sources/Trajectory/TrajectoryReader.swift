import Matter

/// Frames one after the other, each read into the buffers of the one before.
public protocol FrameSource: AnyObject {
  /// What holds for every frame.
  var facts: TrajectoryFacts { get }
  /// What is wrong with the file as far as it was read, such as a last frame that is not whole and
  /// left out, or nil.
  var damage: String? { get }
  /// Reads the next frame into buffers made for these facts.
  /// - Returns: false after the last whole frame.
  /// - Throws: `InputError` with the place in the file.
  func next(into frame: inout TrajectoryFrame) throws(InputError) -> Bool
}

/// Reads a file of one format from its first to its last whole frame.
public protocol TrajectoryReader: FrameSource {
  /// Passes over the next frame and reads only its time and step.
  /// - Returns: false after the last whole frame.
  /// - Throws: `InputError` with the place in the file.
  func skip(into values: inout FrameValues) throws(InputError) -> Bool
}

/// What positions are when an atom leaves the cell.
public enum Wrapping: Sendable, Equatable {
  /// Atoms are known to keep their image.
  case unwrapped
  /// Atoms are known to be put back into the cell.
  case wrapped
  /// The file does not tell.
  case unknown
}

/// What holds for every frame of a trajectory.
public struct TrajectoryFacts: Sendable {
  /// Where the file is.
  public var path: String
  /// The format.
  public var kind: StructureKind
  /// Atoms in each frame.
  public var atomCount: Int
  /// Frames in the file, where that is known without reading it.
  public var frameCount: Int?
  /// The element of each atom.
  public var elements: [Element]?
  /// The type of each atom, counted from 1, where the file has types in place of elements.
  public var types: [Int]?
  /// Masses in amu.
  public var masses: [Double]?
  /// Whether frames hold velocities.
  public var hasVelocities = false
  /// Whether frames hold forces.
  public var hasForces = false
  /// Whether frames hold a cell.
  public var hasCell = false
  /// What positions are when an atom leaves the cell.
  public var wrapping = Wrapping.unknown
  /// Whether times are stored in single precision.
  public var timeIsSingle = false
  /// The program that wrote the file, or empty.
  public var program = ""
  /// The title, or empty.
  public var title = ""
  /// What was assumed because the file does not tell, a sentence each.
  public var notes: [String] = []

  /// Facts of a file before anything else is known of it.
  public init(path: String, kind: StructureKind, atomCount: Int) {
    self.path = path
    self.kind = kind
    self.atomCount = atomCount
  }

  /// What to say where elements are needed and not known.
  package var elementsMissing: InputError {
    InputError(
      "the file does not tell the elements of its atoms",
      remedy: "Give a structure with the same atoms in the same order (topology)"
        + (types.map { ", or the element of each of its \($0.max() ?? 0) types (elements)" } ?? ""),
      file: path)
  }
}
