import Foundation
import Matter

extension NEPModel {
  /// Reads a model file.
  /// - Throws: `InputError` with line and remedy for anything but a complete file of a kind that
  ///   can drive dynamics
  public static func read(path: String) throws(InputError) -> NEPModel {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw InputError(
        "cannot read the model file", remedy: "Check the path and its permissions.", file: path)
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw InputError("the model file is not text", remedy: "Give a nep.txt.", file: path)
    }
    return try parse(text, file: path)
  }

  /// Whether the first bytes of a file look like a NEP model.
  public static func recognizes(_ firstLine: String) -> Bool {
    firstLine.split(whereSeparator: \.isWhitespace).first?.hasPrefix("nep") ?? false
  }

  /// Reads a model from the text of its file.
  /// - Throws: `InputError`, located in `file`
  public static func parse(_ text: String, file: String) throws(InputError) -> NEPModel {
    var parser = Parser(text: text, file: file)
    return try parser.model()
  }
}

/// A line-by-line reader of nep.txt.
private struct Parser {
  let file: String
  private let lines: [Substring.UTF8View]
  private var next = 0

  init(text: String, file: String) {
    self.file = file
    lines = text.utf8.split(omittingEmptySubsequences: false) { $0 == 10 }.map { line in
      Substring(line).utf8
    }
  }

  private func failure(_ message: String, _ remedy: String = "", line: Int? = nil) -> InputError {
    InputError(message, remedy: remedy, file: file, line: line ?? next)
  }

  private mutating func tokens() throws(InputError) -> [Substring] {
    while next < lines.count {
      let parts = Substring(lines[next]).split(whereSeparator: \.isWhitespace)
      next += 1
      if !parts.isEmpty { return parts }
    }
    throw failure("the file ends inside its header", "Copy the complete file.")
  }

  private mutating func header(
    _ keyword: String, counts: [Int]?
  ) throws(InputError) -> [Double] {
    let parts = try tokens()
    guard parts[0] == keyword else {
      throw failure("expected the line '\(keyword) …', found '\(parts[0])'")
    }
    var values: [Double] = []
    for part in parts.dropFirst() {
      guard let value = Double(part), value.isFinite else {
        throw failure("expected a number after '\(keyword)', found '\(part)'")
      }
      values.append(value)
    }
    if let counts, !counts.contains(values.count) {
      let wanted = Set(counts).sorted().map(String.init).joined(separator: " or ")
      throw failure("expected \(wanted) numbers after '\(keyword)', found \(values.count)")
    }
    return values
  }

  private func integer(
    _ value: Double, _ what: String, _ range: ClosedRange<Int>
  ) throws(InputError) -> Int {
    guard let n = Int(exactly: value), range.contains(n) else {
      throw failure(
        "expected \(what) as a whole number from \(range.lowerBound) to \(range.upperBound), found \(value)"
      )
    }
    return n
  }

