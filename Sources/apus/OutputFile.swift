import Glibc
import Matter
import Trajectory

/// Checks the path of a file to be written before any work is done.
enum OutputFile {
  /// Checks that a file can be made at a path, in place of any other, and that it is no input.
  static func check(_ path: String, inputs: [String]) throws(InputError) {
    func fail(_ message: String) -> InputError {
      InputError("\(path): \(message)", remedy: "Choose another output")
    }
    guard !path.isEmpty else { throw InputError("the path of the output is empty") }
    let folder = FileLayer.directory(of: path)
    guard access(folder, F_OK) == 0 else { throw fail("there is no directory \(folder)") }
    guard access(folder, W_OK) == 0 else {
      throw fail("the directory cannot be written to: \(FileError.text(of: errno))")
    }
    var output = stat()
    guard stat(path, &output) == 0 else {
      if errno == ENOENT { return }
      throw fail("cannot be written: \(FileError.text(of: errno))")
    }
    guard output.st_mode & S_IFMT != S_IFDIR else { throw fail("is a directory") }
    for input in inputs {
      var other = stat()
      if stat(input, &other) == 0, other.st_ino == output.st_ino, other.st_dev == output.st_dev {
        throw fail("is also an input")
      }
    }
  }
}
