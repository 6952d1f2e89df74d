import Analysis
import Foundation
import Matter
import Parallel
import TestSupport
import Testing

@Suite("Mean square displacement")
struct MeanSquareDisplacementTests {
  private static func run(
    _ frames: Frames, spacing: Double = 0.004, threads: Int = 2,
    _ change: (inout MeanSquareDisplacement.Plan) -> Void = { _ in }
  ) throws -> MeanSquareDisplacement.Result {
    var plan = MeanSquareDisplacement.Plan(
      groups: AtomGroup.byElement(frames.elements), masses: frames.masses, frameSpacing: spacing)
    change(&plan)
    let msd = MeanSquareDisplacement(plan)
    for f in 0..<frames.count {
      try msd.accumulate(
        cell: frames.cells.isEmpty ? nil : frames.cells[f], positions: Vectors(frames.positions[f]))
    }
    return try msd.result(team: ThreadTeam(count: threads))
  }

  /// A random walk or, with a spring, a bounded one.
  private static func walk(
    _ atoms: Int, _ steps: Int, seed: UInt64, spring: Double = 0, elements: [String] = ["Ar"]
  ) -> Frames {
    var random = TestRandom(seed)
    var r = (0..<atoms).map { _ in random.vector() * 5 }
    let home = r
    var frames = Frames(
      elements: (0..<atoms).map { Element(symbol: elements[$0 % elements.count])! }, cells: [],
      positions: [])
    for _ in 0..<steps {
      frames.positions.append(r)
      for i in r.indices {
        r[i] += random.normalVector() * 0.1 - (r[i] - home[i]) * spring
      }
    }
    return frames
  }

  /// ⟨|r(t+l) − r(t)|²⟩ as it is defined.
  private static func naive(_ frames: Frames, _ atoms: [Int], lag: Int, axis: Int? = nil) -> Double
  {
    var sum = 0.0
    for t in 0..<frames.count - lag {
      for i in atoms {
        let d = frames.positions[t + lag][i] - frames.positions[t][i]
        if let axis { sum += d[axis] * d[axis] } else { sum += dot(d, d) }
      }
    }
    return sum / Double((frames.count - lag) * atoms.count)
  }

  @Test(
    "MDAnalysis' all-origin displacements to 1e-7 at every lag, total and along z",
    .enabled(if: Reference.isAvailable, "needs shared/reference"))
  func mdanalysis() throws {
    let frames = try Frames.reference("A")
    let result = try Self.run(frames) { $0.maximumLag = 399 * 0.004 }
    #expect(result.lags.count == 400)
    for curve in result.groups {
      let total = try Frames.structureReference("mda_msd_\(curve.name)_xyz")
      let z = try Frames.structureReference("mda_msd_\(curve.name)_z")
      #expect(curve.total[0] == 0)
      #expect(worstRelative(Array(curve.total[1...]), Array(total[1...])) < 1e-7)
      #expect(worstRelative(Array(curve.axes[2][1...]), Array(z[1...])) < 1e-7)
    }
    let brownian = try Frames.reference("B")
    struct Fixture: Decodable { var msd_A2: [String: [Double]] }
    let path = try #require(Reference.folder).appendingPathComponent("scattering/B_msd.json")
    let fixture = try JSONDecoder().decode(Fixture.self, from: Data(contentsOf: path))
    let other = try Self.run(brownian, spacing: 0.005) { $0.maximumLag = 149 * 0.005 }
    for curve in other.groups {
      let expected = try #require(fixture.msd_A2[curve.name])
      #expect(worstRelative(Array(curve.total[1...]), Array(expected[1...])) < 1e-7)
    }
  }

