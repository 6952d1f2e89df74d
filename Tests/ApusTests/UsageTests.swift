import Foundation
import Testing

@Suite struct UsageTests {
  private func check(
    _ arguments: [String], _ status: Int32, out: String? = nil, err: String? = nil
  ) throws {
    let box = try Sandbox()
    defer { box.remove() }
    let (process, outPipe, errPipe) = try box.start(arguments)
    let text = String(decoding: outPipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let messages = String(
      decoding: errPipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == status)
    if let out { #expect(text == out) }
    if let err { #expect(messages == err) }
  }

  @Test("Misuse is one line on stderr and exit 2")
  func misuse() throws {
    try check(
      ["rum"], 2, out: "",
      err: "apus: unknown command 'rum', did you mean run?. See `apus --help`\n")
    try check(
      ["run", "--resum", "x"], 2, out: "",
      err: "apus: unknown option --resum, did you mean --resume?. See `apus run --help`\n")
    try check(["run"], 2, out: "", err: "apus: DECK is missing. See `apus run --help`\n")
    try check(
      ["run", "a", "--threads", "0"], 2, out: "",
      err: "apus: --threads must be a positive whole number, not '0'\n")
    try check(
      ["serve", "x"], 2, out: "",
      err: "apus: serve is not in this version (0.1.0). See `apus --help`\n")
    try check(
      ["scatter", "x", "--config", "deck.yaml"], 2, out: "",
      err: "apus: --output is missing. Give --output OUT.nc\n")
  }

  @Test(
    "Help has an example and exits 0",
    arguments: [
      "run", "evaluate", "benchmark", "info", "convert", "analyze", "scatter", "merge", "",
    ])
  func help(command: String) throws {
    let box = try Sandbox()
    defer { box.remove() }
    let result =
      command.isEmpty ? try box.apus("--help") : try box.apus(command, "--help")
    #expect(result.status == 0)
    #expect(result.out.contains("Example:\n"))
    #expect(result.err.isEmpty)
  }

  @Test("benchmark --json prints one JSON object with the fields of the contract")
  func benchmark() throws {
    let box = try Sandbox()
    defer { box.remove() }
    let result = try box.apus(
      "benchmark", "--model", "argon.txt", "--structure", "argon.xyz", "--supercell", "2", "2", "2",
      "--steps", "5", "--repeats", "3", "--threads", "1", "--json")
    #expect(result.status == 0, "\(result.err)")
    let object = try #require(
      JSONSerialization.jsonObject(with: Data(result.out.utf8)) as? [String: Any])
    #expect(object["atoms"] as? Int == 256)
    #expect(object["threads"] as? Int == 1)
    #expect(object["precision"] as? String == "mixed")
    for key in ["atom_steps_per_second", "ns_per_day"] {
      #expect((object[key] as? Double ?? 0) > 0)
    }
    #expect(object["cpu"] is String)
  }
}
