import Matter

/// S(E) of an instrument from S(q,E), stage by stage, each kept.
public struct SpectrumStages: Sendable {
  /// When the quantum factor is applied.
  public enum Order: String, Sendable {
    /// To the blurred spectrum, last of all, as is often done.
    case quantumLast = "quantum-last"
    /// To the true energy transfer, before it is blurred.
    case quantumFirst = "quantum-first"
  }

  /// Where the quantum stage comes from.
  public enum Quantum: Sendable {
    /// A factor and the temperature, in K.
    case factor(QuantumFactor, temperature: Double)
    /// The same map after a correction that depends on q or on the species.
    case corrected(ScatteringMap)
  }

  /// How a range of q becomes one number.
  public enum Reduction: String, Sendable {
    /// ∫ S dq over what is seen.
    case integral
    /// The mean over what is seen.
    case mean
  }

  /// S(E) integrated over all |q|.
  public let raw: Spectrum
  /// Along the instrument's lines, or over the q it sees.
  public let kinematic: Spectrum
  /// With its resolution.
  public let resolution: Spectrum
  /// With the quantum factor: what to lay over a measurement.
  public let quantum: Spectrum

  /// The stages for an instrument.
  /// - Parameters:
  ///   - map: S(q, E) on points or shells, classical.
  ///   - instrument: nil leaves kinematics and resolution out.
  ///   - shells: rising |q| (rad/Å) on which integrals over q are taken.
  ///   - width: σ of the Gaussian average about each q, in rad/Å; at least the spacing of points.
  ///   - quantum: nil leaves it out.
  ///   - order: of a factor; a corrected map is corrected first.
  ///   - energyStep: of the finer grid for resolution and after, in meV; nil: the map's.
  /// - Throws: for a map without rows or energies, or a width that is not positive.
  public init(
    _ map: ScatteringMap, instrument: Instrument?, shells: [Double], width: Double,
    quantum: Quantum?, order: Order = .quantumLast, reduction: Reduction = .integral,
    energyStep: Double? = nil, sampling: Spectrum.GaussianSampling = .binned
  ) throws(InputError) {
    guard map.energies.count > 1 else {
      throw InputError("a spectrum without energies", remedy: "Give more lags")
    }
    func fine(_ spectrum: Spectrum) -> Spectrum {
      guard let energyStep else { return spectrum }
      let range = spectrum.energies[spectrum.energies.count - 1] - spectrum.energies[0]
      return spectrum.resampled(
        step: energyStep, count: Int((range / energyStep + 1e-9).rounded(.down)) + 1)
    }
    func blurred(_ spectrum: Spectrum) -> Spectrum {
      instrument?.resolution.map { spectrum.broadened(by: $0, sampling: sampling) } ?? spectrum
    }
    (raw, kinematic) = try Self.seen(map, instrument, shells, width, reduction)
    let grid = fine(kinematic)
    resolution = blurred(grid)
    switch quantum {
    case nil: self.quantum = resolution
    case .factor(let factor, let temperature):
      self.quantum =
        order == .quantumLast
        ? resolution.corrected(by: factor, temperature: temperature)
        : blurred(grid.corrected(by: factor, temperature: temperature))
    case .corrected(let corrected):
      let (_, spectrum) = try Self.seen(corrected, instrument, shells, width, reduction)
      self.quantum = blurred(fine(spectrum))
    }
  }

  /// The first two stages.
  private static func seen(
    _ map: ScatteringMap, _ instrument: Instrument?, _ shells: [Double], _ width: Double,
    _ reduction: Reduction
  ) throws(InputError) -> (raw: Spectrum, kinematic: Spectrum) {
    let average = try ShellAverage(
      norms: map.norms, shells: shells, kernel: .gaussian(width: width))
    var powder = map
    powder.norms = shells
    powder.values = average.average(map.values, columns: map.energies.count)
    powder.history.append("mean over shells, " + average.description)
    let raw = powder.integratedOverQ()
    guard let instrument else { return (raw, raw) }
    let kinematic =
      try instrument.isLine
      ? alongLines(map, instrument, width) : overMask(powder, instrument, reduction)
    return (raw, kinematic)
  }

  /// The mean over banks, with equal weights, of S along each line Q(E).
  private static func alongLines(
    _ map: ScatteringMap, _ instrument: Instrument, _ width: Double
  ) throws(InputError) -> Spectrum {
    var sum = [Double](repeating: 0, count: map.energies.count)
    for bank in instrument.banks {
      let line = map.energies.map {
        instrument.momentum(energy: $0, angle: bank.angles.lowerBound)
      }
      let values = try ShellAverage.alongLine(
        line, values: map.values, norms: map.norms, width: width)
      for i in sum.indices { sum[i] += values[i] / Double(instrument.banks.count) }
    }
    return Spectrum(
      energies: map.energies, values: sum, unit: map.unit,
      history: map.history + [
        "mean of the lines of \(instrument.name) at "
          + instrument.banks.map { Decimals.text($0.angles.lowerBound) }.joined(separator: ", ")
          + " degrees, Gaussian of σ = \(Decimals.text(width)) 1/Å"
      ])
  }

  private static func overMask(
    _ powder: ScatteringMap, _ instrument: Instrument, _ reduction: Reduction
  ) -> Spectrum {
    let masked = instrument.masked(powder)
    let edges = Instrument.edges(of: powder.norms)
    let n = powder.energies.count
    let values = (0..<n).map { c -> Double in
      var (sum, width) = (0.0, 0.0)
      for q in powder.norms.indices where !masked.values[q * n + c].isNaN {
        // Bins count whole for a mean, by their width for an integral.
        let weight = reduction == .mean ? 1 : edges[q + 1] - edges[q]
        sum += weight * masked.values[q * n + c]
        width += weight
      }
      return width == 0 ? .nan : reduction == .mean ? sum / width : sum
    }
    return Spectrum(
      energies: powder.energies, values: values,
      unit: powder.unit + (reduction == .integral ? "/angstrom" : ""),
      history: masked.history + ["\(reduction.rawValue) over the q that are seen"])
  }
}