  @Test("The definition, for any length and number of atoms", arguments: [2, 3, 7, 64, 301])
  func definition(_ count: Int) throws {
    let frames = Self.walk(5, count, seed: UInt64(count), elements: ["H", "C"])
    let result = try Self.run(frames) { $0.maximumLag = 1e9 }
    #expect(result.lags.count == count)
    for (curve, atoms) in zip(result.groups, [[1, 3], [0, 2, 4]]) {
      for lag in 1..<count {
        let exact = Self.naive(frames, atoms, lag: lag)
        #expect(abs(curve.total[lag] - exact) < 1e-6 * exact)
        let x = Self.naive(frames, atoms, lag: lag, axis: 0)
        #expect(abs(curve.axes[0][lag] - x) < 1e-6 * x)
      }
    }
  }

  @Test("Bits do not depend on threads or on the temporary file")
  func sameBits() throws {
    let frames = Self.walk(40, 1500, seed: 3)
    let result = try Self.run(frames, threads: 1)
    for threads in [2, 3] {
      let other = try Self.run(frames, threads: threads) { $0.memoryLimit = 0 }
      #expect(other.groups[0].total == result.groups[0].total)
      #expect(other.groups[0].totalError == result.groups[0].totalError)
      #expect(other.groups[0].displacementTensor == result.groups[0].displacementTensor)
      #expect(other.groups[0].diffusion == result.groups[0].diffusion)
    }
  }

  @Test("Far from the origin nothing is lost: 1e-6 of a vibration 10000 Å away")
  func farAway() throws {
    var frames = Self.walk(4, 400, seed: 8, spring: 0.3)
    let near = try Self.run(frames)
    for f in frames.positions.indices { for i in 0..<4 { frames.positions[f][i] += 10000 } }
    let far = try Self.run(frames)
    let (a, b) = (far.groups[0].total, near.groups[0].total)
    #expect(worstRelative(Array(a[1...]), Array(b[1...])) < 1e-6)
  }

  @Test("A random walk: its diffusion coefficient, and errors that scatter as they say")
  func brownian() throws {
    // ⟨|Δr|²⟩ = 3·0.01 l a step, so D = 0.005 Å² a step.
    var squares = 0.0
    var totals = 0.0
    let runs = 30
    for seed in 0..<runs {
      let frames = Self.walk(30, 1000, seed: 100 + UInt64(seed))
      let curve = try Self.run(frames, spacing: 1).groups[0]
      let z = (curve.diffusion - 0.005) / curve.diffusionError
      squares += z * z
      totals += pow((curve.total[50] - 1.5) / curve.totalError[50], 2)
      #expect(abs(curve.exponent - 1) < 5 * curve.exponentError)
      #expect(curve.plateau == .diffusive)
      #expect(abs(curve.diffusion - curve.axisDiffusion.sum() / 3) < 1e-12)
    }
    // Student's t of 4 degrees of freedom has a mean square of 2, the larger of two errors less.
    #expect((0.4...2.5).contains(squares / Double(runs)))
    #expect((0.4...2.5).contains(totals / Double(runs)))
  }

  @Test("What grows like diffusion is called so once it is far against the spacing of the atoms")
  func spacing() throws {
    // Lags reach 100 frames: ⟨|Δr|²⟩ = 3, so 1.7 Å.
    for (edge, verdict) in [(9.0, MeanSquareDisplacement.Plateau.diffusive), (13.0, .growing)] {
      var frames = Self.walk(30, 1000, seed: 100)
      frames.cells = Array(repeating: try Cell(orthogonal: SIMD3(repeating: edge)), count: 1000)
      let curve = try Self.run(frames, spacing: 1).groups[0]
      #expect(curve.plateau == verdict)
    }
  }

