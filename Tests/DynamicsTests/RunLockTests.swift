import Dynamics
import Foundation
import Testing

@Suite struct RunLockTests {
  @Test("A lock held is refused with its owner, and a file left behind blocks nobody")
  func lock() throws {
    let path = NSTemporaryDirectory() + "lock-\(getpid())"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    do {
      let first = try RunLock(directory: path)
      do throws(RunLock.Refusal) {
        _ = try RunLock(directory: path)
        Issue.record("a second lock was given")
      } catch {
        guard case .held(let owner) = error else {
          Issue.record("\(error)")
          return
        }
        #expect(owner.hasPrefix("process \(getpid()) on "))
        #expect(owner.contains(", started 20"))
      }
      withExtendedLifetime(first) {}
    }
    #expect(FileManager.default.fileExists(atPath: path + "/run.lock"))
    _ = try RunLock(directory: path)
  }
}
