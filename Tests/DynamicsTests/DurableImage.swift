import Foundation
import Glibc
import Synchronization

/// What surely is on a disk after a power loss: of every file the content at its last fsync, of
/// every directory the names at its last fsync.
final class DurableImage: Sendable {
  private struct State {
    var contents: [ino_t: Data] = [:]
    var names: [ino_t: [String: ino_t]] = [:]
    /// Open, so that no number is used again.
    var held: [ino_t: Int32] = [:]
  }
  private let root: String
  private let state = Mutex(State())

  /// Everything below a directory, taken as durable.
  init(of root: String) {
    self.root = root
    take(root)
  }

  deinit { state.withLock { for descriptor in $0.held.values { close(descriptor) } } }

  private func take(_ path: String) {
    note(path)
    for name in (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [] {
      take(path + "/" + name)
    }
  }

  private static func number(_ path: String) -> ino_t? {
    var information = stat()
    return lstat(path, &information) == 0 ? information.st_ino : nil
  }

  /// An fsync of a path.
  func note(_ path: String) {
    guard path.hasPrefix(root), let number = Self.number(path) else { return }
    var isDirectory: ObjCBool = false
    _ = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    let content = FileManager.default.contents(atPath: path)
    state.withLock { state in
      if state.held[number] == nil { state.held[number] = open(path, O_RDONLY | O_CLOEXEC) }
      if isDirectory.boolValue {
        var names: [String: ino_t] = [:]
        for name in entries {
          var information = stat()
          guard lstat(path + "/" + name, &information) == 0 else { continue }
          names[name] = information.st_ino
          // A folder whose own names were never made durable is there, and empty.
          if information.st_mode & S_IFMT == S_IFDIR, state.names[information.st_ino] == nil {
            state.names[information.st_ino] = [:]
          }
        }
        state.names[number] = names
      } else {
        state.contents[number] = content
      }
    }
  }

  /// Puts the durable content in the place of the present one.
  func restore() throws {
    let state = state.withLock { $0 }
    guard let number = Self.number(root) else { return }
    func make(_ number: ino_t, _ path: String) throws {
      if let names = state.names[number] {
        try FileManager.default.createDirectory(
          atPath: path, withIntermediateDirectories: false)
        for (name, child) in names { try make(child, path + "/" + name) }
      } else {
        try (state.contents[number] ?? Data()).write(to: URL(fileURLWithPath: path))
      }
    }
    try FileManager.default.removeItem(atPath: root)
    try make(number, root)
  }
}
