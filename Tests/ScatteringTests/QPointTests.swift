import Matter
import Scattering
import TestSupport
import Testing

@Suite("q-points") struct QPointTests {
  @Test("random numbers are those of numpy's RandomState(42)")
  func numpy() {
    var random = MersenneTwister(seed: 42)
    #expect(random.uniform() == 0.3745401188473625)
    #expect(random.uniform() == 0.9507143064099162)
    for _ in 0..<997 { _ = random.uniform() }
    #expect(random.uniform() == 0.44600577295795574)
  }

  @Test(
    "all points of a sphere are dynasor's, in its order",
    .enabled(if: Reference.isAvailable, "needs the reference folder"))
  func sphere() throws {
    let lattice = ReciprocalLattice(try Fixture.storedCellA)
    let points = try QSphere(maximum: 5).points(lattice: lattice).filter { $0.norm > 0 }
    let reference = try Fixture.vectors("q_points", of: "A_dynasor_static.nc")
    #expect(points.count == reference.count)
    for (p, q) in zip(points, reference) { #expect(distance(p.vector, q) < 1e-12) }
  }

  @Test(
    "a pruned sample is dynasor's for the same seed",
    .enabled(if: Reference.isAvailable, "needs the reference folder"))
  func pruned() throws {
    let lattice = ReciprocalLattice(try Fixture.storedCellA)
    let points = try QSphere(maximum: 6).sample(36, seed: 42, lattice: lattice)
    let reference = try Fixture.vectors("q_points", of: "A_dynasor_dynamic.nc")
    let sorted = points.enumerated().sorted {
      $0.element.norm != $1.element.norm
        ? $0.element.norm < $1.element.norm : $0.offset < $1.offset
    }.map(\.element)
    // The file's list begins with q = 0, put there where the sample has none.
    let offset = sorted.first?.norm == 0 ? 0 : 1
    #expect(sorted.count + offset == reference.count)
    for q in reference.dropFirst() {
      #expect(points.contains { distance($0.vector, q) < 1e-12 })
    }
    #expect(try QSphere(maximum: 6).sample(36, seed: 43, lattice: lattice) != points)
  }

  @Test(
    "a triclinic sphere and its integers are dynasor's",
    .enabled(if: Reference.isAvailable, "needs the reference folder"))
  func triclinic() throws {
    let rows = try Fixture.vectors("cell", of: "B_dynasor_dynamic.nc")
    let lattice = ReciprocalLattice(try Cell(a: rows[0], b: rows[1], c: rows[2]))
    let points = try QSphere(maximum: 2.2).points(lattice: lattice)
    let reference = try Fixture.vectors("q_points", of: "B_dynasor_dynamic.nc")
    let hkl = try Fixture.vectors("hkl", of: "B_dynasor_dynamic.nc")
    for (q, n) in zip(reference, hkl) {
      let found = points.first { distance($0.vector, q) < 1e-10 }
      #expect(found?.hkl == SIMD3<Int>(n))
    }
    let list = try QPointList.cartesian(reference, lattice: lattice)
    #expect(list.map { SIMD3<Double>($0.hkl) } == hkl)
  }

  @Test("the sample's density is uniform in |q| beyond the pruning radius, its size as asked")
  func density() throws {
    let lattice = ReciprocalLattice(try Cell(orthogonal: [21, 22, 23]))
    let sphere = try QSphere(minimum: 1, maximum: 12)
    let sample = sphere.sample(3000, seed: 1, lattice: lattice)
    // Poisson: √3000 = 55.
    #expect(abs(sample.count - 3000) < 220)
    let (inner, outer) = (
      sample.count { $0.norm >= 6 && $0.norm < 9 }, sample.count { $0.norm >= 9 }
    )
    #expect(abs(Double(inner - outer)) < 4 * Double(inner + outer).squareRoot())
    #expect(
      abs(
        sphere.expectedCount(lattice: lattice) / Double(sphere.points(lattice: lattice).count) - 1)
        < 0.01)
  }

