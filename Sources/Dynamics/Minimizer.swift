import Foundation
import Matter
import Parallel
import Potentials

/// Relaxation of positions, or of positions and cell at a pressure, by L-BFGS (Nocedal, Math. Comp.
/// 35, 773 (1980)) on the enthalpy U + p V.
///
/// The variables are positions x in the cell at the start and √N·(F − 1), with F the deformation
/// since then: r = F x, h = F h₀, F of the form that the coupling allows. Every step is bounded in
/// length and never raises the enthalpy, so that bad starts come down safely.
///
/// Use: `start`, then `step` until it says it is done or the steps are used up.
public struct Minimizer: Sendable {
  /// How a step ended.
  public enum Outcome: Sendable, Equatable {
    /// Forces and stress are above their bounds.
    case moving
    /// Forces and stress are within their bounds.
    case converged
    /// No step lowers the enthalpy any more: the noise of the potential's arithmetic is reached.
    case stalled
  }

  /// The largest force at convergence, in eV/Å.
  public let force: Double
  /// The largest deviation of the stress at convergence, in GPa.
  public static let stressBound = 1e-3
  /// Which strains move; nil keeps the cell.
  public let coupling: RunPlan.Coupling?
  /// Target pressure, in eV/Å³.
  public let pressure: Double
  /// The largest force of the last evaluation, in eV/Å.
  public private(set) var largestForce = Double.infinity
  /// The largest deviation from the target pressure of a strain that moves, in GPa.
  public private(set) var largestStress = 0.0
  /// Enthalpy U + p V, in eV.
  public private(set) var enthalpy = Double.infinity
  /// What every evaluation must compute.
  public var needs: Requirements { coupling == nil ? [] : .virial }

  private static let historyLength = 12
  private var reference: Matrix3
  private var deformation = Matrix3.identity
  private var gradient: [Double] = []
  private var steps: [[Double]] = []
  private var changes: [[Double]] = []
  /// The longest displacement of an atom in one step, in Å; lowered where the enthalpy rose.
  private var longest = 0.2

  /// - Parameters:
  ///   - force: largest force at convergence, in eV/Å
  ///   - coupling: which strains move; nil keeps the cell
  ///   - pressure: in eV/Å³, positive compresses
  public init(
    force: Double, coupling: RunPlan.Coupling?, pressure: Double, state: borrowing PhaseState
  ) {
    self.force = force
    self.coupling = coupling
    self.pressure = pressure
    reference = state.configuration.cell.rows
  }

  /// Evaluates the start.
  public mutating func start(
    _ state: borrowing PhaseState, _ forces: inout Evaluation, evaluator: ForceEvaluator
  ) throws(RunError) -> Outcome {
    try evaluator.evaluate(state, needing: needs, into: &forces, step: 0)
    guard forces.energy.isFinite else {
      throw RunError(
        "the energy of the starting structure is not finite: atoms overlap or the model is unfit",
        step: 0)
    }
    measure(state, forces)
    return isConverged ? .converged : .moving
  }

  private var isConverged: Bool { largestForce < force && largestStress < Self.stressBound }

