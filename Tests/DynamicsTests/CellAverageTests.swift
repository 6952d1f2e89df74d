import Dynamics
import Foundation
import Matter
import Parallel
import Testing

@Suite struct CellAverageTests {
  private static func series(_ count: Int, _ edge: (Int) -> Double) throws -> CellAverage {
    var average = CellAverage()
    for t in 0..<count { average.add(try Cell(orthogonal: [edge(t), 11, 12])) }
    return average
  }

  @Test("The mean over all samples is exact at any length", arguments: [1, 5, 511, 512, 5000])
  func mean(count: Int) throws {
    let average = try Self.series(count) { 10 + Double($0) / 1024 }
    let estimate = try #require(average.estimate(keepAll: true))
    #expect(estimate.used == count)
    #expect(abs(estimate.mean[0] - (10 + Double(count - 1) / 2048)) < 1e-12)
    #expect(abs(estimate.mean[2] - 11) < 1e-12)
  }

  @Test("The standard error of correlated samples is the known one, within 25 %")
  func standardError() throws {
    // x' = φ x + noise has the inefficiency (1 + φ)/(1 − φ).
    let noise = Philox(seed: 3)
    let phi = 0.95
    let count = 200_000
    var x = 0.0
    let average = try Self.series(count) { t in
      x = phi * x + 0.01 * (1 - phi * phi).squareRoot() * noise.normal(.test, step: t, index: 0).x
      return 10 + x
    }
    let estimate = try #require(average.estimate())
    let expected = 0.01 * ((1 + phi) / (1 - phi) / Double(count)).squareRoot()
    #expect(abs(estimate.standardError[0] / expected - 1) < 0.25)
    #expect(abs(estimate.mean[0] - 10) < 4 * expected)
    #expect(estimate.isConverged)
  }

  @Test("A transient at the start is left out, and a drift is not called converged")
  func transient() throws {
    let noise = Philox(seed: 5)
    let settled = try Self.series(20_000) { t in
      10 + exp(-Double(t) / 500) + 0.01 * noise.normal(.test, step: t, index: 0).x
    }
    let estimate = try #require(settled.estimate())
    #expect(estimate.discarded > 1000 && estimate.discarded < 10_000)
    #expect(abs(estimate.mean[0] - 10) < 0.003)
    let drifting = try Self.series(20_000) { t in
      10 + Double(t) * 1e-5 + 0.01 * noise.normal(.test, step: t, index: 1).x
    }
    #expect(try #require(drifting.estimate()).isConverged == false)
  }

  @Test("An average restored from its numbers goes on as if never stored")
  func restore() throws {
    var whole = CellAverage()
    var parts = CellAverage()
    for t in 0..<3000 {
      let cell = try Cell(a: [10 + sin(Double(t)), 0, 0], b: [1, 9, 0], c: [0.5, -1, 8])
      whole.add(cell)
      parts.add(cell)
      if t % 97 == 0 { parts = try #require(CellAverage(numbers: parts.numbers)) }
    }
    #expect(parts == whole)
  }
}
