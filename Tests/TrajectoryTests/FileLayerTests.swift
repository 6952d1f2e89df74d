import Foundation
import Glibc
import Matter
import Testing
import Trajectory

@Suite struct FileLayerTests {
  @Test("Whatever call fails, a whole-file write leaves the old content or the new one")
  func atomic() throws {
    let folder = try TemporaryDirectory()
    let path = folder["a.txt"]
    try FileLayer.write("old", to: path)
    var failures = 0
    for call in 0..<100 {
      let faults = FileFaults(call: call, code: EIO)
      do {
        try faults.during { try FileLayer.write("new", to: path) }
        if faults.calls.count <= call { break }
      } catch let error as FileError {
        failures += 1
        #expect(error.code == EIO)
        #expect(error.path.hasPrefix(folder.path))
      }
      let content = String(decoding: try folder.bytes("a.txt"), as: UTF8.self)
      #expect(content == "old" || content == "new")
      #expect(folder.names == ["a.txt"])
      try FileLayer.write("old", to: path)
    }
    #expect(failures >= 5)
  }

  @Test("A write is made durable before the rename and the directory after it")
  func order() throws {
    let folder = try TemporaryDirectory()
    let faults = FileFaults { _, _, _ in nil }
    try faults.during { try FileLayer.write("x", to: folder["a"]) }
    #expect(
      faults.calls.map(\.call).filter { $0 != .open && $0 != .close } == [
        .write, .synchronize, .rename, .synchronize,
      ])
    #expect(faults.calls.last { $0.call == .synchronize }?.path == folder.path)
  }

  @Test("Interrupted and short writes are continued")
  func shortWrites() throws {
    let folder = try TemporaryDirectory()
    let faults = FileFaults { number, call, _ in
      call == .write ? (number % 2 == 0 ? .code(EINTR) : .short(3)) : nil
    }
    try faults.during { try FileLayer.write("0123456789", to: folder["a"]) }
    #expect(try folder.bytes("a") == Array("0123456789".utf8))
    #expect(faults.calls.filter { $0.call == .write }.count > 4)
  }

  @Test("A full disk is reported with path, bytes needed and bytes free")
  func full() throws {
    let folder = try TemporaryDirectory()
    let faults = FileFaults { _, call, _ in call == .write ? .code(ENOSPC) : nil }
    let error = try #require(throws: FileError.self) {
      try faults.during { try FileLayer.write("0123456789", to: folder["a"]) }
    }
    #expect(error.bytesNeeded == 10)
    #expect(error.bytesFree != nil)
    #expect(
      error.description.hasPrefix(
        folder["a.tmp"] + ": cannot write: No space left on device (10 bytes needed, "))
    #expect(throws: FileError.self) { try FileLayer.write("x", to: "/dev/full") }
  }

  @Test("A growing file keeps whole lines only, whatever write fails")
  func growing() throws {
    let folder = try TemporaryDirectory()
    let path = folder["t.csv"]
    let file = try GrowingFile(creating: path)
    file.append("first line\n")
    try file.synchronize()
    file.append("second line\n")
    let faults = FileFaults { number, call, _ in
      call == .write ? (number == 0 ? .short(5) : .code(ENOSPC)) : nil
    }
    #expect(throws: FileError.self) { try faults.during { try file.flush() } }
    #expect(try folder.bytes("t.csv") == Array("first line\n".utf8))
    try file.flush()
    #expect(try folder.bytes("t.csv") == Array("first line\nsecond line\n".utf8))
    #expect(file.size == 23)
    file.append("third\n")
    try file.truncate(to: 11)
    file.append("again\n")
    try file.flush()
    #expect(try folder.bytes("t.csv") == Array("first line\nagain\n".utf8))
  }

  @Test("Going on with a growing file cuts it back and refuses a shorter one")
  func continuing() throws {
    let folder = try TemporaryDirectory()
    let path = try folder.write("t.csv", "a\nb\npartial")
    let file = try GrowingFile(continuing: path, size: 4)
    file.append("c\n")
    try file.flush()
    #expect(try folder.bytes("t.csv") == Array("a\nb\nc\n".utf8))
    #expect(throws: FileError.self) { try GrowingFile(continuing: path, size: 7) }
    #expect(throws: FileError.self) { try GrowingFile(continuing: folder["none"], size: 0) }
  }

  @Test("Directories, pipes, devices, dangling links and empty files are refused as input by name")
  func inputs() throws {
    let folder = try TemporaryDirectory()
    try folder.write("empty", "")
    try folder.write("fine", "12345")
    mkfifo(folder["pipe"], 0o600)
    symlink("nowhere", folder["link"])
    let cases = [
      (folder["empty"], "expected a file, found an empty file (0 bytes)"),
      (folder.path, "expected a file, found a directory"),
      (folder["pipe"], "expected a file, found a pipe"),
      ("/dev/zero", "expected a file, found a device"),
      (folder["link"], "expected a file, found a link to a file that does not exist"),
      (folder["none"], "expected a file, found no file of this name"),
      (folder["fine"], "expected a file of at most 4 bytes, found 5 bytes"),
    ]
    for (path, message) in cases {
      let error = #expect(throws: InputError.self) {
        try InputFile.check(path, expecting: "a file", limit: 4)
      }
      #expect(error?.message == message)
      #expect(error?.file == path)
    }
    #expect(try InputFile.read(folder["fine"], expecting: "a file", limit: 5).count == 5)
  }

  @Test("Free space is known for a path that does not exist yet")
  func free() throws {
    let folder = try TemporaryDirectory()
    let here = try #require(FileLayer.freeSpace(at: folder.path))
    let below = try #require(FileLayer.freeSpace(at: folder["not/yet/there"]))
    #expect(here > 0)
    #expect(abs(here - below) < here / 10)
  }
}
