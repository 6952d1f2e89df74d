import Matter
import Neighbors
import Parallel
import Potentials

/// The start of a run: the structure as it will move, checked for what makes a run impossible or
/// implausible before anything is written.
public struct Preflight: Sendable {
  /// The whole supercell in standard orientation, with masses and, where a stage moves atoms in
  /// time, velocities.
  public private(set) var structure: Structure
  /// What is unusual but allowed.
  public private(set) var warnings: [String] = []

  /// Prepares and checks.
  /// - Parameters:
  ///   - unit: the structure of the file, before `supercell`
  ///   - potential: what will compute the forces
  /// - Throws: all that is wrong, a line each
  public init(
    plan: RunPlan, unit: Structure, potential: any Potential, team: ThreadTeam
  ) throws(InputErrors) {
    var errors: [InputError] = []
    func fail(_ message: String, _ remedy: String = "") -> InputError {
      InputError(message, remedy: remedy, file: plan.structure)
    }
    guard unit.count > 0 else { throw InputErrors([fail("holds no atoms")]) }
    if let cell = unit.cell, !cell.isRightHanded {
      errors.append(
        fail(
          "the cell is left-handed: a·(b×c) < 0",
          "Swap the cell vectors b and c; Cartesian positions stay as they are"))
    }
    if let missing = Self.missingElements(unit, potential, model: plan.potential.model) {
      errors.append(InputError(missing, remedy: "Use a model trained for it", file: plan.structure))
    }
    guard errors.isEmpty else { throw InputErrors(errors) }

    structure = unit
    if plan.supercell != [[1, 0, 0], [0, 1, 0], [0, 0, 1]] {
      guard unit.cell != nil else {
        throw InputErrors([fail("has no cell to repeat", "Remove `supercell` from the deck")])
      }
      for direction in 0..<3 where !unit.periodicity[direction] {
        let row = plan.supercell[direction]
        var alone = [0, 0, 0]
        alone[direction] = 1
        if row != alone {
          throw InputErrors([
            fail("does not repeat along \(["a", "b", "c"][direction])", "Do not repeat it there")
          ])
        }
      }
      guard let repeated = unit.repeated(plan.supercell) else {
        throw InputErrors([
          InputError("the supercell matrix is singular or too skewed", remedy: "Choose another")
        ])
      }
      structure = repeated
      if structure.cell?.isRightHanded == false {
        throw InputErrors([
          InputError(
            "the supercell matrix turns the cell left-handed (its determinant is negative)",
            remedy: "Swap two of its rows")
        ])
      }
    }
    structure.masses = structure.elements.map { plan.masses[$0] ?? $0.mass }
    warnOfMasses(unit, plan)

    errors += checkStages(plan)
    errors += checkDistances(plan, team)
    guard errors.isEmpty else { throw InputErrors(errors) }
    turnToStandardForm()
    try takeVelocities(plan)
  }

  /// A sentence about elements that the model lacks, or nil.
  public static func missingElements(
    _ structure: Structure, _ potential: any Potential, model: String
  ) -> String? {
    guard let known = potential.elements else { return nil }
    var parts: [String] = []
    for element in Set(structure.elements).subtracting(known).sorted() {
      let atoms = structure.elements.indices.filter { structure.elements[$0] == element }
      let some = atoms.prefix(3).map { String($0 + 1) }.joined(separator: ", ")
      let words =
        atoms.count == 1
        ? "atom \(some)"
        : "atoms \(some)\(atoms.count > 3 ? ", …" : ""); \(atoms.count) atoms"
      parts.append("element \(element) (\(words))")
    }
    if parts.isEmpty { return nil }
    let name = model.split(separator: "/").last.map(String.init) ?? model
    return parts.joined(separator: " and ")
      + " \(parts.count == 1 ? "is" : "are") not in model \(name) (\(known.map(\.symbol).joined(separator: " ")))"
  }

  /// Masses of the file count for its momenta only; isotopes are the deck's.
  private mutating func warnOfMasses(_ unit: Structure, _ plan: RunPlan) {
    guard let given = unit.masses else { return }
    var others: [Element: Double] = [:]
    for (element, mass) in zip(unit.elements, given)
    where abs(mass - (plan.masses[element] ?? element.mass)) > 0.1 { others[element] = mass }
    guard !others.isEmpty else { return }
    let list = others.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
      .joined(separator: ", ")
    warnings.append(
      "\(plan.structure): its masses are not those of the run; to use them add `masses: {\(list)}` to the deck"
    )
  }

  // MARK: checks

  private var isFullyPeriodic: Bool { structure.cell != nil && structure.periodicity == .all }

  private func checkStages(_ plan: RunPlan) -> [InputError] {
    var errors: [InputError] = []
    for stage in plan.stages {
      let what = "stage \(stage.name)"
      var cellMoves = false
      switch stage.ensemble {
      case .npt: cellMoves = true
      case .minimize(_, let cell, _): cellMoves = cell != nil
      default: break
      }
      if cellMoves, !isFullyPeriodic {
        errors.append(
          InputError(
            "\(what) changes the cell, but \(plan.structure) does not repeat in all three directions",
            remedy: "Use nvt or a fixed cell, or a structure with pbc=\"T T T\""))
      }
      if stage.isDynamics, structure.count == 1 {
        errors.append(
          InputError(
            "\(what) moves a single atom, which has no motion with the center of mass at rest",
            remedy: "Use a supercell"))
      }
    }
    return errors
  }

