import Matter
import Potentials

extension Checkpoint {
  /// The state before the first stage, its forces evaluated.
  /// - Throws: `InputError` where the potential cannot compute the structure
  public static func initial(
    _ structure: Structure, evaluator: ForceEvaluator
  ) throws(InputError) -> Checkpoint {
    var c = Checkpoint()
    c.stage = -1
    c.stageIsDone = true
    c.elements = structure.elements.map(\.atomicNumber)
    c.masses = structure.masses ?? structure.elements.map(\.mass)
    let configuration = structure.configuration()
    let h = configuration.cell
    c.cell = [h.a, h.b, h.c].flatMap { [$0.x, $0.y, $0.z] }
    c.accumulators["orthogonal"] = [(structure.cell?.isOrthogonal ?? true) ? 1 : 0]
    let p = configuration.periodicity
    c.periodicity = [p.a, p.b, p.c]
    var forces = Evaluation(count: structure.count)
    do {
      try evaluator.evaluate(configuration, needing: .virial, into: &forces)
    } catch {
      throw InputError("the potential cannot compute the start: \(error)")
    }
    c.positions = configuration.positions.flattened
    c.velocities =
      Vectors(
        structure.velocities ?? [SIMD3<Double>](repeating: .zero, count: structure.count)
      ).flattened
    c.forces = forces.forces.flattened
    c.energy = forces.energy
    let w = forces.virial
    c.virial = [w.x, w.y, w.z].flatMap { [$0.x, $0.y, $0.z] }
    guard c.energy.isFinite, c.forces.allSatisfy(\.isFinite) else {
      throw InputError(
        "energy or forces of the start are not finite",
        remedy: "Look for atoms too close, or a damaged model file")
    }
    return c
  }
}
