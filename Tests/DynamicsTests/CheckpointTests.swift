import Dynamics
import Foundation
import Testing

@Suite struct CheckpointTests {
  private static func sample() -> Checkpoint {
    var c = Checkpoint()
    (c.step, c.dynamicsStep, c.stage, c.stageStep) = (1 << 40, 77, 1, 12)
    (c.stageIsDone, c.frames, c.thermoBytes) = (true, 3, 4711)
    c.elements = [14, 1]
    c.masses = [28.0855, 2.014]
    c.cell = [5, 0, 0, 0.1, 6, 0, -0.3, 0.25, 7]
    c.periodicity = [true, true, false]
    c.positions = [0, 1, 2, 3, 4, 5].map { $0 / 7 }
    c.velocities = [-0.0, .leastNonzeroMagnitude, 1e308, 2, 3, 4]
    c.forces = [1, 2, 3, 4, 5, 6]
    c.energy = -13.25
    c.virial = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    c.integrator = ["eta": [0.1, 0.2, 0.3], "empty": [], "rate": [1e-17]]
    c.accumulators = ["cell.0.auto": [1, 0, 0, 0, 0, 0, 0, 0]]
    c.deck = "title: ä\nstages: []\n"
    c.modelHash = "00ff"
    c.structureHash = "abcd"
    c.program = "apus test"
    return c
  }

  @Test("A checkpoint read back equals the one written, to the last bit")
  func roundTrip() throws {
    let c = Self.sample()
    let back = try Checkpoint(bytes: c.bytes)
    #expect(back == c)
    #expect(back.velocities[0].sign == .minus)
    #expect(back.bytes == c.bytes)
  }

  @Test("A checkpoint cut anywhere is refused")
  func truncation() {
    let bytes = Self.sample().bytes
    for length in 0..<bytes.count {
      #expect(throws: Checkpoint.Damage.self) { try Checkpoint(bytes: Array(bytes.prefix(length))) }
    }
  }

  @Test("Every flipped bit that changes what a checkpoint says is detected, and none crashes")
  func bitFlips() {
    let original = Self.sample()
    let bytes = original.bytes
    for bit in 0..<8 * bytes.count {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << (bit % 8)
      if let read = try? Checkpoint(bytes: damaged) {
        #expect(read == original, "bit \(bit) changed the content unseen")
      }
    }
  }

  @Test(
    "netCDF4-python reads a checkpoint",
    .enabled(if: FileManager.default.fileExists(atPath: "/tmp/venv/bin/python")))
  func readByOthers() throws {
    let path = NSTemporaryDirectory() + "checkpoint-\(getpid()).nc"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(Self.sample().bytes).write(to: URL(fileURLWithPath: path))
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/tmp/venv/bin/python")
    process.arguments = [
      "-c",
      """
      import sys, netCDF4
      f = netCDF4.Dataset(sys.argv[1])
      print(f.data_model, f['position'][0], f['velocities'][1], f['integrator.eta'][2], f.program)
      """, path,
    ]
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(text == "NETCDF3_64BIT_DATA \(1 << 40) 5e-324 0.3 apus test\n")
  }
}
