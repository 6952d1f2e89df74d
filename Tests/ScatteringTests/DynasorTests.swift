import Matter
import Scattering
import TestSupport
import Testing

@Suite("Against dynasor 2.5", .enabled(if: Reference.isAvailable, "no shared/reference"))
struct DynasorTests {
  /// dynasor rounds velocities to single precision, and displacements of incoherent functions. It
  /// also takes the cell in single precision, so that its points lie 1e-7 beside the lattice.
  private func tolerance(_ name: String, isFree: Bool) -> Double {
    if name.hasPrefix("C") { return isFree ? 2e-7 : 5e-7 }
    if name.contains("incoh") { return isFree ? 1e-8 : 3e-7 }
    return isFree ? 1e-12 : 3e-7
  }

  @Test(
    "Every function of an orthorhombic crystal and of a triclinic walk", arguments: ["A", "B"],
    ["as given", "free", "lattice"])
  func dynamic(_ name: String, points kind: String) throws {
    let frames = try ScatteringFixture.frames(name)
    let file = name + "_dynasor_dynamic.nc"
    let given = try ScatteringFixture.points(file)
    let isFree = kind != "lattice"
    let points: WaveVectors
    switch kind {
    case "free": points = .free(given)
    case "lattice": points = .lattice(try ScatteringFixture.lattice(file, in: frames.cells[0]))
    default:
      points = try #require(WaveVectors.commensurate(given, in: frames.cells[0]))
      guard case .multiples = points else {
        Issue.record("no common lattice")
        return
      }
    }
    let result = try frames.result(
      CorrelationPlan(
        points: points, kinds: [.coherent, .incoherent, .currents],
        timestep: name == "A" ? 4 : 5, maximumLag: name == "A" ? 100 : 40,
        originStride: name == "A" ? 1 : 3, blocks: 1))
    #expect(deviation(result.times, from: try ScatteringFixture.values(file, "time")) < 1e-14)
    #expect(
      deviation(result.frequencies, from: try ScatteringFixture.values(file, "omega")) < 1e-14)
    #expect(
      deviation(
        result.q.flatMap { [$0.x, $0.y, $0.z] },
        from: try ScatteringFixture.values(file, "q_points")) < 1e-7)
    for function in result.functions {
      let f = deviation(
        function.values, from: try ScatteringFixture.values(file, function.timeName))
      #expect(f < tolerance(function.timeName, isFree: isFree), "\(function.timeName): \(f)")
      // B has few spectra.
      guard name == "A" || function.spectrumName == "Sqw_coh" else { continue }
      let s = deviation(
        function.spectrum, from: try ScatteringFixture.values(file, function.spectrumName))
      #expect(s < tolerance(function.timeName, isFree: isFree), "\(function.spectrumName): \(s)")
    }
  }

  struct Window: Sendable, CustomTestStringConvertible {
    let tag: String
    let frameStep: Int
    let stop: Int?
    let lag, stride: Int
    var testDescription: String { tag }
  }

  @Test(
    "Its averages over windows, with one and with five blocks",
    arguments: [
      Window(tag: "fs2_w60_s7", frameStep: 2, stop: nil, lag: 60, stride: 7),
      Window(tag: "fs1_w20_s33", frameStep: 1, stop: nil, lag: 20, stride: 33),
      Window(tag: "stop50_w80_s1", frameStep: 1, stop: 50, lag: 80, stride: 1),
    ], [1, 5])
  func windows(_ window: Window, blocks: Int) throws {
    let file = "A_dynasor_windows.nc"
    let frames = try ScatteringFixture.frames("A").strided(window.frameStep, stop: window.stop)
    let result = try frames.result(
      CorrelationPlan(
        points: .free(try ScatteringFixture.points(file)), timestep: 4 * Double(window.frameStep),
        maximumLag: window.lag,
        originStride: window.stride, blocks: blocks))
    func compare(_ name: String, _ values: [Double]) throws {
      let d = deviation(
        values, from: try ScatteringFixture.values(file, name + "_" + window.tag))
      #expect(d < tolerance(name, isFree: true), "\(name): \(d)")
    }
    try compare("time", result.times)
    try compare("omega", result.frequencies)
    let total = try #require(result.function(.coherent))
    try compare("Fqt_coh", total.values)
    try compare("Sqw_coh", total.spectrum)
    try compare("Fqt_coh_H_Si", try #require(result.function(.coherent, ["H", "Si"])).values)
    if window.stop == nil {
      try compare("Fqt_incoh", try #require(result.function(.incoherent)).values)
      try compare("Fqt_incoh_H", try #require(result.function(.incoherent, ["H"])).values)
    }
  }

  @Test("Static structure factors at 1548 points")
  func statics() throws {
    let file = "A_dynasor_static.nc"
    let frames = try ScatteringFixture.frames("A").strided(10)
    let result = try frames.result(
      CorrelationPlan(
        points: .free(try ScatteringFixture.points(file)), kinds: .coherent, timestep: 40,
        maximumLag: 0, blocks: 4))
    for function in result.statics {
      let d = deviation(function.values, from: try ScatteringFixture.values(file, function.name))
      #expect(d < 1e-12, "\(function.name): \(d)")
    }
    #expect(result.statics.count == 4)
  }
}
