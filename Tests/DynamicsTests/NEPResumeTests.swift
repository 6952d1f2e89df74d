import Dynamics
import Matter
import NEP
import TestSupport
import Testing

@Suite struct NEPResumeTests {
  @Test(
    "With a NEP model, runs on 1 and 2 threads and one stopped after every step on 1 and 2 by turns leave the same bytes",
    arguments: ShortRun.ensembles(temperature: .init(from: 300, to: 400)),
    [NEPPotential.Precision.mixed, .double])
  func resume(ensemble: RunPlan.Ensemble, precision: NEPPotential.Precision) throws {
    let kind = SyntheticNEP(
      tag: "nep4_zbl", species: ["Si", "I"], zbl: "0.8 1.6", cutoff: "5 4 50 50", flags: [1, 1])
    let model = try NEPModel.parse(kind.text, file: "synthetic")
    let start = try kind.configuration(count: 8, edge: 6)
    let unit = Structure(
      elements: start.elements, positions: start.positions.array, cell: start.cell,
      periodicity: .all)
    var stage = ShortRun.stage(ensemble, steps: 20)
    stage.trajectory?.every = 3
    stage.thermoEvery = 1
    func run() -> ShortRun {
      ShortRun([stage], unit, timestepFs: 0.5, temperature: 300) {
        NEPPotential(model, precision: precision)
      }
    }
    let (whole, parallel, broken) = (run(), run(), run())
    defer { for run in [whole, parallel, broken] { run.remove() } }
    try whole.finish(threads: 1)
    try parallel.finish(threads: 2)
    try broken.finishInPieces { 1 + $0 % 2 }
    #expect(parallel.differences(from: whole) == [])
    #expect(broken.differences(from: whole) == [])
    #expect(try broken.newest() == whole.newest())
  }
}