  /// One step: a search direction and as many evaluations as it takes to lower the enthalpy.
  public mutating func step(
    _ step: Int, _ state: inout PhaseState, _ forces: inout Evaluation, evaluator: ForceEvaluator
  ) throws(RunError) -> Outcome {
    if gradient.isEmpty { measure(state, forces) }
    if isConverged { return .converged }
    let n = state.count
    let old = state.configuration.positions.array
    let oldCell = state.configuration.cell
    let oldDeformation = deformation
    let oldGradient = gradient
    let oldEnthalpy = enthalpy
    let oldLargest = dotProduct(gradient, gradient)
    var direction = searchDirection()
    if dotProduct(direction, gradient) >= 0 {
      forget()
      direction = searchDirection()
    }
    var scale = min(1, longest / Swift.max(length(direction, atoms: n), 1e-300))
    for attempt in 0..<24 {
      try move(
        &state, from: old, deformation: oldDeformation, along: direction, scale: scale, step: step)
      var failed = false
      do throws(ModelError) {
        try evaluator.evaluate(state.configuration, needing: needs, into: &forces)
        measure(state, forces)
      } catch {
        // A step too far: atoms too close or a cell too thin. A shorter one follows.
        failed = true
      }
      let slack = 1e-12 * abs(oldEnthalpy)
      let smaller = dotProduct(gradient, gradient) < oldLargest
      if !failed, enthalpy.isFinite, enthalpy <= oldEnthalpy + (smaller ? 1e3 * slack : slack) {
        remember(direction.map { $0 * scale }, zip(gradient, oldGradient).map { $0 - $1 })
        longest = attempt == 0 ? min(0.2, longest * 1.2) : Swift.max(longest * 0.7, 0.01)
        return isConverged ? .converged : .moving
      }
      if attempt == 5 || attempt == 11 {
        // The curvature learned may be wrong: down the gradient instead.
        gradient = oldGradient
        forget()
        direction = searchDirection()
        scale = min(1, 0.1 * longest / Swift.max(length(direction, atoms: n), 1e-300))
      } else {
        scale *= 0.4
      }
    }
    for i in 0..<n { state.configuration.positions[i] = old[i] }
    state.configuration.cell = oldCell
    deformation = oldDeformation
    try evaluator.evaluate(state, needing: needs, into: &forces, step: step)
    measure(state, forces)
    return .stalled
  }

  /// Sets gradient, enthalpy and the measures of convergence.
  private mutating func measure(_ state: borrowing PhaseState, _ forces: borrowing Evaluation) {
    let n = state.count
    let volume = state.configuration.cell.volume
    enthalpy = forces.energy + (coupling == nil ? 0 : pressure * volume)
    gradient = Array(repeating: 0, count: 3 * n + (coupling == nil ? 0 : 9))
    let t = deformation.transpose
    var largest = 0.0
    for i in 0..<n {
      let f = forces.forces[i]
      largest = Swift.max(largest, dot(f, f))
      let g = t * f
      gradient[3 * i] = -g.x
      gradient[3 * i + 1] = -g.y
      gradient[3 * i + 2] = -g.z
    }
    largestForce = largest.squareRoot()
    guard let coupling else { return }
    let excess = Tensor6(forces.virial).matrix - Matrix3.identity * (pressure * volume)
    largestStress =
      coupling.project(excess).values.map(abs).max().map { $0 / volume * Units.gigapascal } ?? 0
    // ∂H/∂F = −(Ξ − p V) F⁻ᵀ
    let slope = coupling.project(excess * deformation.inverse.transpose)
    let scale = -1 / Double(n).squareRoot()
    for (k, v) in slope.values.enumerated() { gradient[3 * n + k] = v * scale }
  }

  private mutating func move(
    _ state: inout PhaseState, from old: [SIMD3<Double>], deformation f: Matrix3,
    along direction: [Double], scale: Double, step: Int
  ) throws(RunError) {
    let n = old.count
    var new = f
    if coupling != nil {
      let strain = Matrix3(values: Array(direction[(3 * n)...]))
      new = f + strain * (scale / Double(n).squareRoot())
      let rows = (new * reference.transpose).transpose
      do { state.configuration.cell = try Cell(rows: rows) } catch {
        throw RunError(
          "at step \(step) of the minimization the cell has no volume; check the pressure",
          step: step)
      }
    }
    deformation = new
    let total = new * f.inverse
    var center = SIMD3<Double>.zero
    for r in old { center += r }
    center /= Double(Swift.max(1, n))
    for i in 0..<n {
      let d = SIMD3(direction[3 * i], direction[3 * i + 1], direction[3 * i + 2]) * scale
      let r = coupling == nil ? old[i] : center + total * (old[i] - center)
      state.configuration.positions[i] = r + new * d
    }
  }

