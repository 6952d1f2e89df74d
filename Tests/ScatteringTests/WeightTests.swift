import Matter
import Scattering
import TestSupport
import Testing

@Suite("weights and shells") struct WeightTests {
  private static func element(_ symbol: String) throws -> Element {
    try #require(Element(symbol: symbol))
  }

  @Test(
    "neutron lengths and cross sections are Sears' for elements and isotopes",
    .enabled(if: Reference.isAvailable, "needs the reference folder"))
  func sears() throws {
    var count = 0
    for row in try Fixture.table("neutron_sears1992.csv") {
      let element = try Self.element(row[0])
      let composition: IsotopeComposition =
        Int(row[1]).map { .mixture([($0, 1)]) } ?? .natural
      let atom = try NeutronTable.scattering(of: element, composition: composition)
      // An absorber's length is complex, written -0.05-0.116j.
      #expect(Double(row[3]) == atom.real || row[3] == "\(atom.real)\(atom.imaginary)j")
      #expect(abs(atom.incoherentCrossSection - (Double(row[6]) ?? 0)) < 1e-12)
      // The table's σ_coh and b are rounded by themselves, lengths to as little as two digits.
      let coherent = try #require(Double(row[5]))
      #expect(abs(atom.coherentCrossSection - coherent) <= 0.03 * coherent + 0.01)
      count += 1
    }
    #expect(count == 53)
  }

