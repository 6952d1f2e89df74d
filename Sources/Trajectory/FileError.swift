import Glibc

/// A failure of the file system or of the NetCDF library while running: what was tried, on which
/// path, and for a full disk how much was needed and how much is free.
public struct FileError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The file or directory.
  public var path: String
  /// What was tried and what happened.
  public var message: String
  /// The error number of the operating system, where it gave one.
  public var code: Int32?
  /// The bytes that were to be written, where known.
  public var bytesNeeded: Int?
  /// The bytes free on the file system when a write failed for want of space.
  public var bytesFree: Int?

  /// An error with its message.
  public init(
    path: String, message: String, code: Int32? = nil, bytesNeeded: Int? = nil,
    bytesFree: Int? = nil
  ) {
    self.path = path
    self.message = message
    self.code = code
    self.bytesNeeded = bytesNeeded
    self.bytesFree = bytesFree
  }

  /// An error of the operating system; for want of space it looks up what is free.
  package init(path: String, doing action: String, code: Int32, bytesNeeded: Int? = nil) {
    self.init(
      path: path, message: "cannot \(action): \(Self.text(of: code))", code: code,
      bytesNeeded: bytesNeeded)
    if code == ENOSPC || code == EDQUOT {
      bytesFree = FileLayer.freeSpace(at: path)
    }
  }

  /// `path: message (bytes needed, bytes free)`, on one line.
  public var description: String {
    var text = "\(path): \(message)"
    if let needed = bytesNeeded {
      text += " (\(ByteCount.text(needed)) needed"
      if let free = bytesFree { text += ", \(ByteCount.text(free)) free" }
      text += ")"
    } else if let free = bytesFree {
      text += " (\(ByteCount.text(free)) free)"
    }
    return text
  }

  /// The system's words for an error number.
  package static func text(of code: Int32) -> String {
    strerror(code).map { String(cString: $0) } ?? "error \(code)"
  }
}