  private mutating func checkDistances(_ plan: RunPlan, _ team: ThreadTeam) -> [InputError] {
    var errors: [InputError] = []
    let file = plan.structure
    let overlaps: Overlaps
    do { overlaps = try Overlaps(structure.configuration(), team: team) } catch {
      return [InputError(error.description, file: file)]
    }
    if !overlaps.pairs.isEmpty {
      let shown = overlaps.pairs.prefix(5).map { Overlaps.describe($0, structure.elements) }
        .joined(separator: "; ")
      let more = overlaps.pairs.count > 5 ? "; and \(overlaps.pairs.count - 5) more pairs" : ""
      let text =
        "\(overlaps.areCoincident ? "coincident" : "overlapping") atoms, closer than 0.6 of the sum of their covalent radii: \(shown)\(more)"
      let minimizesFirst = plan.stages.first.map { !$0.isDynamics } ?? false
      if minimizesFirst, !overlaps.areCoincident {
        warnings.append("\(file): \(text)")
      } else {
        errors.append(
          InputError(
            text,
            remedy: overlaps.areCoincident
              ? "Remove the doubled atoms, or check that positions and cell are in Å"
              : "Begin with a `minimize` stage, or check that positions and cell are in Å (and not nm)",
            file: file))
      }
    } else if let nearest = overlaps.meanNearest, nearest < 0.5 {
      errors.append(
        InputError(
          "the mean distance to the nearest atom is \(Decimal.fixed(nearest, 3)) Å",
          remedy: "Positions and cell must be in Å; these look like nm", file: file))
    }
    if overlaps.meanNearest == nil, structure.count > 1 {
      warnings.append(
        "\(file): no two atoms are within 4 Å of each other; check that positions and cell are in Å"
      )
    }
    if isFullyPeriodic, let cell = structure.cell, let masses = structure.masses {
      let density = masses.reduce(0, +) / cell.volume * Units.gramPerCubicCentimeter
      if density > 30 {
        errors.append(
          InputError(
            "the density is \(Decimal.short(density)) g/cm³, more than 30 g/cm³",
            remedy: "Cell vectors must be in Å; these look like nm", file: file))
      } else if density < 0.01 {
        warnings.append(
          "\(file): the density is \(Decimal.short(density)) g/cm³; check that the cell is in Å")
      }
    }
    return errors
  }

  // MARK: orientation and velocities

  /// Trajectory files hold lengths and angles only, and barostats keep a along x and b in the xy
  /// plane: the run uses that orientation throughout.
  private mutating func turnToStandardForm() {
    guard isFullyPeriodic else { return }
    let turned = rotatedToStandard(structure)
    if turned == structure { return }
    structure = turned
    warnings.append(
      "the cell is turned so that a lies along x and b in the xy plane; atoms and velocities turn with it"
    )
  }

  private mutating func takeVelocities(_ plan: RunPlan) throws(InputErrors) {
    guard let first = plan.stages.first(where: \.isDynamics), let masses = structure.masses else {
      structure.velocities = nil
      return
    }
    let target = first.temperatureTarget(first.ensemble.setpoint(at: 0))
    switch plan.velocities {
    case nil: structure.velocities = nil
    case .temperature(let temperature):
      let state = PhaseState(configuration: structure.configuration(), masses: masses)
      state.setVelocities(temperature: temperature, seed: plan.seed)
      structure.velocities = state.velocities.array
      if let target, temperature > BlowUpGuard.bound(target: target) {
        throw InputErrors([
          InputError(
            "velocities of \(Decimal.short(temperature)) K are far above the \(Decimal.short(target)) K of stage \(first.name)",
            remedy: "Give `velocities` the temperature at which the first stage starts")
        ])
      }
    case .fromStructure:
      guard let given = structure.velocities else {
        throw InputErrors([
          InputError(
            "has no velocities, which `velocities: from structure` needs",
            remedy:
              "Give the file a column vel (Å/fs), velocities or momenta, or the deck a temperature: `velocities: 300 K`",
            file: plan.structure)
        ])
      }
      let state = PhaseState(configuration: structure.configuration(), masses: masses)
      for i in 0..<given.count { state.velocities[i] = given[i] }
      state.stopCenterOfMass()
      structure.velocities = state.velocities.array
      let temperature = state.temperature
      let bound = BlowUpGuard.bound(target: target ?? 10_000)
      if !(temperature <= bound) {
        throw InputErrors([
          InputError(
            "its velocities have a temperature of \(Decimal.short(temperature)) K"
              + (target.map { ", stage \(first.name) aims at \(Decimal.short($0)) K" } ?? ""),
            remedy:
              "Units may be wrong: `vel` is in Å/fs, ASE's momenta in √(eV·amu); ASE velocities are 98 times those in Å/fs",
            file: plan.structure)
        ])
      }
      if let target, temperature < target / 10 {
        warnings.append(
          "\(plan.structure): its velocities have a temperature of \(Decimal.short(temperature)) K, stage \(first.name) aims at \(Decimal.short(target)) K; check their units"
        )
      }
    }
  }
}