  @Test("Bounded motion: plateau at twice the mean square amplitude, tensors of the definition")
  func bounded() throws {
    var frames = Self.walk(50, 4000, seed: 5, spring: 0.1)
    // Along z the amplitude is doubled, and y follows x.
    let home = frames.positions[0]
    for f in frames.positions.indices {
      for i in home.indices {
        let d = frames.positions[f][i] - home[i]
        frames.positions[f][i] = home[i] + SIMD3(d.x, d.y + 0.5 * d.x, 2 * d.z)
      }
    }
    let curve = try Self.run(frames, spacing: 1).groups[0]
    #expect(curve.plateau == .bounded)
    // r' = 0.9 r + 0.1 n: variance 0.01/(1 − 0.81).
    let variance = 0.01 / 0.19
    let u = curve.displacementTensor
    let e = curve.displacementTensorError
    for (value, error, exact) in [
      (u.xx, e.xx, variance), (u.yy, e.yy, 1.25 * variance), (u.zz, e.zz, 4 * variance),
      (u.xy, e.xy, 0.5 * variance), (u.xz, e.xz, 0), (u.yz, e.yz, 0),
    ] {
      // The mean over 4000 steps takes a share 19/4000 of the variance.
      #expect(abs(value - exact) < 5 * error + 0.005 * exact)
      #expect(error < 0.03 * variance * 4)
    }
    #expect(abs(curve.total[1000] - 2 * curve.meanSquareAmplitude) < 5 * curve.totalError[1000])
    #expect(abs(curve.isotropicB - 8 * .pi * .pi / 3 * u.trace) < 1e-12)
    var naive = 0.0
    for i in home.indices {
      let mean = frames.positions.reduce(SIMD3<Double>.zero) { $0 + $1[i] } / 4000
      for f in frames.positions { naive += pow(f[i].x - mean.x, 2) / 4000 / 50 }
    }
    #expect(abs(u.xx - naive) < 1e-6 * naive)
  }

