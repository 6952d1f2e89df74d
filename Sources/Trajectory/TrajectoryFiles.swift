import Foundation
import Matter

/// Finds and opens trajectories: files of every format, run directories, stages.
public enum TrajectoryFiles {
  /// Opens a trajectory, or the trajectory of a run directory or stage.
  /// - Throws: `InputError` for anything that cannot be read rightly, before any frame is read.
  public static func open(_ source: String, options: TrajectoryOptions = TrajectoryOptions())
    throws(InputError) -> TrajectoryStream
  {
    let found = try locate(source)
    return try TrajectoryStream(try reader(found.path, units: options.units), options)
  }

  /// Goes through a trajectory without reading positions: how many frames the options choose, and
  /// when. The length of a text file is not known otherwise.
  public static func survey(_ source: String, options: TrajectoryOptions = TrajectoryOptions())
    throws(InputError) -> TrajectorySurvey
  {
    var options = options
    options.unwrapping = nil
    return try open(source, options: options).survey()
  }

  /// Where a trajectory is, and the run and stage it belongs to.
  public struct Location: Sendable, Equatable {
    /// The file.
    public var path: String
    /// The run directory, where the file is the trajectory of a stage.
    public var runDirectory: String?
    /// The name of the stage.
    public var stage: String?
  }

  /// The file that a user means: itself, the trajectory of a stage, or of the last stage of a run
  /// that has frames. Steps count through a run, so the last stage is the one of the latest frame.
  public static func locate(_ source: String) throws(InputError) -> Location {
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: source, isDirectory: &isDirectory),
      isDirectory.boolValue
    else { return Location(path: source, runDirectory: nil, stage: nil) }
    let folder = source.count > 1 && source.hasSuffix("/") ? String(source.dropLast()) : source
    func file(in folder: String) -> String? {
      let path = folder + "/trajectory.nc"
      return FileLayer.exists(path) ? path : nil
    }
    if let path = file(in: folder) {
      let stage = URL(fileURLWithPath: folder).standardizedFileURL
      return Location(
        path: path, runDirectory: FileLayer.directory(of: folder), stage: stage.lastPathComponent)
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    var best: (step: Double, path: String, stage: String)?
    var problem: InputError?
    for name in names.sorted() {
      guard let path = file(in: folder + "/" + name) else { continue }
      do {
        let reader = try AmberTrajectoryReader(path: path)
        let last = try reader.values(reader.frameCount - 1)
        let step = last.step.map(Double.init) ?? last.timePs ?? 0
        if best.map({ step > $0.step }) ?? true { best = (step, path, name) }
      } catch {
        // A stage that has just begun has no frame yet.
        problem = error
      }
    }
    if let best { return Location(path: best.path, runDirectory: folder, stage: best.stage) }
    if let problem { throw problem }
    throw InputError(
      "expected a run directory or a stage of one, found a directory without trajectory.nc in it "
        + "or in a stage",
      remedy: "Give a run directory of which a stage wrote a trajectory, or a file", file: source)
  }

  /// Reads a file of any format, recognized by its content.
  static func reader(_ path: String, units: LAMMPSUnits? = nil) throws(InputError)
    -> any TrajectoryReader
  {
    switch try StructureReader.kind(of: path) {
    case .netCDF: return try AmberTrajectoryReader(path: path)
    case .extendedXYZ: return try ExtendedXYZTrajectoryReader(path: path)
    case .lammpsDump: return try LAMMPSDumpReader(path: path, units: units)
    case .dcd: return try DCDReader(path: path)
    case .h5md: return try H5MDReader(path: path)
    case let kind: return try SingleFrameReader(path: path, kind: kind)
    }
  }
}

/// What a trajectory holds of what was asked for.
public struct TrajectorySurvey: Sendable, Equatable {
  /// Frames chosen.
  public var frameCount = 0
  /// The time of the first and the last frame chosen, in ps.
  public var firstPs, lastPs: Double?
  /// The time between frames chosen, in ps.
  public var spacingPs: Double?
  /// The step of the last frame chosen.
  public var lastStep: Int?
  /// The first place where frames are not evenly spaced, where that is allowed.
  public var unevenness: String?
  /// What is wrong with the file, or nil.
  public var damage: String?
}
