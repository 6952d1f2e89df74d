import Dynamics
import Scattering

/// What is known of a stage, also where parts of it are wrong.
struct StageDraft {
  var name: String?
  var ensembleName: String?
  var stage: RunPlan.Stage?
  var couplingIsDefault = false
  var scatter: ScatterPlan?
}
