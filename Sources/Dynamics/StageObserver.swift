import Matter
import Trajectory

/// Something that looks at the states of a stage of dynamics while it runs, such as an accumulation
/// of correlation functions. It keeps what it takes in files of its own; what else it needs to go on
/// from a checkpoint is its `memory`, which the checkpoint holds.
public protocol StageObserver: AnyObject {
  /// Looks at a state: positions in Å, velocities in internal units, temperature in K.
  func observe(
    cell: Cell, positions: borrowing Vectors, velocities: borrowing Vectors, temperature: Double
  ) throws
  /// Returns when everything so far is on the disk.
  func synchronize() throws
  /// What a later process needs beside the files.
  var memory: [String: [Double]] { get }
  /// Writes results; the stage is over, its checkpoint not yet written.
  func finish() throws
  /// Removes files that are not needed any more, once the checkpoint counts the stage as done.
  func discard()
}

extension Simulation {
  private static let observerPrefix = "observer."

  /// Opens the observer of a stage, if it has one, with what a checkpoint kept of it.
  func openObserver(_ index: Int) throws {
    observer = nil
    guard plan.stages[index].scatter != nil else { return }
    var memory: [String: [Double]] = [:]
    for (key, values) in accumulators where key.hasPrefix(Self.observerPrefix) {
      memory[String(key.dropFirst(Self.observerPrefix.count))] = values
    }
    do {
      observer = try around.observer(index, state.configuration.elements, memory)
    } catch {
      throw SimulationFailure(description: "stage \(plan.stages[index].name), scatter: \(error)")
    }
  }

  /// Shows the state to the observer.
  func observe() throws {
    do {
      try observer?.observe(
        cell: state.configuration.cell, positions: state.configuration.positions,
        velocities: state.velocities, temperature: state.temperature)
    } catch let error as FileError {
      throw error
    } catch {
      throw SimulationFailure(description: "step \(step), scatter: \(error)")
    }
  }

  /// Makes durable what the observer took, and notes what it needs to go on.
  func keepObserver() throws {
    guard let observer else { return }
    do {
      try observer.synchronize()
    } catch let error as FileError {
      throw error
    } catch {
      throw SimulationFailure(description: "step \(step), scatter: \(error)")
    }
    forgetObserver()
    for (key, values) in observer.memory { accumulators[Self.observerPrefix + key] = values }
  }

  /// Lets the observer write its results.
  func finishObserver() throws {
    guard let observer else { return }
    do {
      try observer.finish()
    } catch let error as FileError {
      throw error
    } catch {
      throw SimulationFailure(
        description: "stage \(plan.stages[stage].name), scatter: \(error). Mend it and go on with "
          + "--resume")
    }
    forgetObserver()
  }

  private func forgetObserver() {
    for key in accumulators.keys where key.hasPrefix(Self.observerPrefix) {
      accumulators[key] = nil
    }
  }
}
