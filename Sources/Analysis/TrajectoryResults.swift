import Foundation
import Matter

// Observables of trajectories as result groups.

private let axes = ["x", "y", "z"]
private let components = ["xx", "yy", "zz", "yz", "xz", "xy"]

extension MeanSquareDisplacement.Result {
  /// The group `msd` of a result file.
  var group: ResultGroup {
    var g = ResultGroup("msd", title: "mean square displacements over all time origins")
    g.addCoordinate("element", groups.map(\.name), longName: "element or group of atoms")
    g.addCoordinate("lag", lags, units: "ps", longName: "time between two frames")
    g.addCoordinate("axis", axes, longName: "Cartesian axis")
    g.addCoordinate("component", components, longName: "component of a symmetric tensor")
    g.set("scheme", .text(scheme))
    g.set("frames", .integer(frameCount))
    g.add(
      "msd", ["element", "lag"], groups.flatMap(\.total), error: groups.flatMap(\.totalError),
      units: "angstrom2", longName: "mean square displacement; its plateau is 2 <u^2>")
    g.add(
      "msd_axis", ["element", "axis", "lag"], groups.flatMap { $0.axes.flatMap { $0 } },
      error: groups.flatMap { $0.axisErrors.flatMap { $0 } }, units: "angstrom2",
      longName: "mean square displacement along an axis")
    if let m = molecules {
      g.add(
        "msd_molecule", ["lag"], m.total, error: m.totalError, units: "angstrom2",
        longName: "mean square displacement of the molecules' centres of mass")
    }
    g.add(
      "displacement_tensor", ["element", "component"],
      groups.flatMap(\.displacementTensor.components),
      error: groups.flatMap(\.displacementTensorError.components), units: "angstrom2",
      longName: "<u u> about mean positions, where motion is bounded")
    g.add(
      "b_factor", ["element"], groups.map(\.isotropicB), error: groups.map(\.isotropicBError),
      units: "angstrom2", longName: "isotropic B factor 8 pi^2 <u^2>/3, where motion is bounded")
    g.add(
      "diffusion", ["element"], groups.map(\.diffusion), error: groups.map(\.diffusionError),
      units: "angstrom2/ps", longName: "diffusion coefficient; 1 angstrom2/ps is 1e-8 m2/s")
    g.add(
      "exponent", ["element"], groups.map(\.exponent), error: groups.map(\.exponentError),
      units: "1", longName: "power of growth with the lag; 0 on a plateau, 1 for diffusion")
    g.add("motion", ["element"], groups.map(\.plateau.rawValue), longName: "verdict on the growth")
    for curve in groups {
      if curve.plateau == .diffusive {
        g.list(
          "diffusion_" + curve.name,
          Estimate(curve.diffusion, standardError: curve.diffusionError), units: "Å²/ps",
          remark: "diffusive")
      } else {
        g.list(
          "u2_" + curve.name,
          Estimate(curve.meanSquareAmplitude, standardError: curve.meanSquareAmplitudeError),
          units: "Å²", remark: curve.plateau.rawValue)
      }
    }
    if groups.contains(where: { $0.plateau == .diffusive }) {
      g.addCaveat(
        "diffusion in a periodic cell: a cubic cell of edge L lacks 2.837297 kT/(6 pi viscosity L) (Yeh and Hummer 2004)"
      )
    }
    return g
  }
}

