/// The words of decks, and words of other programs with ours for them.
enum Vocabulary {
  static let deck = [
    "title", "structure", "supercell", "masses", "potential", "timestep", "seed", "velocities",
    "output", "stages", "checkpoint", "analysis",
  ]
  static let potential = ["model", "precision", "head"]
  static let checkpoint = ["every"]
  static let trajectory = ["every", "velocities", "forces"]
  static let thermo = ["every"]
  static let ramp = ["from", "to"]
  static let thermostat = ["kind", "relaxation", "chain"]
  static let barostat = ["kind", "coupling", "relaxation", "compressibility"]
  static let stage = [
    "name", "ensemble", "temperature", "pressure", "thermostat", "barostat", "duration", "steps",
    "cell", "trajectory", "thermo", "scatter", "force",
  ]
  /// Keys of DESIGN that this version does not act on.
  static let later = ["ipi"]

  /// Words of LAMMPS, GPUMD, ASE, GROMACS and others, folded to lower case with hyphens.
  static let foreignKeys = [
    "dt": "timestep", "time-step": "timestep", "tstep": "timestep", "nsteps": "steps",
    "n-steps": "steps", "run": "steps", "max-steps": "steps", "temp": "temperature",
    "t": "temperature", "press": "pressure", "p": "pressure", "tdamp": "thermostat: {relaxation}",
    "taut": "thermostat: {relaxation}", "tau-t": "thermostat: {relaxation}",
    "tcoup": "thermostat: {relaxation}", "tperiod": "thermostat: {relaxation}",
    "thermostat-time": "thermostat: {relaxation}", "pdamp": "barostat: {relaxation}",
    "taup": "barostat: {relaxation}", "tau-p": "barostat: {relaxation}",
    "pperiod": "barostat: {relaxation}", "barostat-time": "barostat: {relaxation}",
    "tau": "thermostat: {relaxation}", "damp": "thermostat: {relaxation}",
    "ttime": "thermostat: {relaxation}", "period": "thermostat: {relaxation}",
    "friction": "thermostat: {relaxation}", "gamma": "thermostat: {relaxation}",
    "tchain": "chain", "chain-length": "chain", "dump": "trajectory",
    "dump-position": "trajectory", "dump-exyz": "trajectory", "dump-thermo": "thermo",
    "calculator": "potential", "model": "potential: {model}", "fmax": "force", "type": "kind",
    "replicate": "supercell", "velocity": "velocities", "restart": "checkpoint",
    "stride": "every", "interval": "every", "mass": "masses", "random-seed": "seed",
    "iso": "coupling: isotropic", "aniso": "coupling: orthorhombic", "tri": "coupling: triclinic",
    "nose-hoover": "kind: nose-hoover",
  ]
  static let ensembles = ["nve", "nvt", "npt", "minimize"]
  static let foreignEnsembles = [
    "nvt-nhc": "nvt", "nvt-bdp": "nvt", "nvt-lan": "nvt", "nvt-bao": "nvt", "nvt-ber": "nvt",
    "nvt-nh": "nvt", "nvt-csvr": "nvt", "npt-mttk": "npt", "npt-scr": "npt", "npt-ber": "npt",
    "npt-mtk": "npt", "minimise": "minimize", "relax": "minimize", "min": "minimize",
    "optimize": "minimize", "geomopt": "minimize", "microcanonical": "nve",
  ]
  static let thermostats = ["nose-hoover", "bussi", "langevin"]
  static let foreignThermostats = [
    "nhc": "nose-hoover", "nosehoover": "nose-hoover", "nose-hoover-chain": "nose-hoover",
    "nh": "nose-hoover", "mttk": "nose-hoover", "csvr": "bussi", "bdp": "bussi", "svr": "bussi",
    "v-rescale": "bussi", "berendsen": "bussi", "lan": "langevin", "bao": "langevin",
    "baoab": "langevin",
  ]
  static let barostats = ["mtk", "stochastic-cell-rescaling"]
  static let foreignBarostats = [
    "mttk": "mtk", "nose-hoover": "mtk", "parrinello-rahman": "mtk",
    "berendsen":
      "stochastic-cell-rescaling", "scr": "stochastic-cell-rescaling",
    "c-rescale": "stochastic-cell-rescaling", "bernetti-bussi": "stochastic-cell-rescaling",
  ]
  static let couplings = ["isotropic", "orthorhombic", "triclinic"]
  static let foreignCouplings = [
    "iso": "isotropic", "aniso": "orthorhombic", "anisotropic": "orthorhombic",
    "orthogonal": "orthorhombic", "xyz": "orthorhombic", "tri": "triclinic", "full": "triclinic",
    "flexible": "triclinic",
  ]

  /// Our word for a word of another program.
  static func translation(_ word: String, in table: [String: String]) -> String? {
    table[
      String(word.clipped.lowercased().map { $0 == "_" || $0 == " " || $0 == "/" ? "-" : $0 })]
  }
}
