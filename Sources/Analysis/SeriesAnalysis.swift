import Foundation
import Trajectory

/// The series observables of one run or of replicas.
public enum SeriesAnalysis {
  /// A series with what is known of its run.
  public struct Input: Sendable {
    /// The rows.
    public var series: ThermoSeries
    /// The run.
    public var context: ThermoContext
    /// C_V over its classical limit of the harmonic density of states, for the quantum correction.
    public var quantumFraction: Double?
    /// A series with what is known of its run.
    public init(series: ThermoSeries, context: ThermoContext, quantumFraction: Double? = nil) {
      self.series = series
      self.context = context.completed(by: series)
      self.quantumFraction = quantumFraction
    }
  }

  /// The groups of the observables that a plan asks for, and why others could not be made.
  /// - Parameter inputs: one run, or replicas. Time series are those of the first; means, heat
  ///   capacities, moduli and viscosities are averaged over replicas, with the spread as error.
  public static func groups(_ plan: AnalysisPlan, _ inputs: [Input]) -> (
    groups: [ResultGroup], obstacles: [(String, String)]
  ) {
    var groups: [ResultGroup] = []
    var obstacles: [(String, String)] = []
    guard !inputs.isEmpty else {
      for (name, isWanted) in [
        ("energy", plan.energy != nil), ("stress", plan.stress != nil),
        ("heat_capacity", plan.heatCapacity != nil),
      ] where isWanted {
        obstacles.append((name, "the source holds no energies and stresses"))
      }
      return ([], obstacles)
    }
    func notes(_ group: inout ResultGroup) {
      for note in inputs.flatMap(\.series.notes) { group.addCaveat(note) }
      if inputs.count > 1 { group.set("replicas", .integer(inputs.count)) }
    }
    if let wanted = plan.energy {
      let parts = inputs.compactMap { EnergyAnalysis($0.series, window: wanted.window) }
      if parts.count == inputs.count, var first = parts.first {
        first.statistics.mean = .mean(ofReplicas: parts.map(\.statistics.mean))
        first.skewness = .mean(ofReplicas: parts.map(\.skewness))
        first.kurtosis = .mean(ofReplicas: parts.map(\.kurtosis))
        var group = first.group(spacing: inputs[0].series.spacing)
        notes(&group)
        groups.append(group)
      } else {
        obstacles.append(("energy", "the source holds no potential energies"))
      }
    }
    if let wanted = plan.stress {
      let parts = inputs.compactMap { StressAnalysis($0.series, window: wanted.window) }
      if parts.count == inputs.count, var first = parts.first {
        for k in first.statistics.indices {
          first.statistics[k].mean = .mean(ofReplicas: parts.map { $0.statistics[k].mean })
        }
        let lags = parts.map(\.lags.count).min() ?? 0
        first.lags = Array(first.lags.prefix(lags))
        for k in first.autocorrelation.indices {
          first.autocorrelation[k] = (0..<lags).map { l in
            parts.map { $0.autocorrelation[k][l] }.mean
          }
        }
        let viscosities =
          wanted.viscosity
          ? inputs.compactMap {
            GreenKuboViscosity(
              $0.series, temperature: $0.context.temperature, blocks: plan.blocks)
          } : []
        var viscosity = viscosities.first
        if viscosities.count > 1 {
          viscosity?.shearValue = .mean(ofReplicas: viscosities.map(\.shearValue))
          viscosity?.bulkValue = .mean(ofReplicas: viscosities.map(\.bulkValue))
        }
        var elastic: ElasticConstants?
        let moving = inputs.filter { $0.context.ensemble ?? .npt == .npt && !$0.context.isRamp }
        let constants = moving.compactMap {
          ElasticConstants($0.series, temperature: $0.context.temperature)
        }
        if constants.count == inputs.count, let one = constants.first,
          constants.allSatisfy({ $0.components == one.components })
        {
          elastic = one
          elastic?.bulkModulus = .mean(ofReplicas: constants.map(\.bulkModulus))
          for k in one.stiffness.indices {
            elastic?.stiffness[k] = .mean(ofReplicas: constants.map { $0.stiffness[k] })
          }
        }
        var group = first.group(
          spacing: inputs[0].series.spacing, isFull: inputs[0].series.stressIsFull,
          viscosity: viscosity, elastic: elastic)
        if wanted.viscosity, viscosity == nil {
          group.addCaveat(
            inputs[0].series.stressIsFull
              ? "no viscosity: it needs 20 rows in each of \(plan.blocks) blocks, the volume and the temperature"
              : "no viscosity: it needs the stress with its kinetic part")
        }
        notes(&group)
        groups.append(group)
      } else {
        obstacles.append(("stress", "the source holds no stresses"))
      }
    }
    if let wanted = plan.heatCapacity {
      do throws(HeatCapacity.Obstacle) {
        var parts: [HeatCapacity] = []
        for input in inputs {
          parts.append(
            try HeatCapacity(
              input.series, context: input.context,
              quantumFraction: wanted.quantum ? input.quantumFraction : nil))
        }
        var first = parts[0]
        if parts.allSatisfy({ $0.kind == first.kind }) {
          first.perAtom = .mean(ofReplicas: parts.map(\.perAtom))
          let checks = parts.compactMap(\.check)
          if checks.count == parts.count { first.check = .mean(ofReplicas: checks) }
          let quantum = parts.compactMap(\.quantum)
          if quantum.count == parts.count { first.quantum = .mean(ofReplicas: quantum) }
          var group = first.group
          if wanted.quantum, first.quantum == nil {
            group.addCaveat(
              "no quantum correction: it needs velocities in frames that resolve all vibrations")
          }
          notes(&group)
          groups.append(group)
        } else {
          obstacles.append(("heat_capacity", "the replicas sample different ensembles"))
        }
      } catch {
        obstacles.append(("heat_capacity", error.description))
      }
    }
    return (groups, obstacles)
  }
}
