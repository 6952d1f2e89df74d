import Foundation
import Trajectory

// Series observables as result groups.

extension ResultGroup {
  /// The verdict of tests on a series, in words and numbers for attributes of its variable.
  static func attributes(of stationarity: Stationarity, spacing: Double) -> [(String, Attribute)] {
    attributes(of: [stationarity], spacing: spacing)
  }

  /// The same of replicas, a number each where there are several.
  static func attributes(of tests: [Stationarity], spacing: Double) -> [(String, Attribute)] {
    func numbers(_ value: (Stationarity) -> Double) -> Attribute {
      tests.count == 1 ? .number(value(tests[0])) : .numbers(tests.map(value))
    }
    return [
      ("stationarity", .text(Stationarity.verdict(of: tests).rawValue)),
      ("drift", numbers { $0.drift.change.value }),
      ("drift_stderr", numbers { $0.drift.change.standardError }),
      ("drift_probability", numbers(\.drift.probability)),
      ("geweke_z", numbers(\.gewekeZ)),
      ("geweke_probability", numbers(\.gewekeProbability)),
      ("kpss", numbers(\.kpss)),
      ("statistical_inefficiency_ps", numbers { $0.inefficiency * spacing }),
    ]
  }

  /// What is wrong with a series or with replicas, in words behind the verdict.
  static func remark(on tests: Stationarity...) -> String { remark(on: tests) }

  static func remark(on tests: [Stationarity]) -> String {
    let found = tests.enumerated().filter { $1.verdict == .notStationary }
    return found.map { number, s in
      var reasons: [String] = []
      if s.drift.probability < 0.01 { reasons.append("it drifts") }
      if s.gewekeProbability < 0.01 { reasons.append("its start differs from its end") }
      if s.kpss > KPSS.critical1 { reasons.append("its level wanders") }
      return (tests.count > 1 ? "replica \(number + 1): " : "") + reasons.joined(separator: ", ")
    }.joined(separator: "; ")
  }

  /// Names the replicas, where there are several.
  mutating func addReplicas(_ count: Int) {
    guard count > 1 else { return }
    addCoordinate(
      "replica", (1...count).map(String.init), longName: "replica, in order of the sources")
  }

  /// Adds a series: of one run as it is; of replicas their mean with its standard error, and as
  /// NAME_replica each by itself, where that is asked for.
  mutating func addSeries(
    _ name: String, _ dimensions: [String], replicas: [[Double]], isKept: Bool = false,
    units: String, longName: String, attributes: [(String, Attribute)] = []
  ) {
    guard replicas.count > 1 else {
      add(
        name, dimensions, replicas[0], units: units, longName: longName, attributes: attributes)
      return
    }
    let columns = replicas[0].indices.map { t in replicas.map { $0[t] } }
    add(
      name, dimensions, columns.map(\.mean), error: columns.map(Spread.standardError),
      units: units, longName: "mean over replicas of the " + longName, attributes: attributes)
    guard isKept else { return }
    add(
      name + "_replica", ["replica"] + dimensions, replicas.flatMap { $0 }, units: units,
      longName: longName)
  }
}

extension Stationarity {
  /// The verdict on replicas: stationary if all are.
  static func verdict(of tests: [Stationarity]) -> Verdict {
    for worst in [Verdict.notFinite, .notStationary, .notEnoughData, .stationary]
    where tests.contains(where: { $0.verdict == worst }) { return worst }
    return .constant
  }

  /// The mean drift of replicas, with their spread as its error, and its probability without drift.
  static func drift(of tests: [Stationarity]) -> (change: Estimate, probability: Double) {
    let change = Estimate.mean(ofReplicas: tests.map(\.drift.change))
    if tests.count == 1 { return (change, tests[0].drift.probability) }
    let t = change.value / change.standardError
    return (
      change,
      t.isFinite
        ? StudentT.twoSided(t, degreesOfFreedom: Double(change.degreesOfFreedom)) : .nan
    )
  }
}