  mutating func model() throws(InputError) -> NEPModel {
    let first = try tokens()
    let (version, hasZBL) = try kind(String(first[0]))
    guard first.count >= 3, let speciesCount = Int(first[1]), speciesCount == first.count - 2 else {
      throw failure(
        "expected the number of species and as many symbols after '\(first[0])'",
        "The line reads, for example, '\(first[0]) 2 Pb Te'.")
    }
    var elements: [Element] = []
    for symbol in first.dropFirst(2) {
      guard let element = Element(symbol: String(symbol)) else {
        throw failure("'\(symbol)' is not the symbol of an element")
      }
      guard !elements.contains(element) else { throw failure("\(symbol) is named twice") }
      elements.append(element)
    }
    let nt = elements.count
    let zblLine = hasZBL ? try header("zbl", counts: [2, 3]) : nil
    let cutoffLine = try header("cutoff", counts: [2, 4, 7, 2 * nt + 2])
    let nMax = try header("n_max", counts: [2])
    let nR = try integer(nMax[0], "n_max_radial", 0...63) + 1
    let nA = try integer(nMax[1], "n_max_angular", 0...63) + 1
    let sizes = try tokens()
    guard sizes[0] == "basis_size" else {
      throw failure(
        "expected the line 'basis_size …', found '\(sizes[0])': this is a NEP1 or NEP2 model, whose mathematics differs",
        "Retrain it as nep4.")
    }
    next -= 1
    let basis = try header("basis_size", counts: [2])
    let kR = try integer(basis[0], "basis_size_radial", 0...63) + 1
    let kA = try integer(basis[1], "basis_size_angular", 0...63) + 1
    let lLine = try header("l_max", counts: Array(1...7))
    let degree = try integer(lLine[0], "l_max", 1...8)
    var channels: [NEPModel.Channel] = []
    for (flag, channel) in zip(lLine.dropFirst(), NEPModel.Channel.allCases) where flag != 0 {
      guard channel.degree <= degree else {
        throw failure(
          "the channel \(channel.rawValue) needs l_max ≥ \(channel.degree), found \(degree)")
      }
      channels.append(channel)
    }
    let ann = try header("ANN", counts: [2])
    let neurons = try integer(ann[0], "the number of neurons", 1...10_000)
    guard ann[1] == 0 else {
      throw failure(
        "two hidden layers are not supported", "No program runs such a model; train it with one.")
    }

    let d = nR + nA * (degree + channels.count)
    let pairs = nt * nt
    let flexible = zblLine.map { $0[0] == 0 && $0[1] == 0 } ?? false
    let networkCount = version == .nep3 ? 1 : nt
    let perNetwork = (d + 2) * neurons + (version == .nep5 ? 1 : 0)
    let coefficientCount = pairs * (nR * kR + nA * kA)
    let expected =
      perNetwork * networkCount + 1 + coefficientCount + d + (flexible ? 5 * nt * (nt + 1) : 0)
    let values = try numbers(expected)
    var at = 0
    func take(_ count: Int) -> [Double] {
      defer { at += count }
      return Array(values[at..<at + count])
    }
    var networks: [NEPModel.Network] = []
    for _ in 0..<networkCount {
      networks.append(
        .init(
          w0: take(neurons * d), b0: take(neurons), w1: take(neurons),
          bias: version == .nep5 ? take(1)[0] : 0))
    }
    let common = take(1)[0]
    for i in networks.indices { networks[i].bias += common }
    if version == .nep3 { networks = Array(repeating: networks[0], count: nt) }
    func coefficients(_ n: Int, _ k: Int) -> [[Double]] {
      let raw = take(n * k * pairs)
      return (0..<pairs).map { p in (0..<n * k).map { raw[$0 * pairs + p] } }
    }
    let radial = coefficients(nR, kR)
    let angular = coefficients(nA, kA)
    let scaler = take(d)
    let flexibleValues = flexible ? take(5 * nt * (nt + 1)) : []
    let (radialCutoffs, angularCutoffs, zblFactor) = try cutoffs(cutoffLine, elements)
    var zbl: [NEPModel.ZBL]?
    if let zblLine {
      zbl = try repulsion(zblLine, legacyFactor: zblFactor, flexibleValues, elements)
    }
    return NEPModel(
      version: version, elements: elements, radialCutoffs: radialCutoffs,
      angularCutoffs: angularCutoffs, radialCount: nR, angularCount: nA, radialBasis: kR,
      angularBasis: kA, degree: degree, channels: channels, neuronCount: neurons,
      networks: networks, radialCoefficients: radial, angularCoefficients: angular,
      scaler: scaler, zbl: zbl)
  }

  private func kind(_ tag: String) throws(InputError) -> (NEPModel.Version, Bool) {
    switch tag {
    case "nep3": return (.nep3, false)
    case "nep3_zbl": return (.nep3, true)
    case "nep4": return (.nep4, false)
    case "nep4_zbl": return (.nep4, true)
    case "nep5": return (.nep5, false)
    case "nep5_zbl": return (.nep5, true)
    case let t where t.hasPrefix("nep") && t.contains("_charge"):
      throw failure(
        "'\(tag)' is a qNEP charge model, which this version of Apus does not evaluate",
        "Use a nep3, nep4 or nep5 potential.")
    case let t where t.hasPrefix("nep") && t.hasSuffix("_dipole"):
      throw failure(
        "'\(tag)' is a dipole model, not a potential", "Use a nep3, nep4 or nep5 potential.")
    case let t where t.hasPrefix("nep") && t.hasSuffix("_polarizability"):
      throw failure(
        "'\(tag)' is a polarizability model, not a potential", "Use a nep3, nep4 or nep5 potential.")
    case let t where t.hasPrefix("nep") && t.hasSuffix("_temperature"):
      throw failure(
        "'\(tag)' is a temperature-dependent model, which this version of Apus does not evaluate",
        "Use a nep3, nep4 or nep5 potential.")
    case let t where t.hasPrefix("nep") && t.hasSuffix("_vdw"):
      throw failure(
        "'\(tag)' has a dispersion head, which this version of Apus does not evaluate",
        "Use a nep3, nep4 or nep5 potential.")
    case let t where ["nep", "nep_zbl"].contains(t) || t.hasPrefix("nep1") || t.hasPrefix("nep2"):
      throw failure(
        "'\(tag)' is a NEP1 or NEP2 model, whose mathematics differs", "Retrain it as nep4.")
    default:
      throw failure(
        "expected nep3, nep4 or nep5 (with _zbl or not) as the first word, found '\(tag.prefix(40))'",
        "Give a nep.txt of GPUMD.")
    }
  }

