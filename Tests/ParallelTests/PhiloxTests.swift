import Parallel
import Testing

@Suite("Philox")
struct PhiloxTests {
  @Test("Philox-4×32-10 gives the known answers of Random123")
  func knownAnswers() {
    typealias W = SIMD4<UInt32>
    #expect(
      Philox.block(counter: .zero, key: .zero)
        == W(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
    #expect(
      Philox.block(counter: W(repeating: .max), key: SIMD2(repeating: .max))
        == W(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
    #expect(
      Philox.block(
        counter: W(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344),
        key: SIMD2(0xa409_3822, 0x299f_31d0))
        == W(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
  }
}