  @Test("the nearest point is the nearest of all, in a very oblique cell too")
  func nearest() throws {
    let lattice = ReciprocalLattice(try Cell(a: [5, 0, 0], b: [14, 6, 0], c: [-9, 11, 7]))
    for i in 0..<40 {
      let t = Double(i)
      let q = SIMD3(1.7 * (t * 0.37).truncatingRemainder(dividingBy: 1), 2.1 - 0.1 * t, 0.05 * t)
      let found = lattice.nearest(to: q)
      var best = Double.infinity
      for h in -30...30 {
        for k in -30...30 {
          for l in -12...12 {
            best = min(best, distance(lattice.point([h, k, l]).vector, q))
          }
        }
      }
      #expect(abs(distance(found.vector, q) - best) < 1e-12)
    }
  }

  @Test("incommensurate points are refused together, each with the nearest, or snapped")
  func incommensurate() throws {
    let lattice = ReciprocalLattice(try Cell(orthogonal: [10, 10, 10]))
    let unit = 2 * Double.pi / 10
    let wanted: [SIMD3<Double>] = [[unit, 0, 0], [1.4 * unit, 0, 0], [0, 0, .nan]]
    let error = #expect(throws: InputErrors.self) {
      try QPointList.cartesian(wanted, lattice: lattice)
    }
    #expect(
      error?.description == """
        q-point 2, (0.879646, 0, 0) 1/Å, is not commensurate with the cell: it is (1.4, 0, 0) of \
        the reciprocal vectors, and these must be integers. The nearest point is \
        (0.628319, 0, 0); `snap: true` takes such points
        q-point 3, (0, 0, nan), is not a vector in 1/Å. Give three finite numbers
        """)
    let snapped = try QPointList.cartesian(
      Array(wanted.prefix(2)), lattice: lattice, incommensurate: .snap)
    #expect(snapped.map(\.hkl) == [[1, 0, 0], [1, 0, 0]])
  }

  @Test("q and −q, and a point listed twice, are computed once")
  func distinct() throws {
    let lattice = ReciprocalLattice(try Cell(orthogonal: [10, 11, 12]))
    let all = try QSphere(maximum: 3).points(lattice: lattice)
    let distinct = DistinctQPoints(all + all)
    #expect(distinct.points.count == (all.count + 1) / 2)
    for (point, index) in zip(all + all, distinct.index) {
      let n = distinct.points[index].hkl
      #expect(n == point.hkl || n == 0 &- point.hkl)
    }
  }

  @Test("fractions are exact")
  func rationals() {
    #expect(Rational(nearest: 0.333333)?.description == "1/3")
    #expect(Rational(nearest: 0.375)?.description == "3/8")
    #expect(Rational(nearest: -2)?.description == "-2")
    #expect(Rational(nearest: 0.1237) == nil)
    #expect(Rational(text: " 5/8")?.description == "5/8")
    #expect(Rational(text: "1/0") == nil && Rational(text: "x") == nil)
    #expect(Rational(1, 3) + Rational(1, 6) == Rational(1, 2))
    #expect(Rational(-1, 2) < Rational(1, 3) && Rational(2, -4) == Rational(-1, 2))
  }

  private static var silicon: (primitive: Cell, relation: SupercellRelation, ReciprocalLattice) {
    get throws {
      let a = 5.43
      let primitive = try Cell(a: [0, a / 2, a / 2], b: [a / 2, 0, a / 2], c: [a / 2, a / 2, 0])
      let super6 = try Cell(orthogonal: SIMD3(repeating: 6 * 5.462))
      return (
        primitive, try SupercellRelation(of: super6, in: primitive, cells: 864),
        ReciprocalLattice(super6)
      )
    }
  }

  private static func end(_ label: String, _ cell: Cell) throws -> QPath.End {
    QPath.End(label: label, coordinates: try #require(ZonePoints.named(of: cell)[label]))
  }

  @Test("a path through silicon's zone takes every commensurate point, in 52 zones")
  func path() throws {
    let (primitive, relation, lattice) = try Self.silicon
    #expect(abs(relation.strain - (5.462 / 5.43 - 1)) < 1e-12)
    let g = try Self.end("G", primitive)
    let x = try Self.end("X", primitive)
    let u = try Self.end("U", primitive)
    let zones = Array(QPath.zones(of: primitive, maximum: 8).prefix(52))
    #expect(zones.count == 52 && zones[0] == .zero)
    let path = try QPath(
      segments: [(g, x), (x, u)], zones: zones, relation: relation, lattice: lattice)
    // Γ–X is one conventional reciprocal vector, 6 steps of the 6-fold cell; X–U ends at a quarter
    // of (1, 1/4, 1/4): steps (6, n, n), n up to 1.5.
    let first = path.samples.prefix { $0.zone == 0 }
    #expect(first.count == 7 + 2)
    #expect(path.samples.count == 52 * 9)
    #expect(
      first.map(\.fraction.description).prefix(7) == ["0", "1/6", "1/3", "1/2", "2/3", "5/6", "1"])
    let unit = 2 * Double.pi / 5.462
    #expect(abs((first.last?.distance ?? 0) - unit * (1 + 2.0.squareRoot() / 6)) < 1e-12)
    #expect(path.ticks.map(\.label) == ["G", "X", "U"])
    // Every zone is the first one moved by a reciprocal vector of the primitive cell.
    for (i, sample) in path.samples.enumerated() {
      let shift = sample.point.hkl &- path.samples[i % 9].point.hkl
      let f = relation.coordinates(shift)
      #expect((0..<3).allSatisfy { abs(f[$0] - f[$0].rounded()) < 1e-12 })
    }
  }

  @Test(
    "a path is dynasor's", .enabled(if: Reference.isAvailable, "needs the reference folder"))
  func dynasorPath() throws {
    let supercell = try Fixture.cellA
    let half = try Cell(orthogonal: [4.2, 4.5, 4.8])
    let relation = try SupercellRelation(of: supercell, in: half)
    func end(_ label: String, _ f: [Rational]) -> QPath.End { .init(label: label, coordinates: f) }
    let zero = Rational(0)
    let g = end("G", [zero, zero, zero])
    let path = try QPath(
      segments: [
        (g, end("X", [Rational(1, 2), zero, zero])),
        (g, end("M", [Rational(1, 2), Rational(1, 2), zero])),
      ], relation: relation, lattice: ReciprocalLattice(supercell))
    let reference = try Fixture.vectors("q_points", of: "A_dynasor_sed.nc")
    #expect(path.samples.count == reference.count)
    for (s, q) in zip(path.samples, reference) { #expect(distance(s.point.vector, q) < 1e-12) }
    #expect(path.ticks.map(\.label) == ["G", "X|G", "M"])
  }

  @Test("a segment that the supercell cannot hold is an error that names it")
  func emptySegment() throws {
    let (_, relation, lattice) = try Self.silicon
    let f = [Rational(1, 7), Rational(0), Rational(0)]
    let error = #expect(throws: InputErrors.self) {
      try QPath(
        segments: [(.init(label: "P", coordinates: f), .init(label: "Q", coordinates: f))],
        relation: relation, lattice: lattice)
    }
    #expect(error?.description.contains("P–Q") == true)
  }

  @Test("relations of cells: strain is measured, turned and foreign cells refused")
  func relations() throws {
    let (primitive, relation, lattice) = try Self.silicon
    #expect(relation.commensuratePoints(lattice: lattice).count == 864)
    #expect(relation.matrix == [[-6, 6, 6], [6, -6, 6], [6, 6, -6]])
    let turned = try Cell(a: [20, 20, 0], b: [-20, 20, 0], c: [0, 0, 32.772])
    #expect(throws: InputError.self) { try SupercellRelation(of: turned, in: primitive) }
    let big = try Cell(orthogonal: SIMD3(repeating: 6 * 5.43 * 1.2))
    #expect(throws: InputError.self) { try SupercellRelation(of: big, in: primitive, cells: 864) }
    let hkl = try QPointList.coordinates(
      [[0.5, 0, 0.5], [1, 1, 1]], of: relation, lattice: lattice)
    #expect(hkl.map(\.hkl) == [[0, 6, 0], [6, 6, 6]])
    #expect(throws: InputErrors.self) {
      try QPointList.coordinates([[0.2, 0, 0]], of: relation, lattice: lattice)
    }
  }
}

private func distance(_ a: SIMD3<Double>, _ b: SIMD3<Double>) -> Double {
  let d = a - b
  return (d * d).sum().squareRoot()
}
