import Parallel

/// Whether two windows show the same curve, by permutation: if they do, and their blocks are
/// independent, every assignment of the blocks to the windows is as likely as the one observed.
enum WindowComparison {
  /// The most assignments tried; if there are more, a fixed random choice of this many.
  static let mostAssignments = 2000

  /// The difference between two curves, of which the blocks are given.
  static func difference(
    _ blocksA: [[Double]], _ blocksB: [[Double]], first: [Double], last: [Double],
    radii: [Double], width: Double
  ) -> RadialDistribution.Difference {
    var largest = 0.0
    var place = 0
    var integral = 0.0
    for k in radii.indices {
      let size = abs(last[k] - first[k])
      guard size.isFinite else { return unknown }
      integral += size * width
      if size > largest { (largest, place) = (size, k) }
    }
    func error(_ blocks: [[Double]]) -> Double { Spread.standardError(blocks.map { $0[place] }) }
    let (a, b) = (error(blocksA), error(blocksB))
    var result = RadialDistribution.Difference(
      largest: largest, largestRadius: radii.isEmpty ? .nan : radii[place],
      largestError: (a * a + b * b).squareRoot(), integrated: integral,
      integratedByChance: .nan, integratedProbability: .nan, largestProbability: .nan,
      verdict: .notEnoughData)
    guard blocksA.count >= 5, blocksB.count >= 5 else { return result }

    let all = blocksA + blocksB
    let bins = radii.count
    func statistics(_ chosen: [Int]) -> (integral: Double, largest: Double) {
      var inFirst = [Bool](repeating: false, count: all.count)
      for k in chosen { inFirst[k] = true }
      var difference = [Double](repeating: 0, count: bins)
      let (shareA, shareB) = (1 / Double(blocksA.count), 1 / Double(blocksB.count))
      for (b, block) in all.enumerated() {
        let factor = inFirst[b] ? -shareA : shareB
        for k in 0..<bins { difference[k] += factor * block[k] }
      }
      return difference.reduce((0, 0)) { ($0.0 + abs($1) * width, max($0.1, abs($1))) }
    }
    let observed = statistics(Array(blocksA.indices))
    var count = 0
    var atLeastIntegral = 0
    var atLeastLargest = 0
    var sum = 0.0
    forEachAssignment(of: blocksA.count, among: all.count) { chosen in
      let trial = statistics(chosen)
      count += 1
      sum += trial.integral
      // Equal up to rounding counts as equal.
      if trial.integral >= observed.integral * (1 - 1e-12) { atLeastIntegral += 1 }
      if trial.largest >= observed.largest * (1 - 1e-12) { atLeastLargest += 1 }
    }
    result.integratedByChance = sum / Double(count)
    result.integratedProbability = Double(atLeastIntegral) / Double(count)
    result.largestProbability = Double(atLeastLargest) / Double(count)
    result.verdict =
      min(result.integratedProbability, result.largestProbability)
        < RadialDistribution.Difference.significance ? .significant : .none
    return result
  }

  private static let unknown = RadialDistribution.Difference(
    largest: .nan, largestRadius: .nan, largestError: .nan, integrated: .nan,
    integratedByChance: .nan, integratedProbability: .nan, largestProbability: .nan,
    verdict: .notEnoughData)

  /// Calls `body` for all choices of `size` of `count` blocks, or the observed one and a fixed random
  /// choice of them.
  private static func forEachAssignment(
    of size: Int, among count: Int, _ body: ([Int]) -> Void
  ) {
    var choices = 1.0
    for k in 0..<size { choices *= Double(count - k) / Double(k + 1) }
    if choices <= Double(mostAssignments) {
      var chosen = Array(0..<size)
      while true {
        body(chosen)
        var k = size - 1
        while k >= 0, chosen[k] == count - size + k { k -= 1 }
        if k < 0 { return }
        chosen[k] += 1
        for m in k + 1..<max(k + 1, size) { chosen[m] = chosen[m - 1] + 1 }
      }
    }
    body(Array(0..<size))
    let random = Philox(seed: 1)
    for trial in 1..<mostAssignments {
      var order = Array(0..<count)
      for k in 0..<size {
        let u = random.uniform(.analysis, step: trial, index: k).x
        order.swapAt(k, k + Int(u * Double(count - k)))
      }
      body(Array(order[0..<size]))
    }
  }
}