  /// The value lines; blank lines are skipped, everything else must be one number.
  private mutating func numbers(_ expected: Int) throws(InputError) -> [Double] {
    let firstLine = next + 1
    var values: [Double] = []
    values.reserveCapacity(expected)
    while next < lines.count {
      let line = lines[next]
      next += 1
      for token in Substring(line).split(whereSeparator: \.isWhitespace) {
        guard let value = Double(token), value.isFinite else {
          throw failure("expected a finite number, found '\(token.prefix(40))'")
        }
        values.append(value)
      }
    }
    guard values.count == expected else {
      let verdict = values.count < expected ? "The file is cut short, or its" : "The"
      throw failure(
        "the header asks for \(expected) parameters, the file holds \(values.count)",
        "\(verdict) header lines do not belong to these numbers.", line: firstLine)
    }
    return values
  }

  private func cutoffs(
    _ line: [Double], _ elements: [Element]
  ) throws(InputError) -> ([Double], [Double], Double?) {
    let nt = elements.count
    let perSpecies = line.count == 2 * nt + 2 && !(line.count == 4 && nt == 1)
    var radial = [Double](repeating: line[0], count: nt * nt)
    var angular = [Double](repeating: line[1], count: nt * nt)
    var factor: Double?
    for i in 0..<nt {
      for j in 0..<nt {
        let p = i * nt + j
        if perSpecies {
          radial[p] = (line[2 * i] + line[2 * j]) * 0.5
          angular[p] = (line[2 * i + 1] + line[2 * j + 1]) * 0.5
        } else if line.count == 7 {
          let radii = NEPModel.covalentRadius(elements[i]) + NEPModel.covalentRadius(elements[j])
          if line[4] > 0 {
            radial[p] = min(radii * line[4], line[0])
            angular[p] = min(radii * line[5], line[1])
          }
          if line[6] > 0 { factor = line[6] }
        }
      }
    }
    guard (radial + angular).allSatisfy({ $0 > 0 && $0 <= 100 }) else {
      throw failure("expected cutoffs between 0 and 100 Å, found '\(line)'", line: 2)
    }
    return (radial, angular, factor)
  }

  private func repulsion(
    _ line: [Double], legacyFactor: Double?, _ flexible: [Double], _ elements: [Element]
  ) throws(InputError) -> [NEPModel.ZBL] {
    let nt = elements.count
    var result: [NEPModel.ZBL] = []
    for i in 0..<nt {
      for j in 0..<nt {
        let zi = Double(elements[i].atomicNumber)
        let zj = Double(elements[j].atomicNumber)
        let radii = NEPModel.covalentRadius(elements[i]) + NEPModel.covalentRadius(elements[j])
        var pair = NEPModel.ZBL(
          inner: line[0], outer: line[1], amplitudes: [0.18175, 0.50986, 0.28022, 0.02817],
          rates: [3.1998, 0.94229, 0.4029, 0.20162], charge: 14.399645 * zi * zj,
          screening: 2.134563 * (pow(zi, 0.23) + pow(zj, 0.23)))
        if !flexible.isEmpty {
          let (low, high) = (min(i, j), max(i, j))
          let block = low * nt - low * (low - 1) / 2 + (high - low)
          let v = flexible[block * 10..<block * 10 + 10].map { $0 }
          (pair.inner, pair.outer) = (v[0], v[1])
          pair.amplitudes = [v[2], v[4], v[6], v[8]]
          pair.rates = [v[3], v[5], v[7], v[9]]
        } else if line.count == 3 {
          pair.outer = min(radii * line[2], line[1])
          pair.inner = 0
        } else if let legacyFactor {
          pair.outer = min(radii * legacyFactor, line[1])
          pair.inner = pair.outer / 2
        }
        guard pair.inner >= 0, pair.outer >= pair.inner, pair.outer <= 10 else {
          throw failure(
            "expected ZBL radii 0 ≤ r_in ≤ r_out ≤ 10 Å, found \(pair.inner) and \(pair.outer)",
            line: 2)
        }
        result.append(pair)
      }
    }
    return result
  }
}
