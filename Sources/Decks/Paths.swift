import Glibc

/// Paths as text; nothing here touches the file system but the name of the working directory.
enum Paths {
  static var workingDirectory: String {
    guard let buffer = getcwd(nil, 0) else { return "." }
    defer { free(buffer) }
    return String(cString: buffer)
  }

  static func absolute(_ path: String) -> String { resolved(path, against: workingDirectory) }

  /// Absolute, without `.` components; `..` stays, because it means another place behind a link.
  static func resolved(_ path: String, against folder: String) -> String {
    let whole = path.hasPrefix("/") ? path : folder + "/" + path
    let parts = whole.split(separator: "/").filter { $0 != "." }
    return (whole.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
  }

  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return workingDirectory }
    return absolute(slash == path.startIndex ? "/" : String(path[..<slash]))
  }

  static func lastComponent(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  static func withoutExtension(_ name: String) -> String {
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return name }
    return String(name[..<dot])
  }
}
