import Analysis
import Glibc
import Testing

@Suite struct StatisticsTests {
  // Numbers of scipy 1.17: stats.t.
  @Test("Student's t has the quantiles and tails of tables")
  func student() {
    for (nu, expected) in [
      (1.0, 12.706204736174694), (3, 3.1824463052837078), (19, 2.0930240544083087),
    ] {
      let found = StudentT.quantile(twoSided: 0.05, degreesOfFreedom: nu)
      #expect(abs(found - expected) < 1e-10 * expected)
    }
    #expect(abs(StudentT.twoSided(2.5, degreesOfFreedom: 7) - 0.04099221858575289) < 1e-12)
  }

  @Test("autocovariances by Fourier transform equal the sums", arguments: [1, 2, 64, 65, 1000])
  func autocovariance(count: Int) {
    let x = Repeatable.series(count, 0.7)
    let mean = x.reduce(0, +) / Double(count)
    let found = Autocorrelation.covariance(x, lagCount: count)
    for lag in 0..<count {
      let sum = (0..<count - lag).reduce(0.0) { $0 + (x[$1] - mean) * (x[$1 + lag] - mean) }
      #expect(abs(found[lag] - sum / Double(count - lag)) < 1e-12)
    }
  }

  // Numbers of pymbar 4.0.3: timeseries.statistical_inefficiency(x, mintime=3).
  @Test(
    "the statistical inefficiency is that of pymbar",
    arguments: [
      (500, 0.8, 8.071018097647459), (3000, 0.95, 32.94003679851649),
      (2000, 0.5, 2.7294177464747387),
    ])
  func inefficiency(count: Int, a: Double, expected: Double) {
    let found = StatisticalInefficiency.of(Repeatable.series(count, a))
    #expect(abs(found - expected) < 1e-9 * expected)
  }

  // pymbar 4.0.3, detect_equilibration(x, nskip=1, fast=False): 252, 236.5 samples.
  @Test("the start left out leaves as many independent samples as pymbar's best")
  func equilibration() {
    let found = Equilibration(detecting: Repeatable.series(2000, 0.8, relaxing: 5))
    #expect((200...320).contains(found.first))
    #expect(found.effectiveSamples > 0.97 * 236.5)
  }

  @Test("nothing worth naming is left out of a stationary series")
  func stationaryStart() {
    var noise = Noise(seed: 5)
    let shares = (0..<40).map { _ in
      Double(Equilibration(detecting: noise.correlated(2000, time: 4)).first) / 2000
    }
    #expect(shares.reduce(0, +) / 40 < 0.05)
  }

  /// Correlation times with weights, the length in units of the inefficiency, and of the slowest
  /// time.
  struct Case: CustomTestStringConvertible, Sendable {
    var parts: [(weight: Double, time: Double)]
    var length: Int
    var testDescription: String { "\(parts.map(\.time)) of \(length)" }

    func draw(_ noise: inout Noise) -> [Double] {
      var sum = [Double](repeating: 0, count: length)
      for part in parts {
        let x = noise.correlated(length, time: part.time)
        for t in 0..<length { sum[t] += part.weight.squareRoot() * x[t] }
      }
      return sum
    }
  }

  static let cases: [Case] = [
    // 40 inefficiencies.
    Case(parts: [(1, 0.05)], length: 40), Case(parts: [(1, 3)], length: 242),
    Case(parts: [(1, 30)], length: 2400),
    // 200.
    Case(parts: [(1, 3)], length: 1210), Case(parts: [(1, 12)], length: 4800),
    // Sums, 80 times the slowest correlation time and more.
    Case(parts: [(0.5, 2), (0.5, 40)], length: 3360),
    Case(parts: [(0.8, 2), (0.2, 60)], length: 5453),
    Case(parts: [(0.3, 1), (0.4, 5), (0.3, 25)], length: 4000),
  ]

  /// 1500 series: two standard deviations of the share found are 1.1 %.
  @Test("the 95 % interval of a mean holds the truth in 92 to 97 % of series", arguments: cases)
  func coverage(of example: Case) {
    var noise = Noise(seed: UInt64(example.length))
    var hits = 0
    var known = 0
    for _ in 0..<1500 {
      let mean = BlockAverage.mean(example.draw(&noise))
      guard mean.hasError else { continue }
      known += 1
      if abs(mean.value) < mean.interval95 { hits += 1 }
    }
    let share = Double(hits) / Double(known)
    #expect(known > 1300)
    #expect(share > 0.92 && share < 0.97, "\(share) of \(known)")
  }

