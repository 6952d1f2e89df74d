import Testing
import Trajectory

@Suite struct SHA256Tests {
  @Test(
    "SHA-256 gives the digests of FIPS 180-4 and its examples",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
    ])
  func vectors(text: String, digest: String) {
    #expect(SHA256.hex(of: Array(text.utf8)) == digest)
  }

  @Test("A million a's, fed in pieces of any size, give the digest of FIPS 180-4")
  func million() {
    for piece in [1000, 63, 64, 65, 1_000_000] {
      var digest = SHA256()
      var left = 1_000_000
      while left > 0 {
        let n = min(piece, left)
        digest.update([UInt8](repeating: UInt8(ascii: "a"), count: n))
        left -= n
      }
      #expect(
        digest.hex == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
    }
  }
}