extension EnergyAnalysis {
  /// The group `energy` of a result file.
  public func group(spacing: Double) -> ResultGroup {
    var g = ResultGroup("energy", title: "potential energy")
    let tests = statistics.map(\.stationarity)
    let running = statistics.map { $0.running }
    g.addReplicas(potential.count)
    g.addCoordinate("time", times, units: "ps", longName: "time")
    g.addSeries(
      "potential", ["time"], replicas: potential, isKept: true, units: "eV",
      longName: "potential energy", attributes: ResultGroup.attributes(of: tests, spacing: spacing))
    g.addSeries(
      "running_mean", ["time"], replicas: running.map { Array($0.mean.prefix(times.count)) },
      units: "eV", longName: "mean of the potential energy in a moving window",
      attributes: [("window_rows", .integer(running[0].length))])
    g.addSeries(
      "running_std", ["time"],
      replicas: running.map { Array($0.standardDeviation.prefix(times.count)) }, units: "eV",
      longName: "standard deviation of the potential energy in a moving window",
      attributes: [("window_rows", .integer(running[0].length))])
    g.addVerdict(
      "stationarity", Stationarity.verdict(of: tests).rawValue,
      remark: ResultGroup.remark(on: tests))
    let start = statistics.map { Double($0.equilibration.first) * spacing }.max() ?? 0
    g.add(
      "equilibration_time", Estimate(start, standardError: 0), units: "ps",
      longName: "time after the first row from which the series counts as equilibrated")
    g.add(
      "mean", .mean(ofReplicas: statistics.map(\.mean)), units: "eV",
      longName: "mean potential energy of the equilibrated part")
    g.add(
      "std", .mean(ofReplicas: statistics.map { Estimate($0.standardDeviation) }), units: "eV",
      longName: "standard deviation of the potential energy of the equilibrated part",
      isListed: false)
    let drift = Stationarity.drift(of: tests)
    g.add(
      "drift", drift.change, units: "eV",
      longName: "change of the potential energy over the series by a straight line",
      remark: drift.probability.isNaN ? "" : String(format: "p = %.2g", drift.probability))
    g.add(
      "inefficiency_time", Estimate(tests.map(\.inefficiency).mean * spacing, standardError: 0),
      units: "ps", longName: "time between independent samples (statistical inefficiency)")
    if !bins.isEmpty {
      g.addCoordinate(
        "deviation", bins, units: "eV", longName: "potential energy less its mean")
      g.add(
        "histogram", ["deviation"], density, units: "1/eV",
        longName: "probability density of the potential energy")
      g.add(
        "gaussian", ["deviation"], gaussian, units: "1/eV",
        longName: "Gaussian of the same mean and width")
      g.add("skewness", skewness, units: "1", longName: "skewness; 0 for a Gaussian")
      g.add("kurtosis", kurtosis, units: "1", longName: "excess kurtosis; 0 for a Gaussian")
    }
    return g
  }
}

extension StressAnalysis {
  /// The group `stress` of a result file.
  public func group(
    spacing: Double, isFull: Bool, viscosity: GreenKuboViscosity?, elastic: ElasticConstants?
  ) -> ResultGroup {
    var g = ResultGroup("stress", title: "stress, positive in tension")
    g.addReplicas(stress.count)
    g.addCoordinate("component", Self.components, longName: "component of the stress tensor")
    g.addCoordinate("time", times, units: "ps", longName: "time")
    g.addCoordinate("lag", lags, units: "ps", longName: "time between two values")
    func joined(_ values: (SeriesStatistics) -> [Double]) -> [[Double]] {
      statistics.map { $0.flatMap { values($0).prefix(times.count) } }
    }
    g.addSeries(
      "stress", ["component", "time"], replicas: stress.map { $0.flatMap { $0 } }, isKept: true,
      units: "GPa", longName: isFull ? "stress" : "static stress, without the kinetic part")
    let length = statistics[0].first?.running.length ?? 0
    g.addSeries(
      "running_mean", ["component", "time"], replicas: joined(\.running.mean), units: "GPa",
      longName: "mean of the stress in a moving window",
      attributes: [("window_rows", .integer(length))])
    g.addSeries(
      "running_std", ["component", "time"], replicas: joined(\.running.standardDeviation),
      units: "GPa", longName: "standard deviation of the stress in a moving window",
      attributes: [("window_rows", .integer(length))])
    g.addSeries(
      "autocorrelation", ["component", "lag"], replicas: autocorrelation.map { $0.flatMap { $0 } },
      units: "GPa2", longName: "autocorrelation of the stress about its mean")
    // By component, then replica.
    let columns = Self.components.indices.map { k in statistics.map { $0[k] } }
    let tests = columns.map { $0.map(\.stationarity) }
    let means = columns.map { Estimate.mean(ofReplicas: $0.map(\.mean)) }
    let drifts = tests.map { Stationarity.drift(of: $0) }
    g.add(
      "mean", ["component"], means.map(\.value), error: means.map(\.standardError), units: "GPa",
      longName: "mean stress of the equilibrated part")
    g.add(
      "stationarity", ["component"], tests.map { Stationarity.verdict(of: $0).rawValue },
      longName: "verdict of the tests of stationarity")
    g.add(
      "drift", ["component"], drifts.map(\.change.value),
      error: drifts.map(\.change.standardError), units: "GPa",
      longName: "change over the series by a straight line")
    g.add(
      "drift_probability", ["component"], drifts.map(\.probability), units: "1",
      longName: "probability of such a drift in a stationary series")
    g.add(
      "kpss", ["component"], tests.map { $0.map(\.kpss).max() ?? .nan }, units: "1",
      longName: "statistic of the KPSS test, of replicas the largest; 0.463 at 5 %, 0.739 at 1 %")
    g.add(
      "inefficiency_time", ["component"], tests.map { $0.map(\.inefficiency).mean * spacing },
      units: "ps", longName: "time between independent samples (statistical inefficiency)")
    for (k, name) in Self.components.enumerated() {
      g.list(
        "stress_" + name, means[k], units: "GPa",
        remark: [Stationarity.verdict(of: tests[k]).rawValue, ResultGroup.remark(on: tests[k])]
          .filter { !$0.isEmpty }.joined(separator: ": "))
    }
    if let v = viscosity { Self.add(v, to: &g) }
    if let e = elastic { Self.add(e, to: &g) }
    return g
  }