  @Test("the 95 % interval of a slope holds zero in 92 to 97 % of series without one")
  func slopeCoverage() {
    var noise = Noise(seed: 3)
    let hits = (0..<1500).count { _ in
      let drift = LinearDrift(noise.correlated(1210, time: 3)).change
      return abs(drift.value) < drift.interval95
    }
    #expect(hits > 1380 && hits < 1455, "\(hits)")
  }

  @Test("a drift is found with its size")
  func drift() {
    var noise = Noise(seed: 8)
    let x = noise.correlated(6000, time: 3).enumerated().map { 2 * Double($0) / 6000 + $1 }
    let found = LinearDrift(x)
    #expect(abs(found.change.value - 2) < 2.5 * found.change.standardError)
    #expect(found.probability < 1e-6)
    #expect(Stationarity(x).verdict == .notStationary)
  }

  @Test("at most 3 % of stationary series are called not stationary")
  func falseAlarms() {
    var noise = Noise(seed: 21)
    var alarms = 0
    for _ in 0..<600 where Stationarity(noise.correlated(1210, time: 3)).verdict == .notStationary {
      alarms += 1
    }
    #expect(alarms <= 18, "\(alarms)")
  }

  @Test(
    "a start that relaxes by three standard deviations is found by Geweke's test in nine of ten series"
  )
  func geweke() {
    var noise = Noise(seed: 4)
    let found = (0..<50).count { _ in
      let x = noise.correlated(4000, time: 3).enumerated().map { $1 + 3 * exp(-Double($0) / 200) }
      return Geweke.test(x).probability < 0.01
    }
    #expect(found >= 45)
  }

  // Numbers of statsmodels 0.15: kpss(x, 'c', nlags=5).
  @Test("the KPSS statistic is that of statsmodels")
  func kpss() {
    let white = Repeatable.noise(300)
    #expect(abs(KPSS.eta(white) - 0.06061387839849531) < 1e-12)
    var sum = 0.0
    let walk = white.map { e -> Double in
      sum += e
      return sum
    }
    #expect(abs(KPSS.eta(walk) - 0.8312843445205464) < 1e-12)
  }

  @Test("short, constant and broken series get no error and an honest verdict")
  func degenerate() {
    #expect(BlockAverage.mean([]).value.isNaN)
    let one = BlockAverage.mean([7])
    #expect(one.value == 7 && !one.hasError)
    let short = BlockAverage.mean([1, 2, 4])
    #expect(abs(short.value - 7.0 / 3) < 1e-15 && !short.hasError)
    let constant = BlockAverage.mean([Double](repeating: 3.1, count: 50))
    #expect(constant.value == 3.1 && constant.standardError == 0)
    #expect(BlockAverage.mean([1, .nan, 2]).value.isNaN)
    #expect(Stationarity([]).verdict == .notEnoughData)
    #expect(Stationarity([1]).verdict == .notEnoughData)
    #expect(Stationarity([Double](repeating: 2, count: 30)).verdict == .constant)
    #expect(Stationarity([Double](repeating: .nan, count: 30)).verdict == .notFinite)
    // A walk over its whole length: no independent samples to speak of.
    #expect(!BlockAverage.mean((0..<40).map { Double($0) }).hasError)
    #expect(Stationarity([]).drift.probability.isNaN)
    #expect(Equilibration(detecting: []).first == 0)
    #expect(Equilibration(detecting: [1, .nan]).first == 0)
  }

  @Test("running means equal the sums over each window, and are nowhere else")
  func running() {
    let x = Repeatable.series(2500, 0.5).map { $0 + 1e6 }
    let window = RunningWindow(x, length: 101)
    for place in [50, 51, 1073, 1074, 2449] {
      let part = x[(place - 50)...(place + 50)]
      let mean = part.reduce(0, +) / 101
      let square = part.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 101
      #expect(abs(window.mean[place] - mean) < 1e-9)
      #expect(abs(window.standardDeviation[place] - square.squareRoot()) < 1e-9)
    }
    #expect(window.mean[49].isNaN && window.mean[2450].isNaN)
    #expect(RunningWindow(x, length: 2000).length == 250)
    #expect(RunningWindow([], length: 10).mean.isEmpty)
    #expect(RunningWindow([1], length: 10).mean == [1])
  }

  @Test("replicas give their mean, with the spread as error")
  func replicas() {
    let parts = [1.0, 2, 4].map {
      Estimate($0, standardError: 0.1, degreesOfFreedom: 9, effectiveSamples: 50)
    }
    let found = Estimate.mean(ofReplicas: parts)
    #expect(abs(found.value - 7.0 / 3) < 1e-15)
    // s² = 7/3, over 3 replicas.
    #expect(abs(found.standardError - (7.0 / 9).squareRoot()) < 1e-15)
    #expect(found.degreesOfFreedom == 2)
    #expect(Estimate.mean(ofReplicas: [parts[0]]) == parts[0])
  }
}
