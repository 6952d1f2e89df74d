import Foundation
import Matter
import Trajectory

/// Means of what a run should hold or settle at, over the equilibrated part, and the drift of the
/// conserved quantity.
enum Averages {
  private struct Quantity {
    let name, units, shown, longName: String
    let values: (ThermoSeries) -> [Double]?
  }

  private static var quantities: [Quantity] {
    var all = [
      Quantity(
        name: "temperature", units: "K", shown: "K", longName: "temperature",
        values: \.temperature),
      Quantity(
        name: "pressure", units: "GPa", shown: "GPa", longName: "pressure, positive in compression",
        values: \.pressure),
      Quantity(
        name: "volume", units: "angstrom3", shown: "Å³", longName: "volume of the cell",
        values: \.volume),
    ]
    for (k, name) in ["a", "b", "c"].enumerated() {
      all.append(
        Quantity(
          name: name, units: "angstrom", shown: "Å", longName: "length of the cell vector \(name)",
          values: { series in
            series.cells.map { cells in
              cells.map { cell in
                let v = k == 0 ? cell.a : k == 1 ? cell.b : cell.c
                return dot(v, v).squareRoot()
              }
            }
          }))
    }
    return all
  }

  /// The group `averages` of a result file, of one run or of replicas; nil if a source holds none
  /// of the quantities.
  static func group(_ inputs: [SeriesAnalysis.Input]) -> ResultGroup? {
    var g = ResultGroup("averages", title: "means over the equilibrated part")
    for quantity in quantities {
      let series = inputs.compactMap { quantity.values($0.series) }.filter { !$0.isEmpty }
      guard series.count == inputs.count else { continue }
      let statistics = series.map { SeriesStatistics($0, window: 1000) }
      let tests = statistics.map(\.stationarity)
      let mean = Estimate.mean(ofReplicas: statistics.map(\.mean))
      g.add(
        quantity.name, mean, units: quantity.units, longName: "mean " + quantity.longName,
        isListed: false)
      g.list(
        quantity.name, mean, units: quantity.shown,
        remark: [Stationarity.verdict(of: tests).rawValue, ResultGroup.remark(on: tests)]
          .filter { !$0.isEmpty }.joined(separator: ": "))
    }
    let drifts = inputs.compactMap { input -> Estimate? in
      let series = input.series
      guard let conserved = series.conserved, conserved.count == series.count,
        let atoms = input.context.atomCount ?? series.atomCount, atoms > 0, series.spacing > 0
      else { return nil }
      let length = Double(series.count) * series.spacing
      return LinearDrift(conserved).change * (1e6 / (length * Double(atoms)))
    }
    if drifts.count == inputs.count {
      g.add(
        "conserved_drift", .mean(ofReplicas: drifts), units: "meV/ns",
        longName: "drift of the conserved quantity per atom", isListed: false)
      g.list("conserved_drift", .mean(ofReplicas: drifts), units: "meV/atom/ns")
    }
    return g.lines.isEmpty ? nil : g
  }
}
