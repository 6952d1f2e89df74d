import Glibc
import Matter
import Parallel
import Potentials
import Trajectory

/// Why a run failed; ends a command with exit status 1.
public struct SimulationFailure: Error, Sendable, CustomStringConvertible {
  /// What happened, where, and what to do.
  public let description: String
}

/// A run: stages of dynamics and minimization, their output files and checkpoints.
///
/// It always starts from a checkpoint, the first of which holds the initial state, so that a
/// resumed run and an unbroken one are the same code.
public final class Simulation {
  /// How a run ended.
  public enum Outcome: Sendable, Equatable {
    case finished
    /// Stopped early but resumable; by what.
    case stopped(String)
  }
  /// What a person wants to see while a run goes on.
  public struct Progress: Sendable {
    /// The name of the stage.
    public var stage = ""
    /// Steps done in the whole run.
    public var step = 0
    /// Steps of the whole run.
    public var totalSteps = 0
    /// 0 until measured.
    public var stepsPerSecond = 0.0
    /// In fs, where atoms move in time.
    public var timestepFs: Double?
    /// In K.
    public var temperature = 0.0
    /// In GPa, of the last row of thermo.csv.
    public var pressure: Double?
  }
  /// Everything around a run that is not its physics.
  public struct Surroundings {
    /// Where the files are.
    public var directory: RunDirectory
    /// apus.log.
    public var log: RunLog
    /// When `MonotonicClock.seconds` reaches this, the run stops.
    public var deadline = Double.infinity
    /// Called about ten times a second.
    public var progress: (Progress) -> Void = { _ in }
    /// Results and remarks, a line or more at a time.
    public var report: (String) -> Void = { _ in }
    /// What looks at the states of a stage with `scatter`: by its index, the elements, and what a
    /// checkpoint kept of an earlier process.
    public var observer: (Int, [Element], [String: [Double]]) throws -> (any StageObserver)? = {
      _, _, _ in nil
    }
    /// Warnings for stderr.
    public var warning: (String) -> Void = { _ in }
    func warn(_ text: String) {
      log.write("warning: " + text)
      warning(text)
    }
    /// Surroundings of a directory.
    public init(directory: RunDirectory, log: RunLog) {
      self.directory = directory
      self.log = log
    }
  }

  let plan: RunPlan
  let evaluator: ForceEvaluator
  let directory: RunDirectory
  let around: Surroundings
  /// What is the same in every checkpoint: deck, hashes, program.
  let template: Checkpoint

  var state: PhaseState
  var forces: Evaluation
  var integrator: (any Integrator)?
  /// Steps done in the whole run.
  public internal(set) var step: Int
  var dynamicsStep: Int
  var stage: Int
  var stageStep: Int
  var stageIsDone: Bool
  var accumulators: [String: [Double]]
  var averages: [String: CellAverage] = [:]
  var thermo: GrowingFile?
  var trajectory: AmberTrajectoryWriter?
  var observer: (any StageObserver)?
  var frames: Int
  var thermoBytes: Int

  var progress = Progress()
  var minimizationReport = ""
  private var startStep = 0
  private var startSeconds = 0.0
  private var nextTick = 0.0
  private(set) var nextCheckpoint = Double.infinity
  private var checkpointSeconds = 0.0

  /// A run that goes on from a checkpoint, in a directory whose lock is held.
  /// - Throws: `SimulationFailure` for a checkpoint that does not fit the plan
  public init(
    plan: RunPlan, checkpoint: Checkpoint, evaluator: ForceEvaluator, around: Surroundings
  ) throws(SimulationFailure) {
    guard let structure = checkpoint.structure, checkpoint.stage < plan.stages.count else {
      throw SimulationFailure(description: "the checkpoint does not fit the deck")
    }
    self.plan = plan
    self.evaluator = evaluator
    self.around = around
    directory = around.directory
    var template = checkpoint
    (template.positions, template.velocities, template.forces) = ([], [], [])
    self.template = template
    state = PhaseState(configuration: structure.configuration(), masses: checkpoint.masses)
    forces = Evaluation(count: structure.count)
    let n = structure.count
    state.velocities.restore(checkpoint.velocities)
    forces.forces.restore(checkpoint.forces)
    forces.energy = checkpoint.energy
    let w = checkpoint.virial
    forces.virial = Matrix3([w[0], w[1], w[2]], [w[3], w[4], w[5]], [w[6], w[7], w[8]])
    precondition(n == checkpoint.masses.count)
    step = checkpoint.step
    dynamicsStep = checkpoint.dynamicsStep
    stage = checkpoint.stage
    stageStep = checkpoint.stageStep
    frames = checkpoint.frames
    thermoBytes = checkpoint.thermoBytes
    accumulators = checkpoint.accumulators
    // A raised duration opens the last stage again.
    stageIsDone =
      checkpoint.stageIsDone
      && !(stage >= 0 && stage == plan.stages.count - 1 && plan.stages[stage].isDynamics
        && stageStep < plan.stages[stage].steps)
    for (name, numbers) in accumulators where name.hasPrefix("cell.") {
      guard let average = CellAverage(numbers: numbers) else {
        throw SimulationFailure(description: "the checkpoint holds no valid average \(name)")
      }
      averages[name] = average
      accumulators[name] = nil
    }
    if stage >= 0, !stageIsDone, plan.stages[stage].isDynamics {
      var integrator = try makeIntegrator()
      integrator.memory = checkpoint.integrator
      self.integrator = integrator
    } else {
      memoryAtEnd = checkpoint.integrator
    }
  }

