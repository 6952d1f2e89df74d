import Foundation
import Trajectory

// Series observables as result groups.

extension ResultGroup {
  /// The verdict of tests on a series, in words for an attribute of its variable.
  static func attributes(of stationarity: Stationarity, spacing: Double) -> [(String, Attribute)] {
    [
      ("stationarity", .text(stationarity.verdict.rawValue)),
      ("drift", .number(stationarity.drift.change.value)),
      ("drift_stderr", .number(stationarity.drift.change.standardError)),
      ("drift_probability", .number(stationarity.drift.probability)),
      ("geweke_z", .number(stationarity.gewekeZ)),
      ("geweke_probability", .number(stationarity.gewekeProbability)),
      ("kpss", .number(stationarity.kpss)),
      ("statistical_inefficiency_ps", .number(stationarity.inefficiency * spacing)),
    ]
  }

  /// What is wrong with a series, in words behind its verdict.
  static func remark(on s: Stationarity) -> String {
    guard s.verdict == .notStationary else { return "" }
    var reasons: [String] = []
    if s.drift.probability < 0.01 { reasons.append("it drifts") }
    if s.gewekeProbability < 0.01 { reasons.append("its start differs from its end") }
    if s.kpss > KPSS.critical1 { reasons.append("its level wanders") }
    return reasons.joined(separator: ", ")
  }
}

extension EnergyAnalysis {
  /// The group `energy` of a result file.
  public func group(spacing: Double) -> ResultGroup {
    var g = ResultGroup("energy", title: "potential energy")
    let s = statistics
    g.addCoordinate("time", times, units: "ps", longName: "time")
    g.add(
      "potential", ["time"], potential, units: "eV", longName: "potential energy",
      attributes: ResultGroup.attributes(of: s.stationarity, spacing: spacing))
    g.add(
      "running_mean", ["time"], s.running.mean, units: "eV",
      longName: "mean of the potential energy in a moving window",
      attributes: [("window_rows", .integer(s.running.length))])
    g.add(
      "running_std", ["time"], s.running.standardDeviation, units: "eV",
      longName: "standard deviation of the potential energy in a moving window",
      attributes: [("window_rows", .integer(s.running.length))])
    g.addVerdict(
      "stationarity", s.stationarity.verdict.rawValue,
      remark: ResultGroup.remark(on: s.stationarity)
    )
    let start = s.equilibration.first < times.count ? times[s.equilibration.first] - times[0] : 0
    g.add(
      "equilibration_time", Estimate(start, standardError: 0), units: "ps",
      longName: "time after the first row from which the series counts as equilibrated")
    g.add(
      "mean", s.mean, units: "eV", longName: "mean potential energy of the equilibrated part")
    g.add(
      "std", Estimate(s.standardDeviation), units: "eV",
      longName: "standard deviation of the potential energy of the equilibrated part",
      isListed: false)
    g.add(
      "drift", s.stationarity.drift.change, units: "eV",
      longName: "change of the potential energy over the series by a straight line",
      remark: String(format: "p = %.2g", s.stationarity.drift.probability))
    g.add(
      "inefficiency_time", Estimate(s.stationarity.inefficiency * spacing, standardError: 0),
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
    g.addCoordinate("component", Self.components, longName: "component of the stress tensor")
    g.addCoordinate("time", times, units: "ps", longName: "time")
    g.addCoordinate("lag", lags, units: "ps", longName: "time between two values")
    g.add(
      "stress", ["component", "time"], stress.flatMap { $0 }, units: "GPa",
      longName: isFull ? "stress" : "static stress, without the kinetic part")
    let length = statistics.first?.running.length ?? 0
    g.add(
      "running_mean", ["component", "time"], statistics.flatMap(\.running.mean), units: "GPa",
      longName: "mean of the stress in a moving window",
      attributes: [("window_rows", .integer(length))])
    g.add(
      "running_std", ["component", "time"], statistics.flatMap(\.running.standardDeviation),
      units: "GPa", longName: "standard deviation of the stress in a moving window",
      attributes: [("window_rows", .integer(length))])
    g.add(
      "autocorrelation", ["component", "lag"], autocorrelation.flatMap { $0 }, units: "GPa2",
      longName: "autocorrelation of the stress about its mean")
    g.add(
      "mean", ["component"], statistics.map(\.mean.value),
      error: statistics.map(\.mean.standardError), units: "GPa",
      longName: "mean stress of the equilibrated part")
    let tests = statistics.map(\.stationarity)
    g.add(
      "stationarity", ["component"], tests.map(\.verdict.rawValue),
      longName: "verdict of the tests of stationarity")
    g.add(
      "drift", ["component"], tests.map(\.drift.change.value),
      error: tests.map(\.drift.change.standardError), units: "GPa",
      longName: "change over the series by a straight line")
    g.add(
      "drift_probability", ["component"], tests.map(\.drift.probability), units: "1",
      longName: "probability of such a drift in a stationary series")
    g.add(
      "kpss", ["component"], tests.map(\.kpss), units: "1",
      longName: "statistic of the KPSS test; 0.463 at 5 %, 0.739 at 1 %")
    g.add(
      "inefficiency_time", ["component"], tests.map { $0.inefficiency * spacing }, units: "ps",
      longName: "time between independent samples (statistical inefficiency)")
    for (k, name) in Self.components.enumerated() {
      g.list(
        "stress_" + name, statistics[k].mean, units: "GPa",
        remark: [tests[k].verdict.rawValue, ResultGroup.remark(on: tests[k])]
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