extension RadialDistribution.Result {
  /// The group `rdf` of a result file.
  /// - Parameter elements: of all atoms, for the totals that X-rays and neutrons see
  func group(frameSpacing: Double, elements: [Element]) -> ResultGroup {
    var g = ResultGroup("rdf", title: "radial distribution functions")
    let names = windows.map { window in
      String(
        format: "%.6g-%.6g ps", Double(window.frames.lowerBound) * frameSpacing,
        Double(window.frames.upperBound - 1) * frameSpacing)
    }
    g.addCoordinate("window", names, longName: "span of time from the first frame")
    g.addCoordinate("pair", pairs, longName: "pair of elements or groups")
    g.addCoordinate("r", radii, units: "angstrom", longName: "distance")
    let dimensions = ["window", "pair", "r"]
    let curves = windows.flatMap(\.curves)
    g.add(
      "rdf", dimensions, curves.flatMap(\.g), error: curves.flatMap(\.gError), units: "1",
      longName: "radial distribution function")
    let intra = curves.compactMap(\.intra)
    let inter = curves.compactMap(\.inter)
    if intra.count == curves.count, inter.count == curves.count {
      g.add(
        "rdf_intra", dimensions, intra.flatMap { $0 },
        error: curves.flatMap { $0.intraError ?? [] }, units: "1",
        longName: "radial distribution function of pairs inside a molecule")
      g.add(
        "rdf_inter", dimensions, inter.flatMap { $0 },
        error: curves.flatMap { $0.interError ?? [] }, units: "1",
        longName: "radial distribution function of pairs of different molecules")
    }
    g.add(
      "coordination", dimensions, curves.flatMap(\.coordination),
      error: curves.flatMap(\.coordinationError), units: "1",
      longName: "neighbours nearer than the upper edge of the bin")
    for radiation in WeightedDistribution.Radiation.allCases {
      addTotal(radiation, elements, to: &g)
    }
    g.add(
      "frames", ["window"], windows.map { Double($0.frameCount) }, units: "1",
      longName: "frames in the window")
    if differences.count == pairs.count {
      g.add(
        "difference", ["pair"], differences.map(\.integrated), units: "angstrom",
        longName: "integral of the absolute difference between last and first window")
      g.add(
        "difference_by_chance", ["pair"], differences.map(\.integratedByChance), units: "angstrom",
        longName: "what the statistical error alone gives for the difference")
      g.add(
        "difference_probability", ["pair"],
        differences.map { min($0.integratedProbability, $0.largestProbability) }, units: "1",
        longName: "probability of such a difference if the windows are the same")
      g.add(
        "verdict", ["pair"], differences.map(\.verdict.rawValue),
        longName: "verdict on the difference")
      let different = zip(pairs, differences).filter { $1.verdict == .significant }.map(\.0)
      let isKnown = differences.allSatisfy { $0.verdict != .notEnoughData }
      g.addVerdict(
        "windows",
        !different.isEmpty
          ? "first and last differ in " + different.joined(separator: ", ")
          : isKnown
            ? "first and last are indistinguishable within the statistical error"
            : "not enough data to compare them")
      for (pair, d) in zip(pairs, differences) {
        g.list(
          "difference_" + pair, Estimate(d.integrated, standardError: 0), units: "Å",
          remark: String(format: "by chance %.3g Å: ", d.integratedByChance) + d.verdict.rawValue)
      }
    }
    return g
  }

  private func addTotal(
    _ radiation: WeightedDistribution.Radiation, _ elements: [Element], to g: inout ResultGroup
  ) {
    let name = radiation.rawValue
    do throws(ObservableError) {
      let totals = try windows.indices.map { window throws(ObservableError) in
        try WeightedDistribution(of: self, window: window, elements: elements, radiation: radiation)
      }
      g.add(
        "total_" + name, ["window", "r"], totals.flatMap(\.g), error: totals.flatMap(\.gError),
        units: "1", longName: "radial distribution function as \(radiation.words) see it")
      g.add(
        "reduced_" + name, ["window", "r"], totals.flatMap(\.reduced),
        error: totals.flatMap(\.reducedError), units: "1/angstrom2",
        longName: "4 pi r density (g(r) - 1) as \(radiation.words) see it")
    } catch {
      g.set("total_" + name, .text("none: " + error.description))
    }
  }
}

extension WeightedDistribution.Radiation {
  /// What sees, in words.
  fileprivate var words: String {
    switch self {
    case .xray: "X-rays (atomic numbers)"
    case .neutron: "neutrons (natural isotopes)"
    }
  }
}