  /// The memory that checkpoints hold while there is no integrator: of the stage that ended, or of
  /// a minimization.
  var memoryAtEnd: IntegratorMemory = [:]

  /// The temperature in the middle of the next step, or for NVE the one the stage started with.
  private(set) var target = 0.0

  /// Runs to the end, or until asked to stop.
  /// - Throws: `SimulationFailure`; everything up to the last good frame and the checkpoint stays
  public func run() throws(SimulationFailure) -> Outcome {
    startStep = step
    startSeconds = MonotonicClock.seconds
    nextCheckpoint = startSeconds + plan.checkpointEvery
    progress.totalSteps =
      step + plan.stages.dropFirst(stage + 1).reduce(0) { $0 + $1.steps }
      + (stage >= 0 && !stageIsDone ? plan.stages[stage].steps - stageStep : 0)
    progress.timestepFs = plan.timestepFs
    do {
      if !stageIsDone || stage + 1 < plan.stages.count {
        // Of an earlier end, or of a failure that this attempt may not meet.
        try FileLayer.remove(directory.file("final.xyz"))
        try FileLayer.remove(directory.file("failed.xyz"))
      }
      if stage >= 0, !stageIsDone { try reopenOutputs() }
      while true {
        if stageIsDone || stage < 0 {
          if stage + 1 == plan.stages.count { break }
          try beginStage(stage + 1)
        }
        if let reason = try advanceStage() {
          around.log.write(
            "stopped by \(reason) after step \(step); go on with `apus run DECK --resume`")
          return .stopped(reason)
        }
        try endStage()
      }
      try writeFinal()
      return .finished
    } catch let error as SimulationFailure {
      around.log.write("failed: \(error)")
      throw error
    } catch let error as RunError {
      throw blowUp(error)
    } catch let error as FileError {
      let failure = SimulationFailure(
        description:
          "step \(step): \(error). Everything up to the last checkpoint is intact; make room or mend the folder, then go on with --resume"
      )
      around.log.write("failed: \(failure)")
      throw failure
    } catch {
      throw SimulationFailure(description: "\(error)")
    }
  }

  /// Steps to the end of the stage.
  /// - Returns: why it stopped before the end, or nil
  private func advanceStage() throws -> String? {
    let current = plan.stages[stage]
    progress.stage = current.name
    if case .minimize = current.ensemble { return try minimizeStage(current) }
    guard let timestepFs = plan.timestepFs, var integrator else {
      preconditionFailure("a stage of dynamics has a time step and an integrator")
    }
    // The copy in the object would be shared, and copied on every change.
    self.integrator = nil
    defer { self.integrator = integrator }
    let n = state.count
    let guarding = BlowUpGuard(
      timestep: timestepFs / Units.timeUnit,
      degreesOfFreedom: Double(max(Dynamics.degreesOfFreedom(atomCount: n), 1)))
    let initial = accumulators["start"]?[0] ?? 0
    let keys = averages.keys.filter { $0.hasPrefix("cell.\(stage).") }.sorted()
    let samples = keys.map { accumulators["discard." + $0]?[0] ?? 0 }
    while stageStep < current.steps {
      let setpoint = current.setpoint(after: stageStep)
      let thermoIsDue = (stageStep + 1) % current.thermoEvery == 0
      let frameIsDue = current.trajectory.map { (stageStep + 1) % $0.every == 0 } ?? false
      evaluator.extraRequirements = thermoIsDue || frameIsDue ? .virial : []
      try integrator.step(
        step + 1, &state, &forces, evaluator: evaluator, setpoint: setpoint)
      step += 1
      dynamicsStep += 1
      stageStep += 1
      for notice in integrator.takeNotices() { around.warn(notice) }
      let reading = guarding.read(state, forces)
      let target = current.temperatureTarget(setpoint) ?? initial
      try guarding.check(reading, target: target, step: step, state, forces)
      for (k, key) in keys.enumerated() where Double(stageStep) > samples[k] {
        averages[key]?.add(state.configuration.cell)
      }
      if thermoIsDue || frameIsDue {
        try writeOutputs(
          conserved: integrator.conservedEnergy(state, forces), thermo: thermoIsDue,
          frame: frameIsDue)
      }
      if let every = current.scatter?.every, stageStep % every == 0 { try observe() }
      let now = MonotonicClock.seconds
      if let reason = try stopReason(now) {
        self.integrator = integrator
        try checkpoint()
        return reason
      }
      if now >= nextTick { tick(now, temperature: reading.temperature) }
      if now >= nextCheckpoint {
        self.integrator = integrator
        try checkpoint()
        self.integrator = nil
      }
    }
    return nil
  }