  @Test("In a breathing cell only motion relative to it counts, however far atoms are unwrapped")
  func breathing() throws {
    var random = TestRandom(9)
    let base = try Cell(a: [9, 0, 0], b: [2, 10, 0], c: [-1, 1, 11])
    let home = (0..<20).map { _ in (random.vector() - 0.5) * 6 }
    var frames = Frames(
      elements: Array(repeating: Element(symbol: "Ar")!, count: 20), cells: [], positions: [])
    var still = frames
    for f in 0..<300 {
      let strain = Matrix3(
        [1 + 0.02 * sin(0.3 * Double(f)), 0.01 * random.normal(), 0],
        [0, 1 + 0.01 * random.normal(), 0], [0.005 * random.normal(), 0, 1])
      let c = try Cell(a: strain * base.a, b: strain * base.b, c: strain * base.c)
      let u = home.map { _ in random.normalVector() * 0.05 }
      frames.cells.append(c)
      still.cells.append(c)
      frames.positions.append(zip(home, u).map { c.cartesian($0 + base.fractionalMatrix * $1) })
      still.positions.append(home.map { c.cartesian($0) })
    }
    let none = try Self.run(still).groups[0]
    #expect((none.total.max() ?? 1) < 1e-10)
    let breathing = try Self.run(still) { $0.scaling = .cartesian }.groups[0]
    #expect(breathing.total[10] > 0.01)
    // The same fractional motion in the constant mean cell.
    let n = 300.0
    let mean = frames.cells.reduce(Matrix3.zero) { $0 + $1.rows * (1 / n) }
    let meanCell = try Cell(rows: mean)
    var fixed = frames
    for f in fixed.positions.indices {
      let inverse = frames.cells[f].fractionalMatrix
      fixed.positions[f] = frames.positions[f].map { meanCell.cartesian(inverse * $0) }
      fixed.cells[f] = meanCell
    }
    let scaled = try Self.run(frames)
    let reference = try Self.run(fixed) { $0.removesDrift = true }
    #expect(
      worstRelative(
        Array(scaled.groups[0].total[1...]), Array(reference.groups[0].total[1...])) < 1e-6)
    #expect(
      scaled.scheme.contains("mean cell")
        && reference.scheme == "positions relative to the centre of mass")
  }

  @Test("A drift of the whole is taken out where asked for")
  func drift() throws {
    var frames = Self.walk(10, 200, seed: 4, spring: 0.2)
    let before = try Self.run(frames) { $0.removesDrift = true }.groups[0].total
    for f in frames.positions.indices {
      for i in 0..<10 { frames.positions[f][i] += [0.1 * Double(f), 0, -0.02 * Double(f)] }
    }
    let kept = try Self.run(frames).groups[0].total
    let removed = try Self.run(frames) { $0.removesDrift = true }.groups[0].total
    #expect(kept[50] > 20)
    #expect(worstRelative(Array(removed[1...]), Array(before[1...])) < 1e-5)
  }

  @Test("Centres of mass of rotating molecules move with the molecules only")
  func molecules() throws {
    var random = TestRandom(12)
    var centers = (0..<8).map { _ in random.vector() * 10 }
    var frames = Frames(elements: [], cells: [], positions: [])
    for _ in 0..<8 { frames.elements += [Element(symbol: "C")!, Element(symbol: "O")!] }
    var path: [[SIMD3<Double>]] = []
    for f in 0..<200 {
      path.append(centers)
      let angle = 0.7 * Double(f)
      let axis = SIMD3(cos(angle), sin(angle), 0.3)
      // Distances from the centre of mass are inverse to the masses.
      frames.positions.append(
        centers.flatMap { [$0 + axis * 15.999 / 28.01, $0 - axis * 12.011 / 28.01] })
      for i in centers.indices { centers[i] += random.normalVector() * 0.02 }
    }
    let result = try Self.run(frames) { $0.molecules = (0..<8).map { [2 * $0, 2 * $0 + 1] } }
    let curve = try #require(result.molecules)
    #expect(curve.particleCount == 8)
    let exact = Frames(elements: [], cells: [], positions: path)
    for lag in [1, 10, 50, 99] {
      let expected = Self.naive(exact, Array(0..<8), lag: lag)
      #expect(abs(curve.total[lag] - expected) < 1e-6 * expected)
      #expect(result.groups[0].total[lag] > curve.total[lag])
    }
  }

  @Test("A group of named atoms is the average over them")
  func groups() throws {
    let frames = Self.walk(6, 50, seed: 2)
    let result = try Self.run(frames) {
      $0.groups = [AtomGroup(name: "first", atoms: [0, 1]), AtomGroup(name: "none", atoms: [])]
    }
    let exact = Self.naive(frames, [0, 1], lag: 20)
    #expect(abs(result.groups[0].total[20] - exact) < 1e-6 * exact)
    #expect(result.groups[1].total[20].isNaN && result.groups[1].plateau == .notEnoughData)
  }

  @Test("No frames, one frame, atoms that stand still, numbers that are not")
  func littleData() throws {
    let empty = Frames(elements: [Element(symbol: "H")!], cells: [], positions: [])
    #expect(
      throws: ObservableError.notEnoughData("a displacement needs two frames, there are none")
    ) { try Self.run(empty) }
    var one = empty
    one.positions = [[.zero]]
    #expect(throws: ObservableError.self) { try Self.run(one) }
    var two = one
    two.positions.append([[1, 0, 0]])
    let result = try Self.run(two).groups[0]
    #expect(result.total[0] == 0 && abs(result.total[1] - 1) < 1e-14)
    #expect(result.plateau == .notEnoughData && result.diffusion.isNaN)
    var still = one
    still.positions = Array(repeating: [[3, 4, 5]], count: 100)
    let rest = try Self.run(still).groups[0]
    #expect(rest.total.allSatisfy { $0 == 0 } && rest.plateau == .bounded)
    #expect(rest.diffusion == 0)
    var bad = two
    bad.positions.append([[0, .nan, 0]])
    #expect(throws: ObservableError.notFinite(frame: 2, atom: 0, what: "position")) {
      try Self.run(bad)
    }
  }

  @Test("The correction of Yeh and Hummer for water: 0.34·10⁻⁹ m²/s in 20 Å at 298 K")
  func yehHummer() {
    // 2.837297·1.380649e-23·298/(6π·0.9e-3·20e-10) m²/s.
    let expected = 2.837297 * 1.380649e-23 * 298 / (6 * Double.pi * 0.9e-3 * 20e-10) * 1e8
    let value = MeanSquareDisplacement.yehHummerCorrection(
      temperature: 298, viscosity: 0.9, edge: 20)
    #expect(abs(value - expected) < 1e-8 * expected)
  }
}
