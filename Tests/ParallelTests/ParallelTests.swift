import Parallel
import Testing

@Suite("Threads, sums and random numbers")
struct ParallelTests {
  @Test("Normal numbers have mean 0, variance 1 and kurtosis 3 within 4 standard errors")
  func normal() {
    let random = Philox(seed: 42)
    let n = 200_000
    var m = SIMD4<Double>.zero
    for i in 0..<n / 2 {
      let pair = random.normal(.test, step: 1, index: i)
      for x in [pair.x, pair.y] { m += SIMD4(x, x * x, x * x * x, x * x * x * x) }
    }
    m /= Double(n)
    let root = Double(n).squareRoot()
    #expect(abs(m.x) < 4 / root)
    #expect(abs(m.y - 1) < 4 * 2.0.squareRoot() / root)
    #expect(abs(m.z) < 4 * 15.0.squareRoot() / root)
    #expect(abs(m.w - 3) < 4 * 96.0.squareRoot() / root)
  }

  @Test("Streams, steps, atoms and draws give different numbers")
  func independence() {
    let random = Philox(seed: 7)
    var seen: Set<Double> = []
    for stream in [RandomStream.velocities, .thermostat, .barostat] {
      for step in [0, 1, 1 << 40] {
        for index in 0..<3 {
          for draw in 0..<3 {
            seen.insert(random.uniform(stream, step: step, index: index, draw: draw).x)
          }
        }
      }
    }
    #expect(seen.count == 81)
  }

  @Test("Every index is visited once for any number of threads", arguments: [1, 2, 5])
  func visits(_ threads: Int) {
    let counts = (0..<1000).map { _ in Counter() }
    ThreadTeam(count: threads).run(1000, chunkSize: 7) { chunk, worker in
      precondition(worker < threads)
      for i in chunk { counts[i].value += 1 }
    }
    #expect(counts.allSatisfy { $0.value == 1 })
  }

  private final class Counter { var value = 0 }

  @Test("A sum of 10^5 numbers is accurate to a few ulp")
  func sum() {
    let values = (0..<100_003).map { 1 / Double($0 + 1) }
    let exact = Double(values.reversed().reduce(Float80(0)) { $0 + Float80($1) })
    let found = values.withUnsafeBufferPointer {
      DeterministicSum.sum($0.baseAddress!, count: $0.count)
    }
    #expect(abs(found - exact) < 4 * exact.ulp)
  }
}