  /// Why to stop now, or nil. The folder is looked at on ticks only.
  func stopReason(_ now: Double) throws(SimulationFailure) -> String? {
    if let signal = StopRequest.received { return signal }
    if now + 2 * checkpointSeconds >= around.deadline { return "--max-walltime" }
    guard now >= nextTick else { return nil }
    if RunDirectory.exists(directory.stopFile) {
      unlink(directory.stopFile)
      return "the file STOP"
    }
    if access(directory.path, W_OK) != 0 {
      throw SimulationFailure(
        description:
          "step \(step): the run directory \(directory.path) is gone or not writable (\(String(cString: strerror(errno)))). Restore it, then go on with --resume"
      )
    }
    return nil
  }

  func tick(_ now: Double, temperature: Double) {
    nextTick = now + 0.1
    progress.step = step
    progress.temperature = temperature
    let elapsed = now - startSeconds
    progress.stepsPerSecond = elapsed > 0 ? Double(step - startStep) / elapsed : 0
    around.progress(progress)
  }

  /// Makes outputs durable and writes a checkpoint of the state.
  func checkpoint() throws {
    let start = MonotonicClock.seconds
    if let thermo {
      try thermo.synchronize()
      thermoBytes = thermo.size
    }
    if let trajectory {
      try trajectory.fsync()
      frames = trajectory.frameCount
    }
    if !stageIsDone { try keepObserver() }
    try directory.write(snapshot())
    let now = MonotonicClock.seconds
    checkpointSeconds = now - start
    nextCheckpoint = now + plan.checkpointEvery
  }

  /// The state as a checkpoint.
  private func snapshot() -> Checkpoint {
    var c = template
    (c.step, c.dynamicsStep, c.stage, c.stageStep) = (step, dynamicsStep, stage, stageStep)
    (c.stageIsDone, c.frames, c.thermoBytes) = (stageIsDone, frames, thermoBytes)
    let h = state.configuration.cell
    c.cell = [h.a, h.b, h.c].flatMap { [$0.x, $0.y, $0.z] }
    c.positions = state.configuration.positions.flattened
    c.velocities = state.velocities.flattened
    c.forces = forces.forces.flattened
    c.energy = forces.energy
    let w = forces.virial
    c.virial = [w.x, w.y, w.z].flatMap { [$0.x, $0.y, $0.z] }
    c.integrator = integrator?.memory ?? memoryAtEnd
    c.accumulators = accumulators
    for (name, average) in averages { c.accumulators[name] = average.numbers }
    return c
  }

  /// Writes `failed.xyz` and says what happened.
  private func blowUp(_ error: RunError) -> SimulationFailure {
    let advice = BlowUpGuard.advice(
      state.configuration, timestepFs: plan.timestepFs, team: evaluator.team)
    var text = "\(error). \(advice)"
    do {
      try writeFrame("failed.xyz")
      text += ". The frame is in \(directory.file("failed.xyz"))"
    } catch { text += ". The frame could not be written: \(error)" }
    around.log.write("failed: \(text)")
    return SimulationFailure(description: text)
  }
}

extension Vectors {
  /// x, y and z of all vectors, one after the other.
  var flattened: [Double] {
    Array(UnsafeBufferPointer(start: x, count: count))
      + Array(UnsafeBufferPointer(start: y, count: count))
      + Array(UnsafeBufferPointer(start: z, count: count))
  }
  /// Takes the values of `flattened`.
  func restore(_ values: [Double]) {
    precondition(values.count == 3 * count)
    for i in 0..<count { self[i] = [values[i], values[count + i], values[2 * count + i]] }
  }
}
