import Decks
import Matter
import Testing

@Suite("Quantities") struct QuantityTests {
  @Test(
    "a number with a unit has its value in the internal unit",
    arguments: [
      ("1 fs", Quantity.time, 1.0), ("2.5ps", .time, 2500), (" 1e-3 ns ", .time, 1000),
      ("2 h", .wallClock, 7200), ("90 s", .wallClock, 90), ("1.5 min", .wallClock, 90),
      ("300K", .temperature, 300), ("160.2176634 GPa", .pressure, 1),
      ("1602176.634 bar", .pressure, 1), ("1602.176634 kbar", .pressure, 1),
      ("160217.6634 MPa", .pressure, 1), ("+.5 eV/Å^3", .pressure, 0.5), ("1 eV/Å", .force, 1),
      ("1. eV/\u{212B}", .force, 1), ("1 1/GPa", .compressibility, 160.2176634),
      ("10 Å", .length, 10), ("2.014", .mass, 2.014), ("1E2 fs", .time, 100),
    ])
  func values(text: String, kind: Quantity, expected: Double) throws {
    let value = try kind.value(of: text)
    #expect(abs(value - expected) <= 4e-16 * abs(expected))
  }

  @Test(
    "what is not a finite decimal with a known unit is refused",
    arguments: [
      "", "fs", "nan fs", "inf fs", "-inf fs", "0x10 fs", "1,000 fs", "1_000 fs", "1e999 fs",
      "1e-999 fs", "1e308 ns", "4e-320 fs", "1 fs fs", "1 s", "1 steps", "- 1 fs", "1e fs",
      "--1 fs",
      "1d3 fs",
    ])
  func refused(text: String) {
    #expect(throws: InputError.self) { try Quantity.time.value(of: text) }
  }

  @Test("the text of a value reads back as exactly that value")
  func exact() throws {
    var generator = SystemRandomNumberGenerator()
    for kind in Quantity.allCases {
      for _ in 0..<2000 {
        let value = Double.random(in: -8...8, using: &generator)
        let scales = [1e-12, 1e-3, 1, 1e5, 1e12]
        let wide = value * scales[Int.random(in: 0..<5, using: &generator)]
        let text = kind.text(wide)
        #expect(try kind.value(of: text) == wide, "\(text)")
      }
    }
    #expect(Quantity.time.text(20000) == "20 ps")
    #expect(Quantity.time.text(0.3) == "0.3 fs")
    #expect(Quantity.wallClock.text(600) == "10 min")
    #expect(Quantity.pressure.text(1.5 / 160.2176634) == "1.5 GPa")
    #expect(Quantity.compressibility.text(0.1 * 160.2176634) == "0.1 1/GPa")
  }
}
