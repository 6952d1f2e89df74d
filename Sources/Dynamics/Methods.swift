import Matter

/// The paragraph for a paper: what was done, and whom to cite.
public enum Methods {
  /// A paragraph and a list of references.
  /// - Parameters:
  ///   - model: a phrase for the potential
  ///   - modelCitations: the works behind it
  public static func paragraph(
    plan: RunPlan, elements: [Element], model: String, modelCitations: [String], program: String
  ) -> String {
    var references: [String] = []
    func cite(_ work: String) -> String {
      if let k = references.firstIndex(of: work) { return "[\(k + 1)]" }
      references.append(work)
      return "[\(references.count)]"
    }
    var counts: [Element: Int] = [:]
    for element in elements { counts[element, default: 0] += 1 }
    let formula = counts.sorted { $0.key < $1.key }.map { "\($0.key)\($0.value)" }.joined()
    var text =
      "Calculations were done with \(program) on \(elements.count) atoms (\(formula)) with the \(model) \(modelCitations.map(cite).joined(separator: " ")), evaluated in \(plan.potential.precision == .mixed ? "single precision for the angular functions and double precision for all else" : "double precision")."
    if let timestep = plan.timestepFs {
      text +=
        " Equations of motion were integrated in double precision with the velocity Verlet scheme \(cite("W. C. Swope, H. C. Andersen, P. H. Berens and K. R. Wilson, J. Chem. Phys. 76, 637 (1982), doi:10.1063/1.442716")) and a time step of \(number(timestep)) fs."
    }
    switch plan.velocities {
    case .temperature(let t)?:
      text +=
        " Velocities were drawn from the Maxwell-Boltzmann distribution at \(number(t)) K (seed \(plan.seed)) with the center of mass at rest."
    case .fromStructure?: text += " Velocities were taken from the structure file."
    case nil: break
    }
    if !plan.masses.isEmpty {
      let masses = plan.masses.sorted { $0.key < $1.key }
        .map { "\($0.key) \(number($0.value)) amu" }
      text += " Masses other than natural ones: \(masses.joined(separator: ", "))."
    }
    for stage in plan.stages {
      text += " Stage \(stage.name): " + sentence(stage, plan, cite)
    }
    text += "\n\nReferences\n"
    for (k, work) in references.enumerated() { text += "[\(k + 1)] \(work)\n" }
    return text
  }

  private static func sentence(
    _ stage: RunPlan.Stage, _ plan: RunPlan, _ cite: (String) -> String
  ) -> String {
    var start = ""
    if case .mean(let name, let discard) = stage.cell {
      start =
        "starting from the mean cell of \(name)"
        + (discard.map { " after \(number($0 / 1000)) ps" } ?? "") + ", "
    }
    let time = number(Double(stage.steps) * (plan.timestepFs ?? 0) / 1000)
    switch stage.ensemble {
    case .nve: return start + "\(time) ps at constant energy and volume."
    case .nvt(let temperature, let thermostat):
      return start
        + "\(time) ps at constant volume and \(ramp(temperature)) K with \(describe(thermostat, cite))."
    case .npt(let temperature, let thermostat, let pressure, let barostat):
      let target =
        switch pressure {
        case .scalar(let p):
          ramp(
            RunPlan.Ramp(from: p.from * Units.gigapascal, to: p.to * Units.gigapascal)) + " GPa"
        case .components(let p):
          "pressure components "
            + p.components.map { number($0 * Units.gigapascal) }.joined(separator: ", ")
            + " GPa (xx yy zz yz xz xy)"
        }
      return start
        + "\(time) ps at \(ramp(temperature)) K and \(target) with \(describe(thermostat, cite)) and \(describe(barostat, cite))."
    case .minimize(let force, let cell, let pressure):
      let what = cell.map {
        "positions and cell (\($0.rawValue)) at \(number(pressure * Units.gigapascal)) GPa"
      }
      return start
        + "L-BFGS relaxation of \(what ?? "positions") until no force exceeds \(number(force)) eV/Å \(cite("J. Nocedal, Math. Comp. 35, 773 (1980), doi:10.1090/S0025-5718-1980-0572855-7"))."
    }
  }

  private static func describe(
    _ thermostat: RunPlan.Thermostat, _ cite: (String) -> String
  ) -> String {
    switch thermostat {
    case .noseHoover(let tau, let chain):
      "a Nosé-Hoover chain of \(chain) thermostats (relaxation time \(number(tau)) fs) \(cite("G. J. Martyna, M. L. Klein and M. E. Tuckerman, J. Chem. Phys. 97, 2635 (1992), doi:10.1063/1.463940"))"
    case .bussi(let tau):
      "stochastic velocity rescaling (relaxation time \(number(tau)) fs) \(cite("G. Bussi, D. Donadio and M. Parrinello, J. Chem. Phys. 126, 014101 (2007), doi:10.1063/1.2408420"))"
    case .langevin(let tau):
      "Langevin dynamics in the BAOAB splitting (relaxation time \(number(tau)) fs) \(cite("B. Leimkuhler and C. Matthews, J. Chem. Phys. 138, 174102 (2013), doi:10.1063/1.4802990"))"
    }
  }

  private static func describe(
    _ barostat: RunPlan.Barostat, _ cite: (String) -> String
  ) -> String {
    switch barostat {
    case .mtk(let coupling, let tau):
      "a Martyna-Tobias-Klein barostat (\(coupling.rawValue), relaxation time \(number(tau / 1000)) ps) \(cite("G. J. Martyna, D. J. Tobias and M. L. Klein, J. Chem. Phys. 101, 4177 (1994), doi:10.1063/1.467468")) \(cite("G. J. Martyna, M. E. Tuckerman, D. J. Tobias and M. L. Klein, Mol. Phys. 87, 1117 (1996), doi:10.1080/00268979600100761"))"
    case .stochasticCellRescaling(let coupling, let tau, let compressibility):
      "stochastic cell rescaling (\(coupling.rawValue), relaxation time \(number(tau / 1000)) ps, compressibility \(number(compressibility / Units.gigapascal)) 1/GPa) \(cite("M. Bernetti and G. Bussi, J. Chem. Phys. 153, 114107 (2020), doi:10.1063/5.0020514")) \(cite("V. Del Tatto, P. Raiteri, M. Bernetti and G. Bussi, Appl. Sci. 12, 1139 (2022), doi:10.3390/app12031139"))"
    }
  }

  private static func ramp(_ r: RunPlan.Ramp) -> String {
    r.from == r.to ? number(r.from) : "\(number(r.from)) to \(number(r.to))"
  }

  private static func number(_ x: Double) -> String {
    let rounded = (x * 1e6).rounded() / 1e6
    if abs(rounded - x) <= 1e-9 * abs(x), abs(x) < 1e9 {
      return rounded == rounded.rounded() ? String(Int(rounded)) : "\(rounded)"
    }
    return "\(x)"
  }
}
