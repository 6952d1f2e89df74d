import Analysis
import Dynamics
import Matter
import Scattering

/// A plan that passed every check the deck alone allows.
package struct CheckedDeck: Sendable {
  /// The plan; where the deck names no coupling of a barostat, it stands as orthorhombic here.
  package let plan: RunPlan
  /// What is allowed and looks wrong.
  package let warnings: [InputError]
  /// The stages whose coupling depends on the cell, by index.
  package let stagesOfDefaultCoupling: [Int]
  /// What is analyzed after the last stage, on that stage.
  package let analysis: AnalysisPlan?
  /// What stages accumulate of scattering, by index.
  package let scatter: [Int: ScatterPlan]

  /// The plan for a cell: barostats without a coupling are orthorhombic in an orthogonal cell, and
  /// triclinic in any other.
  package func plan(cellIsOrthogonal: Bool) -> RunPlan {
    var result = plan
    let coupling: RunPlan.Coupling = cellIsOrthogonal ? .orthorhombic : .triclinic
    for index in stagesOfDefaultCoupling {
      guard
        case .npt(let temperature, let thermostat, let pressure, let barostat) =
          result.stages[index].ensemble
      else { continue }
      let new: RunPlan.Barostat =
        switch barostat {
        case .mtk(_, let relaxation): .mtk(coupling: coupling, relaxationFs: relaxation)
        case .stochasticCellRescaling(_, let relaxation, let compressibility):
          .stochasticCellRescaling(
            coupling: coupling, relaxationFs: relaxation, compressibility: compressibility)
        }
      result.stages[index].ensemble = .npt(
        temperature: temperature, thermostat: thermostat, pressure: pressure, barostat: new)
    }
    return result
  }
}
