import CHost
import Matter
import Neighbors
import Parallel
import Potentials

/// The fast evaluator of a NEP model.
///
/// Every atom's energy and its pair gradients p_ij = ∂U_i/∂r_ij are computed once and stored; the
/// force on i is then Σ_j (p_ij − p_ji), gathered, so that no two threads write the same force and
/// the sums have one order for any number of threads.
public final class NEPPotential: Potential {
  /// The arithmetic of the network and the pair functions. Positions, energies and sums over atoms
  /// are double in both.
  public enum Precision: String, Sendable {
    /// Single precision for an atom's pairs and network.
    case mixed
    /// Double precision throughout.
    case double
  }

  /// The model.
  public let model: NEPModel
  /// The arithmetic.
  public let precision: Precision
  private let double: Engine<DoubleLanes>?
  private let single: Engine<FloatLanes>?
  private var species = AlignedBuffer<Int32>(count: 0)
  private var speciesOf: [Element] = []
  private var virials = AlignedBuffer<Double>(count: 0)

  /// A fast evaluator of a model.
  public init(_ model: NEPModel, precision: Precision) {
    self.model = model
    self.precision = precision
    double = precision == .double ? Engine(model) : nil
    single = precision == .mixed ? Engine(model) : nil
  }

  /// The species of the model.
  public var elements: [Element]? { model.elements }
  /// The largest cutoff, in Å.
  public var cutoff: Double { model.cutoff }

  /// See `Potential`.
  public func evaluate(
    _ configuration: borrowing Configuration, _ neighbors: NeighborList, needing: Requirements,
    team: ThreadTeam, into result: inout Evaluation
  ) throws(ModelError) {
    let n = configuration.count
    if speciesOf != configuration.elements {
      species = AlignedBuffer(try model.species(of: configuration).map(Int32.init))
      speciesOf = configuration.elements
    }
    let needsVirial = needing.contains(.virial)
    if needsVirial, virials.count != 9 * n { virials = AlignedBuffer(count: 9 * n) }
    let task = NEPTask(
      x: configuration.positions.x, y: configuration.positions.y, z: configuration.positions.z,
      species: species.pointer, rowStart: neighbors.rowStart, neighbor: neighbors.neighbor,
      image: neighbors.image, a: configuration.cell.a, b: configuration.cell.b,
      c: configuration.cell.c, energies: result.energies.pointer,
      virials: needsVirial ? virials.pointer : nil, count: n)
    var coincident: (Int, Int)?
    if let double { coincident = double.run(task, neighbors, team, result.forces) }
    if let single { coincident = single.run(task, neighbors, team, result.forces) }
    if let (i, j) = coincident {
      throw ModelError("atoms \(i + 1) and \(j + 1) are at the same place", atoms: [i, j])
    }
    result.energy = DeterministicSum.sum(result.energies.pointer, count: n)
    if needsVirial {
      for a in 0..<3 {
        for b in 0..<3 {
          result.virial[a, b] = DeterministicSum.sum(
            virials.pointer + (3 * a + b) * n, count: n)
        }
      }
    }
  }
}

/// A kernel with its working memory.
private final class Engine<V: Lanes> {
  private let kernel: NEPKernel<V>
  private var scratch: [Box] = []
  private var rowCapacity = -1
  private var pairGradients = AlignedBuffer<V.Scalar>(count: 0)

  final class Box {
    let scratch: NEPScratch<V>
    init(_ scratch: consuming NEPScratch<V>) { self.scratch = scratch }
  }

  init(_ model: NEPModel) { kernel = NEPKernel(model) }

  /// - Returns: two atoms at the same place, if there are any
  func run(
    _ task: NEPTask, _ neighbors: NeighborList, _ team: ThreadTeam, _ forces: borrowing Vectors
  ) -> (Int, Int)? {
    if neighbors.longestRow > rowCapacity || scratch.count < team.count {
      rowCapacity = max(neighbors.longestRow + neighbors.longestRow / 8, rowCapacity)
      scratch = (0..<team.count).map { _ in Box(NEPScratch(kernel, rowLength: rowCapacity)) }
    }
    if pairGradients.count < 4 * neighbors.pairCount {
      pairGradients = AlignedBuffer(count: 4 * (neighbors.pairCount + neighbors.pairCount / 16))
    }
    if kernel.speciesCount == 1 { return run(SingleSpecies.self, task, neighbors, team, forces) }
    if kernel.speciesCount <= 16 { return run(FewSpecies.self, task, neighbors, team, forces) }
    return run(ManySpecies.self, task, neighbors, team, forces)
  }

  private func run<L: SpeciesTable>(
    _ table: L.Type, _ task: NEPTask, _ neighbors: NeighborList, _ team: ThreadTeam,
    _ forces: borrowing Vectors
  ) -> (Int, Int)? {
    let n = task.count
    let gradients = pairGradients.pointer
    let clash = AlignedBuffer<Int32>(count: 2 * team.count)
    let clashes = clash.pointer
    for w in 0..<2 * team.count { clashes[w] = -1 }
    team.run(n, chunkSize: 32) { atoms, worker in
      let memory = scratch[worker]
      for i in atoms {
        let other = kernel.atom(
          i, task, memory.scratch, table: L.self, pairGradients: gradients)
        if other >= 0, clashes[2 * worker] < 0 {
          clashes[2 * worker] = Int32(i)
          clashes[2 * worker + 1] = Int32(other)
        }
      }
    }
    for w in 0..<team.count where clashes[2 * w] >= 0 {
      return (Int(clashes[2 * w]), Int(clashes[2 * w + 1]))
    }
    let reverse = neighbors.reverse
    let x = forces.x
    let y = forces.y
    let z = forces.z
    team.run(n, chunkSize: 128) { atoms, _ in
      for i in atoms {
        let f = V.gather(
          gradients, reverse, from: Int(task.rowStart[i]), to: Int(task.rowStart[i + 1]))
        x[i] = f.x
        y[i] = f.y
        z[i] = f.z
      }
    }
    return nil
  }
}
