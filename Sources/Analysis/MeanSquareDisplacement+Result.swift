import Foundation
import Matter

extension MeanSquareDisplacement {
  /// Mean square displacements of all groups.
  public struct Result: Sendable {
    /// The lags, in ps, from 0.
    public var lags: [Double]
    /// A curve for each group of the plan, in its order.
    public var groups: [Curve]
    /// The curve of the molecules' centres of mass, where the plan names molecules.
    public var molecules: Curve?
    /// The number of frames.
    public var frameCount: Int
    /// How displacements were taken, in words.
    public var scheme: String
  }

  /// Whether a mean square displacement has reached a plateau.
  public enum Plateau: String, Sendable {
    /// It has: motion is bounded.
    case bounded = "bounded"
    /// It grows in proportion to the lag.
    case diffusive = "diffusive"
    /// It grows otherwise.
    case growing = "growing"
    /// The error is too large to tell.
    case notEnoughData = "not enough data"
  }

  /// The displacements of one group. Squares are in Å², errors are standard errors, and NaN stands
  /// for what the data cannot tell.
  public struct Curve: Sendable {
    /// The group's name.
    public var name: String
    /// The number of atoms or molecules.
    public var particleCount: Int
    /// ⟨|r(t+l) − r(t)|²⟩ by lag.
    public var total, totalError: [Double]
    /// The same along x, y and z: [axis][lag].
    public var axes, axisErrors: [[Double]]
    /// ⟨u u⟩ of the displacements u from each particle's mean position, averaged over particles. It
    /// has a meaning where motion is bounded; the plateau of `total` is twice its trace.
    public var displacementTensor: Tensor6
    /// Its standard errors, component by component.
    public var displacementTensorError: Tensor6
    /// The diffusion coefficient in Å²/ps (10⁻⁸ m²/s), a sixth of the slope of `total` within
    /// `fitRange`, and its standard error. For a liquid add `yehHummerCorrection`.
    public var diffusion, diffusionError: Double
    /// Diffusion coefficients along x, y and z, in Å²/ps, and standard errors.
    public var axisDiffusion, axisDiffusionError: SIMD3<Double>
    /// The lags of the fit, in ps: a fifth of the longest lag with time-block errors, to that lag.
    public var fitRange: ClosedRange<Double>?
    /// The exponent of growth, d ln MSD/d ln l, over the second half of the lags with time-block
    /// errors, and its standard error: 0 on a plateau, 1 for diffusion.
    public var exponent, exponentError: Double
    /// Whether there is a plateau.
    public var plateau: Plateau

    /// ⟨u²⟩, the trace of the displacement tensor, in Å².
    public var meanSquareAmplitude: Double { displacementTensor.trace }
    /// Its standard error, of the components as if they were independent.
    public var meanSquareAmplitudeError: Double {
      let e = displacementTensorError
      return (e.xx * e.xx + e.yy * e.yy + e.zz * e.zz).squareRoot()
    }
    /// The isotropic B factor 8π²⟨u²⟩/3 of crystallography, in Å².
    public var isotropicB: Double { 8 * Double.pi * Double.pi * meanSquareAmplitude / 3 }
    /// Its standard error.
    public var isotropicBError: Double {
      8 * Double.pi * Double.pi * meanSquareAmplitudeError / 3
    }

    /// A group without atoms.
    init(empty name: String, lagCount: Int) {
      let unknown = [Double](repeating: .nan, count: lagCount)
      let tensor = Tensor6(xx: .nan, yy: .nan, zz: .nan, yz: .nan, xz: .nan, xy: .nan)
      self.name = name
      particleCount = 0
      (total, totalError) = (unknown, unknown)
      axes = [unknown, unknown, unknown]
      axisErrors = axes
      (displacementTensor, displacementTensorError) = (tensor, tensor)
      (diffusion, diffusionError, exponent, exponentError) = (.nan, .nan, .nan, .nan)
      axisDiffusion = SIMD3(repeating: .nan)
      axisDiffusionError = axisDiffusion
      plateau = .notEnoughData
    }

