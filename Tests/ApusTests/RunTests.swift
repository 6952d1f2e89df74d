import Foundation
import Testing

@Suite(.serialized) struct RunTests {
  private static let outputs = ["only/thermo.csv", "only/trajectory.nc", "final.xyz"]

  @Test("A run leaves the files of the contract and exits 0")
  func files() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(Sandbox.deck(), "deck.yaml")
    let result = try box.apus("run", "deck.yaml")
    #expect(result.status == 0, "\(result.err)")
    for name in [
      "deck.yaml", "methods.txt", "apus.log", "checkpoint.nc", "checkpoint.previous.nc",
      "final.xyz", "run.lock", "only/thermo.csv", "only/trajectory.nc", "only/topology.pdb",
      "only/topology.xyz", "only/species.ndx",
    ] {
      #expect(box.exists("run/" + name), "\(name) is missing")
    }
    #expect(!box.exists("run/failed.xyz"))
    let lines = try box.text("run/only/thermo.csv").split(separator: "\n")
    #expect(
      lines[0]
        == "step,time_ps,temperature_K,potential_eV,kinetic_eV,conserved_eV,pressure_GPa,stress_xx_GPa,stress_yy_GPa,stress_zz_GPa,stress_yz_GPa,stress_xz_GPa,stress_xy_GPa,volume_A3,density_g_cm3,enthalpy_eV,a_A,b_A,c_A,alpha_deg,beta_deg,gamma_deg"
    )
    #expect(lines.count == 13)
    #expect(lines[1].hasPrefix("5,0.01,"))
    #expect(try box.text("run/methods.txt").contains("doi:10.1063/1.463940"))
    // Finished: nothing changes.
    let before = try box.data("run/checkpoint.nc")
    let again = try box.apus("run", "deck.yaml", "--resume")
    #expect(again.status == 0)
    #expect(try box.data("run/checkpoint.nc") == before)
  }

  @Test("Twenty kills in a row lose and double nothing: files equal those of an unbroken run")
  func kills() throws {
    let box = try Sandbox()
    defer { box.remove() }
    let deck = Sandbox.deck(steps: 60_000, ensemble: "npt", more: "checkpoint: {every: 0.05 s}")
    try box.write(deck, "deck.yaml")
    let whole = try box.apus("run", "deck.yaml", "--output", "whole", "--quiet")
    #expect(whole.status == 0, "\(whole.err)")
    var random = SystemRandomNumberGenerator()
    var kills = 0
    var isDone = false
    while kills < 20, !isDone {
      let arguments =
        ["run", "deck.yaml", "--quiet"] + (box.exists("run") ? ["--resume"] : [])
      let (process, out, err) = try box.start(arguments)
      Thread.sleep(forTimeInterval: Double.random(in: 0.02...0.15, using: &random))
      if process.isRunning {
        kill(process.processIdentifier, SIGKILL)
        kills += 1
      }
      process.waitUntilExit()
      isDone = process.terminationReason == .exit && process.terminationStatus == 0
      if process.terminationReason == .exit, process.terminationStatus != 0 {
        Issue.record(
          "resume failed: \(String(decoding: err.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self))"
        )
        return
      }
      _ = out
    }
    #expect(kills == 20, "the run is too short for the test")
    if !isDone {
      let last = try box.apus("run", "deck.yaml", "--resume", "--quiet", "--threads", "2")
      #expect(last.status == 0, "\(last.err)")
    }
    for name in Self.outputs {
      #expect(try box.data("run/" + name) == box.data("whole/" + name), "\(name) differs")
    }
  }

  @Test(
    "Signals, the file STOP and --max-walltime stop with 75 and a checkpoint, then the run goes on",
    arguments: ["SIGTERM", "SIGINT", "STOP", "walltime"])
  func stops(how: String) throws {
    let box = try Sandbox()
    defer { box.remove() }
    let steps = 20_000
    try box.write(Sandbox.deck(steps: steps), "deck.yaml")
    #expect(try box.apus("run", "deck.yaml", "--output", "whole", "--quiet").status == 0)
    let limit = how == "walltime" ? ["--max-walltime", "0.4 s"] : []
    let (process, _, err) = try box.start(["run", "deck.yaml"] + limit)
    box.wait(for: "run/only/trajectory.nc")
    switch how {
    case "SIGTERM": kill(process.processIdentifier, SIGTERM)
    case "SIGINT": kill(process.processIdentifier, SIGINT)
    case "STOP": try box.write("", "run/STOP")
    default: break
    }
    let messages = String(decoding: err.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 75, "\(messages)")
    #expect(messages.contains("--resume"))
    #expect(!box.exists("run/STOP"))
    #expect(!box.exists("run/final.xyz"))
    #expect(try box.text("run/apus.log").contains("go on with `apus run DECK --resume`"))
    #expect(try box.apus("run", "deck.yaml", "--resume", "--quiet").status == 0)
    for name in Self.outputs {
      #expect(try box.data("run/" + name) == box.data("whole/" + name), "\(name) differs")
    }
  }

  @Test("An existing run is refused with both remedies, another deck with its differences")
  func occupied() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(Sandbox.deck(steps: 10), "deck.yaml")
    #expect(try box.apus("run", "deck.yaml").status == 0)
    let again = try box.apus("run", "deck.yaml")
    #expect(again.status == 2)
    #expect(again.err.contains("--resume") && again.err.contains("--output"))
    try box.write(Sandbox.deck(steps: 10, timestep: "1 fs"), "deck.yaml")
    for arguments in [["run", "deck.yaml"], ["run", "deck.yaml", "--resume"]] {
      let other = try box.apus(arguments[0], arguments[1], arguments.last ?? "")
      #expect(other.status == 2 || arguments.count == 2)
    }
    let other = try box.apus("run", "deck.yaml", "--resume")
    #expect(other.status == 2)
    #expect(other.err.contains("timestep: 2 fs → 1 fs"), "\(other.err)")
    try box.write(Sandbox.deck(steps: 20), "deck.yaml")
    #expect(try box.apus("run", "deck.yaml", "--resume").status == 0)
    #expect(try box.text("run/only/thermo.csv").split(separator: "\n").count == 5)
  }

  @Test("Another model is another run")
  func otherModel() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(Sandbox.deck(steps: 10), "deck.yaml")
    #expect(try box.apus("run", "deck.yaml").status == 0)
    try box.write("lennard-jones Ar 3.4 0.0105 8\n", "argon.txt")
    let result = try box.apus("run", "deck.yaml", "--resume")
    #expect(result.status == 2)
    #expect(result.err.contains("not the model of this run"))
  }

  @Test("Nothing to resume, or only damaged checkpoints, is said in one line")
  func nothingToResume() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(Sandbox.deck(steps: 10), "deck.yaml")
    let none = try box.apus("run", "deck.yaml", "--resume")
    #expect(none.status == 2)
    #expect(none.err.contains("there is no run to resume"))
    #expect(try box.apus("run", "deck.yaml").status == 0)
    try box.write("CDF", "run/checkpoint.nc")
    try FileManager.default.removeItem(atPath: box.path + "/run/checkpoint.previous.nc")
    let damaged = try box.apus("run", "deck.yaml", "--resume")
    #expect(damaged.status == 2)
    #expect(
      damaged.err.contains("checkpoint.nc is incomplete")
        && damaged.err.contains("checkpoint.previous.nc is missing"), "\(damaged.err)")
  }

  @Test("A second process is refused with the first one's pid, and the first goes on")
  func lock() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(Sandbox.deck(steps: 1_000_000), "deck.yaml")
    let (first, _, _) = try box.start(["run", "deck.yaml", "--quiet"])
    box.wait(for: "run/only/trajectory.nc")
    let second = try box.apus("run", "deck.yaml", "--resume")
    #expect(second.status == 2)
    #expect(second.err.contains("process \(first.processIdentifier) on "), "\(second.err)")
    #expect(first.isRunning)
    kill(first.processIdentifier, SIGKILL)
    first.waitUntilExit()
    // The file left behind is no obstacle.
    #expect(
      try box.apus("run", "deck.yaml", "--resume", "--quiet", "--max-walltime", "0.1 s").status
        == 75)
  }

  @Test("A size limit stops the run with the file's name, and it goes on without the limit")
  func fileSize() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(Sandbox.deck(steps: 2000), "deck.yaml")
    #expect(try box.apus("run", "deck.yaml", "--output", "whole", "--quiet").status == 0)
    let full = try box.apus("run", "deck.yaml", shell: "ulimit -f 64; exec \"$0\" \"$@\"")
    #expect(full.status == 1, "\(full.err)")
    #expect(full.err.contains("trajectory.nc") || full.err.contains("thermo.csv"), "\(full.err)")
    #expect(try box.apus("run", "deck.yaml", "--resume", "--quiet").status == 0)
    for name in Self.outputs {
      #expect(try box.data("run/" + name) == box.data("whole/" + name), "\(name) differs")
    }
  }

  @Test("A time step far too long ends in exit 1, failed.xyz and advice")
  func explosion() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(
      Sandbox.deck(ensemble: "nve", timestep: "10 fs").replacingOccurrences(
        of: "60 K", with: "30000 K"), "deck.yaml")
    let result = try box.apus("run", "deck.yaml")
    #expect(result.status == 1, "\(result.err)")
    #expect(result.err.contains("smaller timestep") && result.err.contains("failed.xyz"))
    #expect(box.exists("run/failed.xyz") && !box.exists("run/final.xyz"))
  }

  @Test("Bad starts are refused with exit 2 and nothing written")
  func badStarts() throws {
    let box = try Sandbox()
    defer { box.remove() }
    func refused(_ structure: String, _ words: [String], deck: String = Sandbox.deck()) throws {
      try box.write(structure, "argon.xyz")
      try box.write(deck, "deck.yaml")
      let result = try box.apus("run", "deck.yaml")
      #expect(result.status == 2, "\(result.err)")
      for word in words { #expect(result.err.contains(word), "\(result.err)") }
      #expect(box.names == ["argon.txt", "argon.xyz", "deck.yaml"])
    }
    let good = Sandbox.argon()
    try refused(
      good.replacingOccurrences(of: "Ar 0.0 5.3 5.3", with: "Ar 0.0 0.0 0.5"),
      ["atoms 1 (Ar)", "0.500 Å", "minimize"])
    try refused(
      good.replacingOccurrences(of: "Ar 0.0 5.3 5.3", with: "Ar 0.0 0.0 0.0"), ["coincident"])
    try refused(Sandbox.argon(edge: 1.06), ["nm"])
    try refused(
      Sandbox.argon(element: "Br"), ["element Br (atoms 1, 2, 3, …; 32 atoms) is not in model"])
    try refused(
      good.replacingOccurrences(of: "0 0 10.6\"", with: "0 0 -10.6\""), ["left-handed", "b and c"])
    try refused(
      good.replacingOccurrences(of: "T T T", with: "T T F"), ["does not repeat"],
      deck: Sandbox.deck(ensemble: "npt"))
    try refused(
      good, ["no velocities"],
      deck: Sandbox.deck().replacingOccurrences(
        of: "velocities: 60 K", with: "velocities: from structure"))
    try refused(good, ["writes", "free"], deck: Sandbox.deck(steps: 1 << 50))
  }

  @Test("A run folder that can no longer be written, or is gone, ends the run soon with its path")
  func folderLost() throws {
    for how in ["chmod", "remove"] {
      let box = try Sandbox()
      defer { box.remove() }
      try box.write(Sandbox.deck(steps: 1_000_000_000), "deck.yaml")
      let text = try box.text("deck.yaml")
      try box.write(
        text.replacingOccurrences(
          of: "    trajectory: {every: 10 steps, velocities: true}\n", with: ""
        )
        .replacingOccurrences(of: "every: 5 steps", with: "every: 100000 steps"), "deck.yaml")
      var shell: String?
      if geteuid() == 0 {
        // For root no permission is ever lost.
        chown(box.path, 65534, 65534)
        shell = "exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$0\" \"$@\""
      }
      let (process, _, err) = try box.start(["run", "deck.yaml", "--quiet"], shell: shell)
      box.wait(for: "run/only/thermo.csv")
      if how == "chmod" {
        chmod(box.path + "/run", 0o500)
      } else {
        try FileManager.default.removeItem(atPath: box.path + "/run")
      }
      let messages = String(
        decoding: err.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 1, "\(how): \(messages)")
      #expect(messages.contains(box.path + "/run is gone or not writable"), "\(how): \(messages)")
      #expect(messages.contains(how == "chmod" ? "Permission denied" : "No such file"))
      if how == "chmod" {
        let again = try box.apus("run", "deck.yaml", "--resume", shell: shell)
        #expect(again.status == 2 && again.err.contains(box.path + "/run"), "\(again)")
        chmod(box.path + "/run", 0o700)
        #expect(
          try box.apus("run", "deck.yaml", "--resume", "--max-walltime", "0.1 s", shell: shell)
            .status == 75)
      } else {
        #expect(!box.exists("run"))
      }
    }
  }

  @Test("A folder without permission to write is refused before the first step")
  func readOnly() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(Sandbox.deck(), "deck.yaml")
    for name in ["empty", "above"] {
      try FileManager.default.createDirectory(
        atPath: box.path + "/" + name, withIntermediateDirectories: false)
      chmod(box.path + "/" + name, 0o555)
    }
    let shell =
      geteuid() == 0
      ? "exec setpriv --reuid=65534 --regid=65534 --clear-groups \"$0\" \"$@\"" : nil
    for output in ["empty", "above/run", "/proc/run"] {
      let result = try box.apus("run", "deck.yaml", "--output", output, shell: shell)
      #expect(result.status == 2 && result.err.contains(output), "\(output): \(result)")
      #expect(result.err.split(separator: "\n").count == 1)
    }
    #expect(box.names == ["above", "argon.txt", "argon.xyz", "deck.yaml", "empty"])
  }

  @Test("A second SIGINT ends the run at once, in the middle of a step, and it can be resumed")
  func twoInterrupts() throws {
    let box = try Sandbox()
    defer { box.remove() }
    // Steps of some 100 ms.
    try box.write(Sandbox.deck(steps: 1000) + "\nsupercell: [12, 12, 12]\n", "deck.yaml")
    var wasCut = false
    for attempt in 0..<5 where !wasCut {
      let resume = attempt == 0 ? [] : ["--resume"]
      let (process, _, err) = try box.start(["run", "deck.yaml", "--threads", "1"] + resume)
      box.wait(for: "run/only/trajectory.nc")
      Thread.sleep(forTimeInterval: 0.05)
      // One that comes before the last was taken is lost, so more than two.
      while process.isRunning {
        kill(process.processIdentifier, SIGINT)
        Thread.sleep(forTimeInterval: 0.005)
      }
      let messages = String(
        decoding: err.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationReason == .exit && process.terminationStatus == 75)
      // The end of a step might come between the two.
      wasCut = !messages.contains("stopped by")
    }
    #expect(wasCut, "no run ended at once")
    let result = try box.apus("run", "deck.yaml", "--resume", "--max-walltime", "0.001 s")
    #expect(result.status == 75, "\(result)")
  }

  @Test("A run whose files were moved goes on; files of other content are another run")
  func moved() throws {
    let box = try Sandbox()
    defer { box.remove() }
    let files = ["argon.txt", "argon.xyz", "deck.yaml"]
    try box.write(Sandbox.deck(steps: 50), "deck.yaml")
    #expect(try box.apus("run", "deck.yaml", "--output", "whole", "--quiet").status == 0)
    try box.write(Sandbox.deck(steps: 20), "deck.yaml")
    #expect(try box.apus("run", "deck.yaml", "--quiet").status == 0)
    try FileManager.default.createDirectory(
      atPath: box.path + "/elsewhere", withIntermediateDirectories: false)
    for name in files + ["run"] {
      try FileManager.default.moveItem(
        atPath: box.path + "/" + name, toPath: box.path + "/elsewhere/" + name)
    }
    try box.write(Sandbox.deck(steps: 50), "elsewhere/deck.yaml")
    for (name, other) in [
      ("argon.xyz", Sandbox.argon(edge: 10.7)), ("argon.txt", "lennard-jones Ar 3.4 0.0103 8\n"),
    ] {
      let good = try box.text("elsewhere/" + name)
      try box.write(other, "elsewhere/" + name)
      let result = try box.apus("run", "elsewhere/deck.yaml", "--resume")
      #expect(result.status == 2 && result.err.contains("elsewhere/" + name), "\(result)")
      try box.write(good, "elsewhere/" + name)
    }
    let result = try box.apus("run", "elsewhere/deck.yaml", "--resume", "--quiet")
    #expect(result.status == 0, "\(result)")
    for name in Self.outputs {
      #expect(
        try box.data("elsewhere/run/" + name) == box.data("whole/" + name), "\(name) differs")
    }
    #expect(try box.text("elsewhere/run/deck.yaml").contains(box.path + "/elsewhere/argon.xyz"))
  }

  @Test("A raised duration goes on, and deck.yaml and methods.txt tell the new one")
  func raised() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(Sandbox.deck(steps: 50), "deck.yaml")
    #expect(try box.apus("run", "deck.yaml", "--output", "whole", "--quiet").status == 0)
    try box.write(Sandbox.deck(steps: 20), "deck.yaml")
    #expect(try box.apus("run", "deck.yaml", "--quiet").status == 0)
    #expect(try box.text("run/methods.txt").contains("Stage only: 0.04 ps"))
    try box.write(Sandbox.deck(steps: 50), "deck.yaml")
    #expect(try box.apus("run", "deck.yaml", "--resume", "--quiet").status == 0)
    for name in Self.outputs + ["methods.txt"] {
      #expect(try box.data("run/" + name) == box.data("whole/" + name), "\(name) differs")
    }
    #expect(
      try box.text("run/deck.yaml")
        == box.text("whole/deck.yaml").replacingOccurrences(of: "/whole", with: "/run"))
    // A shorter one is refused, and nothing is changed.
    let before = try box.data("run/only/thermo.csv")
    try box.write(Sandbox.deck(steps: 20), "deck.yaml")
    let shorter = try box.apus("run", "deck.yaml", "--resume")
    #expect(shorter.status == 2 && shorter.err.contains("duration: 100 fs → 40 fs"), "\(shorter)")
    #expect(try box.data("run/only/thermo.csv") == before)
  }

  @Test("A dry run reports and writes nothing")
  func dryRun() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(Sandbox.deck(), "deck.yaml")
    let result = try box.apus("run", "deck.yaml", "--dry-run")
    #expect(result.status == 0, "\(result.err)")
    for word in ["atoms: 32", "memory: about", "disk: about", "time: about"] {
      #expect(result.out.contains(word))
    }
    #expect(box.names == ["argon.txt", "argon.xyz", "deck.yaml"])
    // Nor does it make folders, or touch those that are there.
    let deep = try box.apus("run", "deck.yaml", "--dry-run", "--output", "new/folder/run")
    #expect(deep.status == 0 && deep.out.contains("/new/folder/run"), "\(deep)")
    #expect(box.names == ["argon.txt", "argon.xyz", "deck.yaml"])
    #expect(try box.apus("run", "deck.yaml", "--quiet").status == 0)
    let names = try FileManager.default.subpathsOfDirectory(atPath: box.path).sorted()
    _ = try box.apus("run", "deck.yaml", "--dry-run")
    #expect(try FileManager.default.subpathsOfDirectory(atPath: box.path).sorted() == names)
    let both = try box.apus("run", "deck.yaml", "--dry-run", "--resume")
    #expect(both.status == 2 && both.err.contains("exclude each other"), "\(both)")
  }

  @Test("A minimize stage relaxes an overlap that dynamics would refuse")
  func minimizeFirst() throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(
      Sandbox.argon().replacingOccurrences(of: "Ar 0.0 5.3 5.3", with: "Ar 0.0 1.0 0.5"),
      "argon.xyz")
    let deck = Sandbox.deck().replacingOccurrences(
      of: "stages:\n",
      with: "stages:\n  - {name: relax, ensemble: minimize, force: 1e-3 eV/A}\n")
    try box.write(deck, "deck.yaml")
    let result = try box.apus("run", "deck.yaml")
    #expect(result.status == 0, "\(result.err)")
    #expect(result.err.contains("overlapping"))
    #expect(result.out.contains("converged"), "\(result.out)")
  }

  private static let silicon =
    ProcessInfo.processInfo.environment["APUS_SHARED"].map { $0 + "/reference/nep/models" }
    ?? URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path + "/shared/reference/nep/models"
  private static let model = silicon + "/Si_2022_NEP4_3body.txt"

  @Test(
    "With a NEP model a run in pieces on one and two threads equals the unbroken one",
    .enabled(if: FileManager.default.fileExists(atPath: model)),
    arguments: ["mixed", "double"])
  func neuroevolution(precision: String) throws {
    let box = try Sandbox()
    defer { box.remove() }
    try box.write(
      """
      8
      Lattice="5.43 0 0 0 5.43 0 0 0 5.43" Properties=species:S:1:pos:R:3 pbc="T T T"
      Si 0 0 0
      Si 2.715 2.715 0
      Si 2.715 0 2.715
      Si 0 2.715 2.715
      Si 1.3575 1.3575 1.3575
      Si 4.0725 4.0725 1.3575
      Si 4.0725 1.3575 4.0725
      Si 1.3575 4.0725 4.0725

      """, "argon.xyz")
    let deck = Sandbox.deck(steps: 6000, ensemble: "npt", timestep: "1 fs", model: Self.model)
      .replacingOccurrences(of: "precision: double", with: "precision: \(precision)")
    try box.write(deck + "supercell: [2, 2, 2]\n", "deck.yaml")
    let whole = try box.apus("run", "deck.yaml", "--output", "whole", "--quiet")
    #expect(whole.status == 0, "\(whole.err)")
    var parts = 0
    var status: Int32 = 75
    while status == 75, parts < 500 {
      let resume = box.exists("run") ? ["--resume"] : []
      let (process, _, _) = try box.start(
        ["run", "deck.yaml", "--quiet", "--max-walltime", "0.3 s", "--threads", "\(1 + parts % 2)"]
          + resume)
      process.waitUntilExit()
      status = process.terminationStatus
      parts += 1
    }
    #expect(status == 0)
    #expect(parts > 2, "the run was not broken")
    for name in Self.outputs {
      #expect(try box.data("run/" + name) == box.data("whole/" + name), "\(name) differs")
    }
  }
}
