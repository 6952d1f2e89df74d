import Foundation
import Matter
import NEP
import TestSupport
import Testing

@Suite("NEP model files")
struct NEPModelFileTests {
  /// A complete one-species model with all parameters 0.5.
  static func text(
    tag: String = "nep4 1 Si", zbl: String? = nil, cutoff: String = "cutoff 5 4 50 30",
    lMax: String = "l_max 4 2 0", values: Int? = nil
  ) -> String {
    // n_max 2 1, basis 3 2: D = 3 + 2·5, N_ann = (13 + 2)·4 + 1, N_c = 3·4 + 2·3.
    let count = values ?? (61 + 18 + 13)
    return ([tag] + (zbl.map { [$0] } ?? [])
      + [cutoff, "n_max 2 1", "basis_size 3 2", lMax, "ANN 4 0"]
      + Array(repeating: "  5.0000000e-01", count: count)).joined(separator: "\n") + "\n"
  }

  @Test("A complete file is read")
  func complete() throws {
    let model = try NEPModel.parse(Self.text(), file: "nep.txt")
    #expect(model.version == .nep4)
    #expect(model.elements == [Element(symbol: "Si")!])
    #expect(model.cutoff == 5)
    #expect(model.summary.contains("13 descriptors"))
  }

  static let bad: [(String, String)] = [
    (
      text(values: 91),
      "nep.txt:7: the header asks for 92 parameters, the file holds 91. The file is cut short, or its header lines do not belong to these numbers."
    ),
    (
      text(values: 93),
      "nep.txt:7: the header asks for 92 parameters, the file holds 93. The header lines do not belong to these numbers."
    ),
    (
      text(tag: "nep4_charge1 1 Si"),
      "nep.txt:1: 'nep4_charge1' is a qNEP charge model, which this version of Apus does not evaluate. Use a nep3, nep4 or nep5 potential."
    ),
    (
      text(tag: "nep4_dipole 1 Si"),
      "nep.txt:1: 'nep4_dipole' is a dipole model, not a potential. Use a nep3, nep4 or nep5 potential."
    ),
    (
      text(tag: "nep2 1 Si"),
      "nep.txt:1: 'nep2' is a NEP1 or NEP2 model, whose mathematics differs. Retrain it as nep4."
    ),
    (
      text(tag: "hello 1 Si"),
      "nep.txt:1: expected nep3, nep4 or nep5 (with _zbl or not) as the first word, found 'hello'. Give a nep.txt of GPUMD."
    ),
    (
      text(tag: "nep4 2 Si"),
      "nep.txt:1: expected the number of species and as many symbols after 'nep4'. The line reads, for example, 'nep4 2 Pb Te'."
    ),
    (text(tag: "nep4 1 Sj"), "nep.txt:1: 'Sj' is not the symbol of an element"),
    (
      text(cutoff: "cutoff 5 4 50"),
      "nep.txt:2: expected 2 or 4 or 7 numbers after 'cutoff', found 3"
    ),
    (text(cutoff: "cut 5 4 50 30"), "nep.txt:2: expected the line 'cutoff …', found 'cut'"),
    (
      text(lMax: "l_max 1 2 0"),
      "nep.txt:5: the channel q222 needs l_max ≥ 2, found 1"
    ),
    (
      text().replacingOccurrences(of: "ANN 4 0", with: "ANN 4 3"),
      "nep.txt:6: two hidden layers are not supported. No program runs such a model; train it with one."
    ),
    (
      text().replacingOccurrences(of: "basis_size 3 2\n", with: ""),
      "nep.txt:4: expected the line 'basis_size …', found 'l_max': this is a NEP1 or NEP2 model, whose mathematics differs. Retrain it as nep4."
    ),
    (
      text().replacingOccurrences(of: "5.0000000e-01\n", with: "nan\n"),
      "nep.txt:7: expected a finite number, found 'nan'"
    ),
    ("", "nep.txt:1: the file ends inside its header. Copy the complete file."),
    ("nep4 1 Si\ncutoff 5 4 50 30\n", "nep.txt:3: the file ends inside its header. Copy the complete file."),
  ]

  @Test("Bad files are refused with place and remedy", arguments: bad)
  func refused(_ text: String, _ message: String) {
    do {
      _ = try NEPModel.parse(text, file: "nep.txt")
      Issue.record("accepted")
    } catch {
      #expect(error.description == message)
    }
  }

  @Test(
    "Models of kinds that cannot drive dynamics are refused by name",
    .enabled(if: Reference.isAvailable, "needs ../shared/reference"),
    arguments: [
      ("qnep_mode1_water.txt", "qNEP"), ("tnep-water-polarization.txt", "dipole"),
      ("tnep-BaZrO3-susceptibility.txt", "polarizability"),
    ])
  func otherKinds(_ name: String, _ word: String) {
    #expect { try NEPModel.read(path: Reference.nepModel(name)) } throws: {
      "\($0)".contains(word)
    }
  }
}