  @Test("a natural mixture of isotopes scatters incoherently what the natural element does")
  func mixture() throws {
    // Abundances in percent (Sears 1992); the last column is the table's σ_inc and its rounding.
    let titanium = try NeutronTable.scattering(
      of: Self.element("Ti"),
      composition: .mixture([(46, 0.082), (47, 0.074), (48, 0.738), (49, 0.054), (50, 0.052)]))
    #expect(abs(titanium.incoherentCrossSection - 2.87) < 0.03)
    let hydrogen = try NeutronTable.scattering(
      of: Self.element("H"),
      composition: IsotopeComposition([("H-1", 0.5), ("D", 0.5)], of: Self.element("H")))
    let (h, d) = (-3.7406, 6.671)
    #expect(abs(hydrogen.real - 0.5 * (h + d)) < 1e-12)
    #expect(
      abs(
        hydrogen.incoherent
          - (0.25 * (h - d) * (h - d) + 0.5 * (80.27 + 2.05) * 100 / (4 * Double.pi))) < 1e-10)
    // Strong absorbers have complex lengths.
    #expect(try NeutronTable.scattering(of: Self.element("Cd")).imaginary == -0.7)
    #expect(try NeutronTable.scattering(of: Self.element("Ba")).incoherentCrossSection == 0.15)
  }

  @Test("isotopes are named in the usual ways; unknown ones are refused with those there are")
  func isotopes() throws {
    let hydrogen = try Self.element("H")
    for name in ["D", "H-2", "2H", "H2"] {
      let atom = try NeutronTable.scattering(
        of: hydrogen, composition: IsotopeComposition(name, of: hydrogen))
      #expect(atom.real == 6.671)
    }
    let error = #expect(throws: InputError.self) { try IsotopeComposition("Q", of: hydrogen) }
    #expect(
      error?.description
        == "Q is no isotope of H. Write one of natural, H-1, H-2, H-3, D, T")
    let missing = #expect(throws: InputErrors.self) {
      try ScatteringWeights.neutron(
        [Self.element("Xe"), Self.element("C")],
        isotopes: [Self.element("C"): .mixture([(14, 1)]), Self.element("O"): .natural])
    }
    #expect(missing?.errors.count == 3)
    #expect(throws: InputError.self) {
      try NeutronTable.scattering(of: hydrogen, composition: .mixture([(1, 0.5), (2, 0.4)]))
    }
  }

  @Test(
    "form factors of X-rays and electrons are those of the published fits",
    .enabled(if: Reference.isAvailable, "needs the reference folder"))
  func formFactors() throws {
    for row in try Fixture.table("form_factors.csv") {
      let source: FormFactorTable.Source =
        row[1].hasPrefix("waasmaier")
        ? .waasmaierKirfel : row[1].hasPrefix("itc") ? .internationalTables : .peng
      let factor = try FormFactorTable.factor(row[2], source: source)
      let numbers = row[3...].map { Double($0) }
      let reference = FormFactor(
        a: numbers[0..<5].compactMap { $0 }, b: numbers[5..<10].compactMap { $0 },
        c: numbers[10] ?? 0, charge: 0, largestQ: factor.largestQ)
      if source == .waasmaierKirfel {
        // The reference is a transcription with misread digits: titanium's has 21.92 electrons.
        for q in [0.0, 3, 9, 20] where row[2] != "Ti" {
          #expect(abs(factor.value(q) / reference.value(q) - 1) < 2e-5, "\(row[2]) \(q)")
        }
      } else {
        #expect(factor == reference)
      }
    }
    #expect(throws: InputError.self) { try FormFactorTable.factor("Qq", source: .peng) }
  }

  @Test("X-ray factors count the electrons, electron factors follow from them by Mott and Bethe")
  func mottBethe() throws {
    for number in 1...98 {
      let symbol = try #require(Element(atomicNumber: number)).symbol
      let z = Double(number)
      for source in [FormFactorTable.Source.waasmaierKirfel, .internationalTables] {
        let f = try FormFactorTable.factor(symbol, source: source)
        #expect(abs(f.value(0) / z - 1) < 2e-3, "\(symbol)")
      }
      let (x, e) = (
        try FormFactorTable.factor(symbol, source: .waasmaierKirfel),
        try FormFactorTable.factor(symbol, source: .peng)
      )
      // 5 % at s = 1 1/Å for Gd, Ra, Pa and Sc; 2 % for the others.
      for s in [0.3, 0.6, 1.0] {
        let expected = 0.023934 * (z - x.value(4 * .pi * s)) / (s * s)
        #expect(abs(e.value(4 * .pi * s) / expected - 1) < 0.05, "\(symbol) \(s)")
      }
    }
    for (ion, electrons) in [("O1-", 9.0), ("Si4+", 10), ("Fe3+", 23), ("Bi5+", 78), ("Rh4+", 41)] {
      let f = try FormFactorTable.factor(ion, source: .waasmaierKirfel).value(0)
      #expect(abs(f / electrons - 1) < 2e-3)
    }
    // Ions scatter electrons by their charge: 0.023934 Z/s² at small s.
    let ion = try FormFactorTable.factor("Si4+", source: .peng)
    #expect(abs(ion.value(0.01) / (0.023934 * 4 / 6.332573978e-7) - 1) < 1e-3)
  }

  private static let pairs: [(PartialFunctions.Pair, String)] = [
    (.init(0, 0), "H_H"), (.init(0, 1), "H_Si"), (.init(1, 1), "Si_Si"),
  ]

  @Test(
    "weighted static structure factors are dynasor's",
    .enabled(if: Reference.isAvailable, "needs the reference folder"),
    arguments: ["xray", "elec", "neut"])
  func staticWeights(probe: String) throws {
    let file = "A_dynasor_static.nc"
    let norms = try Fixture.vectors("q_points", of: file).map { ($0 * $0).sum().squareRoot() }
    var coherent: [PartialFunctions.Pair: [Double]] = [:]
    for (pair, name) in Self.pairs { coherent[pair] = try Fixture.variable("Sq_" + name, of: file) }
    let functions = PartialFunctions(norms: norms, columns: 1, coherent: coherent)
    let weights =
      switch probe {
      case "xray": try ScatteringWeights.formFactors(["H", "Si"], source: .internationalTables)
      case "elec": try ScatteringWeights.formFactors(["H", "Si"], source: .peng)
      default: try Self.dynasorNeutron()
      }
    let total = functions.weightedCoherent(weights)
    #expect(deviation(total, from: try Fixture.variable(probe + "_Sq", of: file)) < 1e-12)
  }

  /// dynasor's own weights, whose incoherent part is not the table's.
  private static func dynasorNeutron() throws -> ScatteringWeights {
    let file = "A_dynasor_spherical.nc"
    return ScatteringWeights(
      species: try ["H", "Si"].map {
        let b = try Fixture.attribute("b_inc_" + $0, of: file)
        return .init(
          name: $0,
          coherent: .constant(
            real: try Fixture.attribute("b_coh_" + $0, of: file), imaginary: 0),
          incoherent: b * b)
      }, unit: "fm^2", description: "")
  }

  @Test(
    "shells by Gaussian, Lorentzian and bins are dynasor's",
    .enabled(if: Reference.isAvailable, "needs the reference folder"))
  func shells() throws {
    let (points, file) = ("A_dynasor_dynamic.nc", "A_dynasor_spherical.nc")
    let norms = try Fixture.vectors("q_points", of: points).map { ($0 * $0).sum().squareRoot() }
    let shells = try Fixture.variable("q_norms", of: file)
    let gauss = try ShellAverage(norms: norms, shells: shells, kernel: .gaussian(width: 0.25))
    let bins = try ShellAverage(norms: norms, kernel: .bins(count: 10))
    #expect(deviation(bins.shells, from: try Fixture.variable("bin_q_norms", of: file)) < 1e-14)
    for name in ["Sqw_coh", "Fqt_coh", "Sqw_incoh", "Sqw_coh_H_Si", "Clqw"] {
      let values = try Fixture.variable(name, of: points)
      #expect(
        deviation(
          gauss.average(values, columns: 101), from: try Fixture.variable("gauss_" + name, of: file)
        )
          < 1e-13)
      let binned = bins.average(values, columns: 101)
      let reference = try Fixture.variable("bin_" + name, of: file)
      #expect(zip(binned, reference).allSatisfy { $0.isNaN == $1.isNaN })
      #expect(
        deviation(binned.map { $0.isNaN ? 0 : $0 }, from: reference.map { $0.isNaN ? 0 : $0 })
          < 1e-13)
    }
    let values = try Fixture.variable("Sqw_coh", of: points)
    let lorentz = try ShellAverage(norms: norms, shells: shells, kernel: .lorentzian(width: 0.25))
    #expect(
      deviation(
        lorentz.average(values, columns: 101),
        from: try Fixture.variable("lorentz_Sqw_coh", of: file)) < 1e-13)
    let sum = try ShellAverage(
      norms: norms, shells: shells, kernel: .gaussian(width: 0.25), normalization: .sum)
    #expect(
      deviation(
        sum.average(values, columns: 101),
        from: try Fixture.variable("gausssum_Sqw_coh", of: file)) < 1e-13)

    // In parts, as a long list is computed.
    var parts = [Double](repeating: 0, count: shells.count * 101)
    gauss.accumulate(
      Array(values[..<(7 * 101)]), points: 0..<7, columns: 101, into: &parts)
    gauss.accumulate(
      Array(values[(7 * 101)...]), points: 7..<37, columns: 101, into: &parts)
    #expect(deviation(parts, from: gauss.average(values, columns: 101)) < 1e-15)
  }

  @Test("a Gaussian shell far from every point takes the nearest points")
  func farShell() throws {
    let average = try ShellAverage(
      norms: [1, 1.5], shells: [40], kernel: .gaussian(width: 0.01))
    #expect(average.average([3, 7], columns: 1) == [7])
    #expect(throws: InputError.self) {
      try ShellAverage(norms: [], shells: [1], kernel: .bins(count: 3))
    }
    #expect(throws: InputError.self) {
      try ShellAverage(norms: [1], shells: [1], kernel: .gaussian(width: 0))
    }
    #expect(throws: InputError.self) { try ShellAverage(norms: [1, 1], kernel: .bins(count: 3)) }
  }

  @Test(
    "neutron-weighted functions of shells are dynasor's",
    .enabled(if: Reference.isAvailable, "needs the reference folder"))
  func weightedShells() throws {
    let (points, file) = ("A_dynasor_dynamic.nc", "A_dynasor_spherical.nc")
    let norms = try Fixture.vectors("q_points", of: points).map { ($0 * $0).sum().squareRoot() }
    var functions = PartialFunctions(norms: norms, columns: 101, coherent: [:])
    for (pair, name) in Self.pairs {
      functions.coherent[pair] = try Fixture.variable("Sqw_coh_" + name, of: points)
    }
    for (i, name) in ["H", "Si"].enumerated() {
      functions.incoherent[i] = try Fixture.variable("Sqw_incoh_" + name, of: points)
    }
    let shells = functions.averaged(
      try ShellAverage(
        norms: norms, shells: try Fixture.variable("q_norms", of: file),
        kernel: .gaussian(width: 0.25)))
    let weights = try Self.dynasorNeutron()
    let coherent = shells.weightedCoherent(weights)
    let incoherent = shells.weightedIncoherent(weights)
    #expect(
      deviation(coherent, from: try Fixture.variable("neutron_gauss_Sqw_coh", of: file)) < 1e-9)
    #expect(
      deviation(incoherent, from: try Fixture.variable("neutron_gauss_Sqw_incoh", of: file)) < 1e-9)
    #expect(
      deviation(
        zip(coherent, incoherent).map { $0 + $1 },
        from: try Fixture.variable("neutron_gauss_total", of: file)) < 1e-9)
    // The same as a density in energy.
    let map = shells.map(weights, omega: try Fixture.variable("omega", of: file))
    let total = try Fixture.variable("neutron_gauss_total", of: file)
    #expect(
      deviation(map.values, from: total.map { $0 / (2 * Double.pi * 658.2119569509) }) < 1e-9)
    #expect(map.history == ["mean over shells, Gaussian of σ = 0.25 1/Å", ""])
    #expect(map.unit == "fm^2/meV")
  }
}