  /// The size of a step: the farthest an atom moves in Å, a strain of 0.02 counting as 0.2 Å.
  private func length(_ direction: [Double], atoms n: Int) -> Double {
    var square = 0.0
    for i in 0..<n {
      let (x, y, z) = (direction[3 * i], direction[3 * i + 1], direction[3 * i + 2])
      square = Swift.max(square, x * x + y * y + z * z)
    }
    var result = square.squareRoot()
    for v in direction[(3 * n)...] {
      result = Swift.max(result, abs(v) / Double(n).squareRoot() * 10)
    }
    return result
  }

  /// The two-loop recursion; without history down the gradient with a stiffness of 20 eV/Å².
  private func searchDirection() -> [Double] {
    var q = gradient
    var alpha = Array(repeating: 0.0, count: steps.count)
    for k in steps.indices.reversed() {
      alpha[k] = dotProduct(steps[k], q) / dotProduct(steps[k], changes[k])
      add(-alpha[k], changes[k], to: &q)
    }
    var stiffness = 20.0
    if let s = steps.last, let y = changes.last {
      stiffness = dotProduct(y, y) / dotProduct(s, y)
    }
    for i in q.indices { q[i] /= stiffness }
    for k in steps.indices {
      let beta = dotProduct(changes[k], q) / dotProduct(steps[k], changes[k])
      add(alpha[k] - beta, steps[k], to: &q)
    }
    for i in q.indices { q[i] = -q[i] }
    return q
  }

  private mutating func remember(_ s: [Double], _ y: [Double]) {
    // A step without positive curvature would make the next direction point uphill.
    let curvature = dotProduct(s, y)
    guard
      curvature > 1e-10 * (dotProduct(s, s) * dotProduct(y, y)).squareRoot()
    else { return }
    steps.append(s)
    changes.append(y)
    if steps.count > Self.historyLength {
      steps.removeFirst()
      changes.removeFirst()
    }
  }

  private mutating func forget() {
    steps = []
    changes = []
  }

  private func dotProduct(_ a: [Double], _ b: [Double]) -> Double {
    a.withUnsafeBufferPointer { a in
      b.withUnsafeBufferPointer { b in
        guard let p = a.baseAddress, let q = b.baseAddress else { return 0 }
        var sum = 0.0
        for i in 0..<a.count { sum += p[i] * q[i] }
        return sum
      }
    }
  }

  private func add(_ factor: Double, _ a: [Double], to b: inout [Double]) {
    for i in b.indices { b[i] += factor * a[i] }
  }

  /// Everything that decides how the minimization goes on; exact.
  public var memory: IntegratorMemory {
    get {
      [
        "minimizer_reference": reference.values, "minimizer_deformation": deformation.values,
        "minimizer_longest": [longest], "minimizer_steps": steps.flatMap { $0 },
        "minimizer_changes": changes.flatMap { $0 }, "minimizer_pairs": [Double(steps.count)],
        "minimizer_gradient": gradient,
        "minimizer_measures": [largestForce, largestStress, enthalpy],
      ]
    }
    set {
      guard let h = newValue["minimizer_reference"], let f = newValue["minimizer_deformation"],
        let l = newValue["minimizer_longest"], let s = newValue["minimizer_steps"],
        let y = newValue["minimizer_changes"], let n = newValue["minimizer_pairs"],
        let g = newValue["minimizer_gradient"], let m = newValue["minimizer_measures"]
      else { return }
      reference = Matrix3(values: h)
      deformation = Matrix3(values: f)
      longest = l[0]
      gradient = g
      (largestForce, largestStress, enthalpy) = (m[0], m[1], m[2])
      let pairs = Int(n[0])
      let size = pairs == 0 ? 0 : s.count / pairs
      steps = (0..<pairs).map { Array(s[$0 * size..<($0 + 1) * size]) }
      changes = (0..<pairs).map { Array(y[$0 * size..<($0 + 1) * size]) }
    }
  }
}