    init(
      name: String, particleCount: Int, average: OriginAverage, frameSpacing: Double,
      atomSpacing: Double?
    ) {
      func sum(_ rows: [[Double]]) -> [Double] {
        rows[0].indices.map { rows[0][$0] + rows[1][$0] + rows[2][$0] }
      }
      self.name = name
      self.particleCount = particleCount
      let total = sum(average.whole)
      let timeTotals = average.timeBlocks.map(sum)
      let partTotals = average.parts.map(sum)
      self.total = total
      totalError = Spread.standardErrors(
        count: total.count, timeBlocks: timeTotals, parts: partTotals)
      axes = average.whole
      axisErrors = (0..<3).map { k in
        Spread.standardErrors(
          count: total.count, timeBlocks: average.timeBlocks.map { $0[k] },
          parts: average.parts.map { $0[k] })
      }

      displacementTensor = average.partMoments.indices.reduce(.zero) { sum, p in
        let first = particleCount * p / average.parts.count
        let size = particleCount * (p + 1) / average.parts.count - first
        return sum + average.partMoments[p] * (Double(size) / Double(particleCount))
      }
      func component(_ tensors: [Tensor6], _ c: Int) -> [Double] {
        tensors.map { $0.components[c] }
      }
      let errors = (0..<6).map { c in
        Spread.larger(
          Spread.standardError(component(average.blockMoments, c)),
          Spread.standardError(component(average.partMoments, c)))
      }
      displacementTensorError = Tensor6(
        xx: errors[0], yy: errors[1], zz: errors[2], yz: errors[3], xz: errors[4], xy: errors[5])

      let last = (timeTotals.first?.count ?? 0) - 1
      let start = (last + 4) / 5
      if start >= 1, last >= start + 1 {
        fitRange = Double(start) * frameSpacing...Double(last) * frameSpacing
        func slope(_ y: [Double]) -> Double {
          LineFit.slope(y[start...last], spacing: frameSpacing)
        }
        func error(_ blocks: [[Double]], _ parts: [[Double]]) -> Double {
          Spread.larger(
            Spread.standardError(blocks.map(slope)), Spread.standardError(parts.map(slope)))
        }
        diffusion = slope(total) / 6
        diffusionError = error(timeTotals, partTotals) / 6
        axisDiffusion = .zero
        axisDiffusionError = .zero
        for k in 0..<3 {
          axisDiffusion[k] = slope(average.whole[k]) / 2
          axisDiffusionError[k] =
            error(average.timeBlocks.map { $0[k] }, average.parts.map { $0[k] }) / 2
        }
      } else {
        (diffusion, diffusionError) = (.nan, .nan)
        axisDiffusion = SIMD3(repeating: .nan)
        axisDiffusionError = axisDiffusion
      }

      (exponent, exponentError, plateau) = (.nan, .nan, .notEnoughData)
      if last >= 4 {
        let half = last / 2
        func growth(_ y: [Double]) -> Double { y[last] - y[half] }
        let error = Spread.larger(
          Spread.standardError(timeTotals.map(growth)), Spread.standardError(partTotals.map(growth))
        )
        let lengths = log(Double(last) / Double(half))
        if total[half] > 0, total[last] > 0 {
          exponent = log(total[last] / total[half]) / lengths
          exponentError = error / (total[last] * lengths)
          let isFar = atomSpacing.map { total[last].squareRoot() > 0.5 * $0 } ?? true
          plateau = Self.verdict(exponent, exponentError, isFar: isFar)
        } else if total[half] == 0, total[last] == 0 {
          (exponent, exponentError, plateau) = (0, 0, .bounded)
        }
      }
    }

    /// Three standard errors decide; growth below a twentieth of a power counts as none. Within half the
    /// spacing of the atoms vibrations grow like diffusion for a while.
    private static func verdict(_ exponent: Double, _ error: Double, isFar: Bool) -> Plateau {
      guard error.isFinite else { return .notEnoughData }
      let reach = 3 * error
      if exponent < max(reach, 0.05) { return reach < 0.3 ? .bounded : .notEnoughData }
      return isFar && abs(exponent - 1) < max(reach, 0.1) ? .diffusive : .growing
    }
  }

  /// What a cubic cell of a liquid takes from a diffusion coefficient through its periodic images,
  /// 2.837297 k_BT/(6πηL), in Å²/ps (Yeh, Hummer, J. Phys. Chem. B 108, 15873 (2004)).
  /// - Parameters:
  ///   - temperature: in K
  ///   - viscosity: in mPa·s
  ///   - edge: of the cell, in Å
  public static func yehHummerCorrection(temperature: Double, viscosity: Double, edge: Double)
    -> Double
  {
    // 1 GPa is 1 mPa·s/ps.
    let energy = Units.boltzmann * temperature * Units.gigapascal
    return 2.837297 * energy / (6 * Double.pi * viscosity * edge)
  }
}
