import Decks
import Foundation
import Glibc
import Matter
import TestSupport
import Testing

@Suite("Malformed decks") struct MalformedDeckTests {
  @Test(
    "text that is not a plain YAML deck gives one located line",
    arguments: [
      (
        "",
        "deck.yaml: holds no deck: it is empty. Write at least structure, "
          + "potential and stages"
      ),
      (
        "# only a comment\n",
        "deck.yaml: holds no deck: it is empty. Write at least structure, "
          + "potential and stages"
      ),
      (
        "just words\n",
        "deck.yaml:1:1: expected a mapping, found 'just words'. Write "
          + "structure: silicon.xyz"
      ),
      (
        "- a\n- b\n",
        "deck.yaml:1:1: expected a mapping, found a list. Write structure: "
          + "silicon.xyz"
      ),
      (
        "structure: a\n\tsupercell: [1, 1, 1]\n",
        "deck.yaml:2:1: a tab in the indentation. Indent with spaces"
      ),
      (
        "stages:\n\t- name: a\n",
        "deck.yaml:2:1: a tab in the indentation. Indent with spaces"
      ),
      (
        "structure: 'a\ntitle: b\n",
        "deck.yaml:1:12: a quote is opened and not closed. Close it on the same "
          + "line"
      ),
      (
        "structure: \"a\n",
        "deck.yaml:1:12: a quote is opened and not closed. Close it on the same "
          + "line"
      ),
      (
        "structure: a\ntitle\nseed: 1\n",
        "deck.yaml:2:1: a key without a colon. Write `key: value`, with a space "
          + "after the colon"
      ),
      (
        "structure: a: b\n",
        "deck.yaml:1:13: a second ': ' in one line, or wrong indentation. Put "
          + "one `key: value` in a line, or quote the text that holds the colon"
      ),
      (
        "supercell: [1, 2\nseed: 1\n",
        "deck.yaml:1:12: a bracket is opened and not closed rightly: did not "
          + "find expected ',' or ']'. Close it, with commas between values"
      ),
      (
        "a: &x [1]\nb: *x\n",
        "deck.yaml:1:4: anchors (&) are not read. Write the value out where it "
          + "is used"
      ),
      (
        "b: *x\n",
        "deck.yaml:1:4: aliases (*) are not read. Write the value out"
      ),
      (
        "a: !!str 1\n",
        "deck.yaml:1:4: tags (!) are not read. Remove the tag"
      ),
      (
        "title: a\n---\ntitle: b\n",
        "deck.yaml:2:1: a second document begins here. Keep one deck in one "
          + "file"
      ),
      (
        "title: \"a\\0b\"\n",
        "deck.yaml:1:8: holds a NUL character. Remove the \\0"
      ),
      (
        "title: a\u{1}b\n",
        "deck.yaml:1:9: not YAML: control characters are not allowed. Remove "
          + "that character"
      ),
      (
        "[a]: 1\n",
        "deck.yaml:1:1: a key must be a word, found a list"
      ),
      (
        "? {a: b}\n: 1\n",
        "deck.yaml:1:3: a key must be a word, found a mapping"
      ),
      (
        "title: \"\\q\"\n",
        "deck.yaml:1:9: not YAML: found unknown escape character (while parsing "
          + "a quoted scalar). Check indentation, quotes and brackets"
      ),
    ])
  func malformed(text: String, message: String) {
    #expect(Decks.errors(text).joined(separator: "\n") == message)
  }

