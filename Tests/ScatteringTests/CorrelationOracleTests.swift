import Foundation
import Matter
import Parallel
import Scattering
import TestSupport
import Testing

@Suite("Correlation functions that are known")
struct CorrelationOracleTests {
  /// A wave u_n = A cos(κna − ωt) on a chain. By the Jacobi–Anger expansion the density at
  /// q = G − mκ is N i^m J_m(qA) e^{−imωt} exactly.
  @Test("A wave on a chain: m-phonon lines at mω with intensity N J_m(qA)²", arguments: [1, 2, 3])
  func wave(_ order: Int) throws {
    let (atoms, spacing, amplitude, waves) = (24, 2.0, 0.15, 2)
    let (dt, omega) = (4.0, 2 * Double.pi / 96)
    let kappa = 2 * Double.pi * Double(waves) / (Double(atoms) * spacing)
    let cell = try Cell(orthogonal: [Double(atoms) * spacing, 7, 7])
    func phase(_ n: Int, _ t: Int) -> Double {
      kappa * Double(n) * spacing - omega * dt * Double(t)
    }
    let frames = Frames(
      labels: Array(repeating: "Ar", count: atoms), cells: Array(repeating: cell, count: 240),
      positions: (0..<240).map { t in
        (0..<atoms).map { n in [Double(n) * spacing + amplitude * cos(phase(n, t)), 1, 2] }
      },
      velocities: (0..<240).map { t in
        (0..<atoms).map { n in
          [amplitude * omega * sin(phase(n, t)) / Units.angstromPerFemtosecond, 0, 0]
        }
      })
    // G is 2 · 2π/a.
    let h = Int32(2 * atoms - order * waves)
    let q = 2 * Double.pi * Double(h) / cell.a.x
    // Two periods of the wave fit into 2W+1 frames only nearly; F(q,t) is exact.
    let result = try frames.result(
      CorrelationPlan(
        points: .lattice([[h, 0, 0], [-h, 0, 0]]), kinds: [.coherent, .currents], timestep: dt,
        maximumLag: 100, blocks: 3))
    let intensity = Double(atoms) * pow(jn(Int32(order), q * amplitude), 2)
    let expected = (0...100).map { intensity * cos(Double(order) * omega * dt * Double($0)) }
    let f = try #require(result.function(.coherent))
    let l = try #require(result.function(.longitudinal))
    let t = try #require(result.function(.transverse))
    #expect(deviation(f.values, from: expected + expected) < 1e-11)
    // Continuity: q²C^L = −d²F/dt².
    let ratio = pow(Double(order) * omega / q, 2)
    #expect(deviation(l.values, from: (expected + expected).map { $0 * ratio }) < 1e-10)
    #expect(t.values.map(abs).max() ?? 1 < 1e-12 * intensity * ratio)
    // Nothing scatters: blocks agree.
    #expect(f.valueErrors.max() ?? 1 < 1e-11 * intensity)
    let peak = try #require((0...100).max { f.spectrum[$0] < f.spectrum[$1] })
    #expect(
      abs(result.frequencies[peak] - Double(order) * omega) <= result.frequencies[1] / 2)
  }

  @Test("The spectrum adds up to F(q, 0), whatever the window in time")
  func zerothMoment() throws {
    let cell = try Cell(orthogonal: [8, 9, 10])
    let frames = randomWalk(atoms: 12, frames: 80, width: 0.2, seed: 5, cell: cell)
    for taper in [Taper.none, .hann, .gaussian(sigma: 20)] {
      let result = try frames.result(
        CorrelationPlan(
          points: .lattice([[1, 2, 3], [4, 0, -1]]), timestep: 2, maximumLag: 30, blocks: 2,
          taper: taper))
      let step = result.frequencies[1]
      for function in result.functions {
        for p in 0..<2 {
          let s = function.spectrum[31 * p..<31 * (p + 1)]
          let moment = (2 * s.reduce(0, +) - function.spectrum[31 * p]) * step / (2 * Double.pi)
          #expect(abs(moment - function.values[31 * p]) < 1e-13)
        }
      }
    }
  }

  @Test("Brownian atoms: F_s = exp(−q²σ²l/2) within 5 standard errors of ten blocks")
  func brownian() throws {
    let cell = try Cell(orthogonal: [20, 21, 22])
    let width = 0.25
    let frames = randomWalk(atoms: 200, frames: 600, width: width, seed: 11, cell: cell)
    let points: [SIMD3<Int32>] = [[1, 0, 0], [3, 1, 0], [2, 4, 3], [5, 5, 5]]
    let result = try frames.result(
      CorrelationPlan(
        points: .lattice(points), kinds: .incoherent, timestep: 1, maximumLag: 20, blocks: 10))
    let f = try #require(result.function(.incoherent, ["Ar"]))
    for p in points.indices {
      for lag in 1...20 {
        let expected = exp(-0.5 * pow(result.norms[p] * width, 2) * Double(lag))
        let i = 21 * p + lag
        #expect(abs(f.values[i] - expected) < 5 * f.valueErrors[i])
        #expect(f.valueErrors[i] < 0.02)
      }
    }
  }

  @Test("An ideal gas: S = 1, and errors of blocks that tell the true scatter")
  func idealGas() throws {
    let cell = try Cell(orthogonal: [12, 13, 14])
    // Steps longer than the cell: frames are independent.
    let frames = randomWalk(
      atoms: 40, frames: 400, width: 30, seed: 3, cell: cell,
      labels: (0..<40).map { $0 < 30 ? "Ar" : "Kr" })
    let points = box([2, 2, 2]).filter { ($0.x, $0.y, $0.z) > (0, 0, 0) }
    let result = try frames.result(
      CorrelationPlan(
        points: .lattice(points), kinds: .coherent, timestep: 1, maximumLag: 3, blocks: 20))
    let s = try #require(result.statics())
    let cross = try #require(result.statics(["Ar", "Kr"]))
    // |ρ|²/N has mean 1 and variance 1 (1 − 1/N), the cross term 2c(1 − c).
    let deviations = zip(s.values, s.errors).map { ($0 - 1) / $1 }
    let scatter = deviations.map { $0 * $0 }.reduce(0, +) / Double(points.count)
    #expect(abs(scatter - 1) < 4 * (2 / Double(points.count)).squareRoot() + 0.15)
    let meanSquare = s.errors.map { $0 * $0 }.reduce(0, +) / Double(points.count)
    #expect(abs(meanSquare * 400 - 1) < 0.15)
    let variance = 2 * 0.75 * 0.25
    let crossSquare = cross.errors.map { $0 * $0 }.reduce(0, +) / Double(points.count)
    #expect(abs(crossSquare * 400 / variance - 1) < 0.15)
    let crossMean = cross.values.reduce(0, +) / Double(points.count)
    let crossError = (variance / 400 / Double(points.count)).squareRoot()
    #expect(abs(crossMean) < 4 * crossError)
  }

  /// The definitions as they stand on paper.
  @Test("Direct sums over origins, blocks and atoms", arguments: [1, 2, 3], [1, 4])
  func definition(_ originStride: Int, _ blocks: Int) throws {
    let cell = try Cell(lengths: [9, 10, 11], angles: [80, 95, 105])
    let labels: [String?] = (0..<23).map { $0 % 7 == 6 ? nil : $0 % 3 == 0 ? "O" : "H" }
    let frames = randomWalk(
      atoms: 23, frames: 57, width: 0.4, seed: 17, cell: cell, labels: labels)
    let points: [SIMD3<Int32>] = [[0, 0, 0], [1, -2, 3], [-4, 0, 2], [0, 0, -5]]
    let plan = CorrelationPlan(
      points: .lattice(points), kinds: [.coherent, .incoherent, .currents], timestep: 2.5,
      maximumLag: 70, originStride: originStride, blocks: blocks)
    let result = try frames.result(plan)
    let b = cell.reciprocal
    #expect(result.times.count == 57)
    for (p, point) in points.enumerated() {
      let q = b.x * Double(point.x) + b.y * Double(point.y) + b.z * Double(point.z)
      let unit = dot(q, q) > 0 ? q / dot(q, q).squareRoot() : .zero
      func sum(_ species: String, _ t: Int, _ weight: (SIMD3<Double>) -> Double) -> SIMD2<Double> {
        var total = SIMD2<Double>.zero
        for i in 0..<23 where labels[i] == species {
          let angle = dot(q, frames.positions[t][i])
          let v = frames.velocities[t][i] * Units.angstromPerFemtosecond
          total += SIMD2(cos(angle), sin(angle)) * weight(v)
        }
        return total
      }
      func correlation(_ a: String, _ c: String, _ weight: (SIMD3<Double>) -> Double) -> [Double] {
        let x = (0..<57).map { sum(a, $0, weight) }
        let y = (0..<57).map { sum(c, $0, weight) }
        return (0..<57).map { lag in
          var (total, count) = (0.0, 0.0)
          for t in stride(from: 0, to: 57 - lag, by: originStride) {
            total += (x[t] * y[t + lag]).sum() + (a == c ? 0 : (y[t] * x[t + lag]).sum())
            count += 1
          }
          return total / count / 23
        }
      }
      func row(_ kind: CorrelationFunction.Kind, _ species: [String]) throws -> [Double] {
        let f = try #require(result.function(kind, species))
        return Array(f.values[57 * p..<57 * (p + 1)])
      }
      for (a, c) in [("H", "H"), ("H", "O"), ("O", "O")] {
        #expect(deviation(try row(.coherent, [a, c]), from: correlation(a, c) { _ in 1 }) < 1e-11)
        if point != .zero {
          #expect(
            deviation(
              try row(.longitudinal, [a, c]), from: correlation(a, c) { dot($0, unit) }) < 1e-11)
        }
        let parts = (0..<3).map { d in correlation(a, c) { ($0 - unit * dot($0, unit))[d] } }
        let transverse = (0..<57).map { (parts[0][$0] + parts[1][$0] + parts[2][$0]) / 2 }
        #expect(deviation(try row(.transverse, [a, c]), from: transverse) < 1e-11)
      }
      for a in ["H", "O"] {
        let own = (0..<57).map { lag -> Double in
          var (total, count) = (0.0, 0.0)
          for t in stride(from: 0, to: 57 - lag, by: originStride) {
            for i in 0..<23 where labels[i] == a {
              total += cos(dot(q, frames.positions[t + lag][i] - frames.positions[t][i]))
            }
            count += 1
          }
          return total / count / 23
        }
        #expect(deviation(try row(.incoherent, [a]), from: own) < 1e-11)
      }
    }
  }

  @Test("Incoherent functions of few origins among many frames", arguments: [4, 10, 24], [1, 3])
  func fewOrigins(_ originStride: Int, _ blocks: Int) throws {
    let cell = try Cell(orthogonal: [9, 10, 11])
    let frames = randomWalk(atoms: 3, frames: 413, width: 0.2, seed: 3, cell: cell)
    let result = try frames.result(
      CorrelationPlan(
        points: .lattice([[1, -2, 3]]), kinds: .incoherent, timestep: 1, maximumLag: 250,
        originStride: originStride, blocks: blocks))
    let b = cell.reciprocal
    let q = b.x - b.y * 2 + b.z * 3
    let expected = (0...250).map { lag -> Double in
      var (total, count) = (0.0, 0.0)
      for t in stride(from: 0, to: 413 - lag, by: originStride) {
        for i in 0..<3 {
          total += cos(dot(q, frames.positions[t + lag][i] - frames.positions[t][i]))
        }
        count += 1
      }
      return total / count / 3
    }
    let f = try #require(result.function(.incoherent, ["Ar"]))
    #expect(deviation(f.values, from: expected) < 1e-12)
  }
}
