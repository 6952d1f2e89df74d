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
  /// - Parameter inputs: one run, or replicas. Of replicas series are given each by itself and as
  ///   their mean, everything else as their mean, with their spread as error.
  public static func groups(_ plan: AnalysisPlan, _ inputs: [Input]) -> (
    groups: [ResultGroup], obstacles: [(String, String)]
  ) {
    var groups: [ResultGroup] = []
    var obstacles: [(String, String)] = []
    func add(_ name: String, _ group: () throws(Obstacle) -> ResultGroup) {
      do throws(Obstacle) {
        guard let first = inputs.first?.series else {
          throw Obstacle(reason: "the source holds no energies and stresses")
        }
        if let other = inputs.map(\.series.spacing).first(where: {
          abs($0 - first.spacing) > 0.01 * first.spacing
        }) {
          throw Obstacle(
            reason: String(
              format: "the replicas differ in the time between rows, %.6g and %.6g ps",
              first.spacing, other))
        }
        var group = try group()
        for note in Set(inputs.flatMap(\.series.notes)).sorted() { group.addCaveat(note) }
        if inputs.count > 1 {
          group.set("replicas", .integer(inputs.count))
          if let longest = inputs.map(\.series.count).max(),
            let shortest = inputs.map(\.series.count).min(), longest > shortest
          {
            group.addCaveat(
              "replicas have \(shortest) to \(longest) rows: series end with the shortest")
          }
        }
        groups.append(group)
      } catch { obstacles.append((name, error.reason)) }
    }
    if plan.averages {
      add("averages") { () throws(Obstacle) in
        guard let group = Averages.group(inputs) else {
          throw Obstacle(reason: "the source holds no temperatures, pressures and cells")
        }
        return group
      }
    }
    if let wanted = plan.energy {
      add("energy") { () throws(Obstacle) in try energy(wanted, inputs) }
    }
    if let wanted = plan.stress {
      add("stress") { () throws(Obstacle) in try stress(wanted, blocks: plan.blocks, inputs) }
    }
    if let wanted = plan.heatCapacity {
      add("heat_capacity") { () throws(Obstacle) in try heatCapacity(wanted, inputs) }
    }
    return (groups, obstacles)
  }

  /// Why there is no result.
  private struct Obstacle: Error {
    let reason: String
  }

  private static func energy(_ wanted: AnalysisPlan.Energy, _ inputs: [Input]) throws(Obstacle)
    -> ResultGroup
  {
    guard let found = EnergyAnalysis(replicas: inputs.map(\.series), window: wanted.window) else {
      throw Obstacle(reason: "the source holds no potential energies")
    }
    return found.group(spacing: inputs[0].series.spacing)
  }

  private static func stress(
    _ wanted: AnalysisPlan.Stress, blocks: Int, _ inputs: [Input]
  ) throws(Obstacle) -> ResultGroup {
    guard let found = StressAnalysis(replicas: inputs.map(\.series), window: wanted.window) else {
      throw Obstacle(reason: "the source holds no stresses")
    }
    let viscosities =
      wanted.viscosity
      ? inputs.compactMap {
        GreenKuboViscosity($0.series, temperature: $0.context.temperature, blocks: blocks)
      } : []
    let viscosity =
      viscosities.count == inputs.count ? GreenKuboViscosity(meanOf: viscosities) : nil
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
    let isFull = inputs.allSatisfy(\.series.stressIsFull)
    var group = found.group(
      spacing: inputs[0].series.spacing, isFull: isFull, viscosity: viscosity, elastic: elastic)
    if wanted.viscosity, viscosity == nil {
      group.addCaveat(
        isFull
          ? "no viscosity: it needs 20 rows in each of \(blocks) blocks, the volume and the temperature"
          : "no viscosity: it needs the stress with its kinetic part")
    }
    return group
  }

  private static func heatCapacity(_ wanted: AnalysisPlan.HeatCapacity, _ inputs: [Input])
    throws(Obstacle) -> ResultGroup
  {
    var parts: [HeatCapacity] = []
    do throws(HeatCapacity.Obstacle) {
      for input in inputs {
        parts.append(
          try HeatCapacity(
            input.series, context: input.context,
            quantumFraction: wanted.quantum ? input.quantumFraction : nil))
      }
    } catch { throw Obstacle(reason: error.description) }
    var first = parts[0]
    guard parts.allSatisfy({ $0.kind == first.kind }) else {
      throw Obstacle(reason: "the replicas sample different ensembles")
    }
    first.perAtom = .mean(ofReplicas: parts.map(\.perAtom))
    let checks = parts.compactMap(\.check)
    first.check = checks.count == parts.count ? .mean(ofReplicas: checks) : nil
    let quantum = parts.compactMap(\.quantum)
    first.quantum = quantum.count == parts.count ? .mean(ofReplicas: quantum) : nil
    var group = first.group
    if wanted.quantum, first.quantum == nil {
      group.addCaveat(
        "no quantum correction: it needs velocities in frames that resolve all vibrations")
    }
    return group
  }
}