  @Test(
    "nesting without end is refused where it passes any deck's depth",
    arguments: [
      ("[", 21), ("{a: ", 78), ("- ", 41),
    ])
  func nesting(opening: String, column: Int) {
    var errors: [String] = []
    let time = processorSeconds {
      errors = Decks.errors(String(repeating: opening, count: 100_000))
    }
    #expect(
      errors == ["deck.yaml:1:\(column): is nested deeper than any deck. Check the brackets"])
    #expect(time < 2)
  }

  @Test("a byte-order mark, CRLF line ends and quotes change nothing")
  func encodings() throws {
    let plan = try Decks.read(Decks.silicon).plan
    #expect(try Decks.read("\u{FEFF}" + Decks.silicon).plan == plan)
    let crlf = Decks.silicon.replacingOccurrences(of: "\n", with: "\r\n")
    #expect(try Decks.read(crlf).plan == plan)
    let quoted = Decks.silicon.replacingOccurrences(of: "300 K", with: "'300 K'")
    #expect(try Decks.read(quoted).plan == plan)
    // Positions in messages stay those an editor shows.
    let slip = ("\u{FEFF}" + crlf).replacingOccurrences(of: "structure", with: "strukture")
    #expect(
      Decks.errors(slip) == ["deck.yaml:1:1: unknown key 'strukture' — did you mean 'structure'?"])
  }

  @Test("every error of a deck is reported in one pass, in the order of the lines")
  func onePass() {
    let errors = Decks.errors(
      """
      structure: [a]
      potential: {model: nep.txt, precsion: double}
      timestep: 1
      velocities: 300
      velocities: 300 K
      stages:
        - name: a
          ensemble: npt
          temprature: 300 K
          pressure: 0
          thermostat: {kind: nose_hoover}
          duration: 20
        - name: b
          ensemble: nwt
          steps: x
      colour: red
      """)
    #expect(
      errors.map { $0.split(separator: " ")[0] } == [
        "deck.yaml:1:12:", "deck.yaml:2:29:", "deck.yaml:3:11:", "deck.yaml:4:13:",
        "deck.yaml:5:1:", "deck.yaml:9:5:", "deck.yaml:10:15:", "deck.yaml:11:24:",
        "deck.yaml:12:15:", "deck.yaml:14:15:", "deck.yaml:15:12:", "deck.yaml:16:1:",
      ])
  }

  @Test("a line of 10 MB is answered at once by a message that stays short")
  func longLine() {
    let long = String(repeating: "x", count: 10_000_000)
    for text in [Decks.silicon + "title: " + long, Decks.silicon + long + ": 1", long] {
      var errors: [String] = []
      let time = processorSeconds {
        errors = Decks.errors(text)
      }
      #expect(errors.allSatisfy { $0.count < 400 })
      #expect(time < 4)
    }
  }

  /// A folder for one test.
  private func withFolder(_ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "apus-decks-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try body(folder.path)
  }

  private func message(_ path: String) -> String {
    do throws(InputErrors) {
      _ = try DeckReader.read(path: path)
      return ""
    } catch {
      return error.description
    }
  }

  @Test("what is no regular UTF-8 file of at most 16 MiB is refused at once")
  func files() throws {
    try withFolder { folder in
      func file(_ name: String, _ bytes: [UInt8]) throws -> String {
        let path = folder + "/" + name
        try Data(bytes).write(to: URL(filePath: path))
        return path
      }
      let time = try processorSeconds {
        #expect(
          message(folder) == "\(folder): expected a deck, found a directory")
        #expect(
          message("/dev/zero")
            == "/dev/zero: expected a deck, found a device")
        let pipe = folder + "/pipe"
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(
          message(pipe)
            == "\(pipe): expected a deck, found a pipe. Save its content to a file first")
        let missing = folder + "/none"
        #expect(
          message(missing)
            == "\(missing): expected a deck, found no file of this name"
        )
        let dangling = folder + "/dangling"
        #expect(symlink(missing, dangling) == 0)
        #expect(message(dangling).contains("found a link to a file that does not exist"))
        let sparse = try file("sparse.yaml", [])
        #expect(truncate(sparse, 5 << 30) == 0)
        #expect(
          message(sparse)
            == "\(sparse): expected a deck of at most 16.8 MB, found 5.4 GB"
        )
        let empty = try file("empty.yaml", [])
        #expect(message(empty) == "\(empty): expected a deck, found an empty file (0 bytes)")
        let wide = try file("wide.yaml", [0xFF, 0xFE, 0x61, 0x00])
        #expect(
          message(wide)
            == "\(wide): is UTF-16 text; a deck is UTF-8. Convert it: iconv -f UTF-16 -t UTF-8")
        let bare = try file("bare.yaml", [0x61, 0x00, 0x3A, 0x00])
        #expect(message(bare).hasPrefix("\(bare):1:2: holds a NUL byte"))
        let latin = try file("latin.yaml", Array("a: b\nc: ".utf8) + [0xE9, 0x0A])
        #expect(message(latin).hasPrefix("\(latin):2:4: is not UTF-8 text"))
      }
      #expect(time < 2)
    }
  }

  @Test("paths of a deck start from its folder, the default output from where we are")
  func paths() throws {
    try withFolder { folder in
      let path = folder + "/my deck.v2.yaml"
      try Decks.silicon.write(toFile: path, atomically: false, encoding: .utf8)
      let plan = try DeckReader.read(path: path).plan
      #expect(plan.structure == folder + "/si.xyz")
      #expect(plan.output == FileManager.default.currentDirectoryPath + "/my deck.v2")
      #expect(plan.title == "my deck.v2.yaml")
    }
  }
}