  private static func add(_ v: GreenKuboViscosity, to g: inout ResultGroup) {
    g.addCoordinate(
      "integral_lag", v.lags, units: "ps", longName: "upper end of the Green-Kubo integral")
    g.add(
      "viscosity", ["integral_lag"], v.shear, error: v.shearError, units: "mPa s",
      longName: "shear viscosity as a running Green-Kubo integral")
    g.add(
      "bulk_viscosity", ["integral_lag"], v.bulk, error: v.bulkError, units: "mPa s",
      longName: "bulk viscosity as a running Green-Kubo integral")
    let note = "Green-Kubo integral up to the first zero of the correlation; no meaning in a solid"
    g.add(
      "shear_viscosity_value", v.shearValue, units: "mPa s", longName: "shear viscosity, \(note)",
      remark: String(format: "to %.3g ps; no meaning in a solid", v.shearCut))
    g.add(
      "bulk_viscosity_value", v.bulkValue, units: "mPa s", longName: "bulk viscosity, \(note)",
      remark: String(format: "to %.3g ps; no meaning in a solid", v.bulkCut))
    for caveat in v.caveats { g.addCaveat("viscosity: " + caveat) }
  }

  private static func add(_ e: ElasticConstants, to g: inout ResultGroup) {
    g.add(
      "bulk_modulus", e.bulkModulus, units: "GPa",
      longName: "isothermal bulk modulus from volume fluctuations")
    if !e.stiffness.isEmpty {
      let names = e.components.map { components[$0] }
      g.addCoordinate("strain", names, longName: "strain component")
      g.addCoordinate("conjugate_strain", names, longName: "strain component")
      g.add(
        "elastic_constants", ["strain", "conjugate_strain"], e.stiffness.map(\.value),
        error: e.stiffness.map(\.standardError), units: "GPa",
        longName: "isothermal elastic constants from strain fluctuations")
      let m = names.count
      for i in 0..<m {
        for j in i..<m where j == i || e.components[j] < 3 {
          g.list(
            "C\(e.components[i] + 1)\(e.components[j] + 1)", e.stiffness[i * m + j], units: "GPa")
        }
      }
    }
    for caveat in e.caveats { g.addCaveat("elastic constants: " + caveat) }
  }
}

extension HeatCapacity {
  /// The group `heat_capacity` of a result file.
  public var group: ResultGroup {
    var g = ResultGroup("heat_capacity", title: "heat capacity from fluctuations")
    let name = kind == .cv ? "constant volume" : "constant pressure"
    g.set("route", .text(route))
    g.set("temperature_K", .number(temperature))
    g.set("atoms", .integer(atomCount))
    func add(_ suffix: String, _ estimate: Estimate, _ what: String) {
      g.add(
        kind.rawValue + suffix, estimate * Self.gasConstant, units: "J/mol/K",
        longName: "\(what) at \(name), for a mole of atoms")
      g.add(
        kind.rawValue + suffix + "_per_atom", estimate, units: "k_B",
        longName: "\(what) at \(name), in k_B per atom")
    }
    add("", perAtom, "classical heat capacity")
    if let check {
      let total = kind == .cv ? "total energy" : "enthalpy"
      add("_from_total", check, "classical heat capacity from the \(total)")
    }
    if let quantum { add("_quantum", quantum, "heat capacity with harmonic quantum correction") }
    for caveat in caveats { g.addCaveat(caveat) }
    return g
  }
}
