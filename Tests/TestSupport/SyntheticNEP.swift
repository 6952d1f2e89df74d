import Foundation
import Matter
import Parallel
import Testing

/// NEP model files with random, physically meaningless parameters: every kind and channel of the
/// format, free of anyone's data.
package struct SyntheticNEP: Sendable, CustomTestStringConvertible {
  package var tag: String
  package var species: [String]
  package var zbl: String?
  package var cutoff: String
  package var nMax: (Int, Int)
  package var basis: (Int, Int)
  package var lMax: Int
  package var flags: [Int]
  package var neurons: Int

  package init(
    tag: String, species: [String], zbl: String? = nil, cutoff: String, nMax: (Int, Int) = (4, 3),
    basis: (Int, Int) = (6, 5), lMax: Int = 4, flags: [Int] = [1, 0], neurons: Int = 11
  ) {
    (self.tag, self.species, self.zbl, self.cutoff) = (tag, species, zbl, cutoff)
    (self.nMax, self.basis, self.lMax) = (nMax, basis, lMax)
    (self.flags, self.neurons) = (flags, neurons)
  }

  package var testDescription: String {
    ([tag] + species + ["l_max", "\(lMax)"] + flags.map(String.init)).joined(separator: " ")
  }

  package static let all: [SyntheticNEP] = [
    SyntheticNEP(tag: "nep3", species: ["Si"], cutoff: "5 5 50 50"),
    SyntheticNEP(
      tag: "nep4", species: ["Si"], cutoff: "5 4.5 50 50", nMax: (9, 8), basis: (9, 7), lMax: 4,
      flags: [1, 1], neurons: 40),
    SyntheticNEP(tag: "nep4", species: ["H", "C"], cutoff: "5 5 50 50", lMax: 3, flags: []),
    SyntheticNEP(
      tag: "nep4_zbl", species: ["H", "C", "O"], zbl: "0.8 1.6", cutoff: "5 4 50 50",
      nMax: (17, 17), lMax: 4, flags: [1, 1, 1, 1, 1, 1], neurons: 33),
    SyntheticNEP(
      tag: "nep5", species: ["H", "C", "S", "I"], cutoff: "4 3 5 4 4.5 3.5 6 5 50 50", lMax: 2,
      flags: [1, 1, 1]),
    SyntheticNEP(tag: "nep4", species: ["Ar"], cutoff: "4 4.5 50 50", lMax: 8, flags: [1, 1]),
    SyntheticNEP(
      tag: "nep3_zbl", species: ["Ti", "O"], zbl: "0 2 0.7", cutoff: "5 4 9 9", lMax: 1,
      flags: [0, 1]),
    SyntheticNEP(
      tag: "nep4",
      species: (1...18).map { Element(atomicNumber: $0)!.symbol }, cutoff: "4 4 50 50",
      nMax: (3, 2), basis: (4, 4), neurons: 7),
  ]

  /// The text of the file.
  package var text: String {
    let nt = species.count
    let (nR, nA) = (nMax.0 + 1, nMax.1 + 1)
    let (kR, kA) = (basis.0 + 1, basis.1 + 1)
    let d = nR + nA * (lMax + flags.count { $0 != 0 })
    let networks = tag.hasPrefix("nep3") ? 1 : nt
    let random = Philox(seed: 2024)
    var drawn = 0
    func draw(_ width: Double) -> Double {
      drawn += 1
      return random.normal(.test, step: 9, index: drawn).x * width
    }
    var values: [Double] = []
    for _ in 0..<networks {
      for _ in 0..<neurons * d { values.append(draw(0.3)) }
      for _ in 0..<2 * neurons { values.append(draw(0.5)) }
      if tag.hasPrefix("nep5") { values.append(draw(1)) }
    }
    values.append(draw(1))
    for _ in 0..<nt * nt * (nR * kR + nA * kA) { values.append(draw(0.3)) }
    for _ in 0..<d { values.append(0.1 + abs(draw(0.2))) }
    var lines = ["\(tag) \(nt) " + species.joined(separator: " ")]
    if let zbl { lines.append("zbl " + zbl) }
    lines += [
      "cutoff " + cutoff, "n_max \(nMax.0) \(nMax.1)", "basis_size \(basis.0) \(basis.1)",
      "l_max \(lMax) " + flags.map(String.init).joined(separator: " "), "ANN \(neurons) 0",
    ]
    lines += values.map { String(format: "%15.7e", $0) }
    return lines.joined(separator: "\n") + "\n"
  }

  /// A disordered structure of the species, without close contacts.
  package func configuration(
    count: Int = 32, edge: Double = 8, periodicity: Periodicity = .all
  ) throws -> Configuration {
    let random = Philox(seed: 5)
    let cell = try Cell(a: [edge, 0, 0], b: [1.1, edge, 0], c: [-0.7, 0.9, edge])
    let n = Int(cbrt(Double(count)).rounded(.up))
    var positions: [SIMD3<Double>] = []
    for i in 0..<count {
      let u = random.normal(.test, step: 1, index: i)
      let v = random.normal(.test, step: 2, index: i)
      let s = SIMD3(Double(i % n), Double(i / n % n), Double(i / n / n)) / Double(n)
      positions.append(cell.cartesian(s) + SIMD3(u.x, u.y, v.x) * 0.15)
    }
    return Configuration(
      elements: (0..<count).map { Element(symbol: species[$0 % species.count])! }, cell: cell,
      periodicity: periodicity, positions: Vectors(positions))
  }
}