extension VelocityAutocorrelation.Result {
  /// The group `vacf` of a result file, and whether the density of states has fallen to nothing where
  /// it ends, so that no vibrations are folded into it.
  var group: (ResultGroup, isResolved: Bool) {
    var g = ResultGroup("vacf", title: "velocity autocorrelation and density of states")
    let curves = groups + [all]
    g.addCoordinate("element", curves.map(\.name), longName: "element or group of atoms, or all")
    g.addCoordinate("lag", lags, units: "ps", longName: "time between two frames")
    g.addCoordinate("omega", omegas, units: "rad/ps", longName: "angular frequency")
    g.set("frames", .integer(frameCount))
    g.set("degrees_of_freedom", .number(degreesOfFreedom))
    g.add("energy", ["omega"], energies, units: "meV", longName: "energy of the frequency")
    g.add(
      "wavenumber", ["omega"], wavenumbers, units: "1/cm", longName: "wavenumber of the frequency")
    g.add(
      "vacf", ["element", "lag"], curves.flatMap(\.autocorrelation),
      error: curves.flatMap(\.autocorrelationError), units: "angstrom2/ps2",
      longName: "velocity autocorrelation per atom")
    g.add(
      "vdos", ["element", "omega"], curves.flatMap(\.densityOfStates),
      error: curves.flatMap(\.densityOfStatesError), units: "1/meV",
      longName: "vibrational density of states; that of all integrates to the degrees of freedom")
    g.add(
      "temperature", ["element"], curves.map(\.temperature), units: "K",
      longName: "kinetic temperature of three degrees of freedom an atom")
    let density = all.densityOfStates
    let tail = density[(density.count * 9 / 10)...].map { abs($0) }
    let isResolved = density.count >= 20 && tail.mean < 0.02 * density.mean
    let nyquist = energies.last ?? 0
    g.list(
      "largest_energy", Estimate(nyquist, standardError: 0), units: "meV",
      remark: "from the distance of the frames")
    g.list("temperature", Estimate(all.temperature, standardError: 0), units: "K")
    if !isResolved {
      g.addCaveat(
        String(
          format:
            "the density of states does not end below %.3g meV: frames are too far apart, and faster vibrations appear at wrong energies",
          nyquist))
    }
    return (g, isResolved)
  }
}

extension MoleculeSeries.Result {
  private var bondVerdict: String {
    if eventCount == 0 { return "unchanged, \(originalCount) molecules" }
    let elements = changedElements.joined(separator: ", ")
    if brokenBonds == 0, newBonds == 0 {
      return "all \(originalBonds) of the \(originalCount) molecules held; "
        + "others (\(elements)) came and went"
    }
    return "\(eventCount) broke or formed (\(elements)); at the end "
      + "\(missingBonds) of \(originalBonds) are missing, \(newBonds) new"
  }

  /// The group `molecules` of a result file.
  func group(times: [Double], spacing: Double) -> ResultGroup {
    var g = ResultGroup("molecules", title: "molecules and their orientation")
    g.addCoordinate("time", times, units: "ps", longName: "time from the first frame")
    g.add(
      "count", ["time"], counts.map { Double($0) }, units: "1",
      longName: "molecules; networks and single atoms count as one each")
    g.addVerdict(
      "bonds", bondVerdict,
      remark: firstChange.map { k in
        times.indices.contains(k)
          ? String(format: "first at %.6g ps, frame %d", times[k], k + 1) : ""
      } ?? "")
    if herringboneAngles.count == times.count, !times.isEmpty {
      g.addCoordinate("family", ["first", "second"], longName: "family of ring normals")
      g.addCoordinate("axis", axes, longName: "Cartesian axis")
      g.add(
        "ring_axis", ["family", "axis", "time"],
        ringAxes.flatMap { family in (0..<3).flatMap { k in family.map { $0[k] } } }, units: "1",
        longName: "mean axis of the ring normals of a family, a unit vector")
      let tests = Stationarity(herringboneAngles)
      g.add(
        "herringbone_angle", ["time"], herringboneAngles, units: "degree",
        longName: "angle between the two families of ring normals",
        attributes: ResultGroup.attributes(of: tests, spacing: spacing))
      g.add(
        "herringbone_mean", BlockAverage.mean(herringboneAngles), units: "degree",
        longName: "mean herringbone angle",
        remark: [tests.verdict.rawValue, ResultGroup.remark(on: tests)].filter { !$0.isEmpty }
          .joined(separator: ": "))
    } else if let reason = herringboneReason {
      g.set("herringbone", .text("none: " + reason))
    }
    return g
  }
}
