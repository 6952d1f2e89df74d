import Foundation
import Matter
import Potentials
import TestSupport
import Testing

@Suite("Every potential keeps the contract")
struct PotentialContractTests {
  static let skew = Matrix3([1, 0.13, -0.07], [0, 0.98, 0.21], [0.02, 0, 1.03])
  static let contracts: [PotentialContract] = {
    let argon = NamedSystems.argon32.rattled(by: 0.3).transformed(by: skew)
    // Thinner than half the cutoff along two directions.
    let thin = NamedSystems.fcc("Ar", edge: 5.27, cells: [1, 1, 2]).rattled(by: 0.3)
      .transformed(by: skew)
    var slab = NamedSystems.argon32.rattled(by: 0.3)
    slab.periodicity = Periodicity(a: true, b: true, c: false)
    let cluster = Structure(
      elements: slab.elements, positions: slab.positions, cell: nil, periodicity: .none)
    let silicon = NamedSystems.silicon64.rattled(by: 0.25).transformed(by: skew)
    let oneCell = NamedSystems.diamond("Si", edge: 5.431, cells: [1, 1, 1]).rattled(by: 0.2)
    return [
      PotentialContract("argon", structure: argon) { LennardJones.argon() },
      PotentialContract("argon in a thin cell", structure: thin) { LennardJones.argon() },
      PotentialContract("argon slab", structure: slab) { LennardJones.argon() },
      PotentialContract("argon cluster", structure: cluster) { LennardJones.argon() },
      PotentialContract("silicon", structure: silicon) { StillingerWeber() },
      PotentialContract("silicon in one cell", structure: oneCell) { StillingerWeber() },
      PotentialContract("ideal gas", structure: argon) { IdealGas() },
      PotentialContract("Einstein crystal", structure: argon, atomsAreBound: true) {
        EinsteinCrystal(stiffness: 2, sites: NamedSystems.argon32.configuration())
      },
    ]
  }()

  @Test("Translation, rotation, permutation and repetition change nothing", arguments: contracts)
  func symmetries(_ contract: PotentialContract) throws {
    #expect(try contract.translation() < 1e-10)
    #expect(try contract.rotation() < 1e-10)
    #expect(try contract.permutation() < 1e-11)
    if contract.structure.periodicity == .all {
      #expect(try contract.wrapping() < 1e-10)
      #expect(try contract.repetition() < 1e-10)
    }
  }

  @Test("Forces are −∂U/∂r and sum to zero", arguments: contracts)
  func forces(_ contract: PotentialContract) throws {
    #expect(try contract.forceError(atoms: [0, 3]) < 2e-9)
    #expect(try contract.netForce() < 1e-11)
    #expect(try contract.energySum() < 1e-10)
  }

  @Test("The virial is −∂U/∂ε", arguments: contracts)
  func virial(_ contract: PotentialContract) throws {
    #expect(try contract.virialError() < 5e-8)
  }

  @Test("Skin, age of the list and threads change no bit", arguments: contracts)
  func bits(_ contract: PotentialContract) throws {
    #expect(try contract.ignoresSkin())
    #expect(try contract.ignoresThreads())
  }

  @Test("Two argon atoms at 2^(1/6) σ have energy −ε and no force")
  func dimer() throws {
    let d = 3.4 * pow(2, 1.0 / 6)
    let dimer = Structure(
      elements: NamedSystems.argon32.elements.suffix(2), positions: [[0, 0, 0], [0, 0, d]],
      cell: nil, periodicity: .none)
    let values = try PotentialContract("dimer", structure: dimer) { LennardJones.argon() }
      .evaluate(dimer)
    #expect(abs(values.energy + 0.0104) < 1e-15)
    #expect(abs(values.forces[0].z) < 1e-15)
  }

  @Test("Diamond silicon at 5.43095 Å has −2ε per atom and no pressure")
  func silicon() throws {
    let crystal = NamedSystems.diamond("Si", edge: 5.43095, cells: [2, 2, 2])
    let values = try PotentialContract("Si", structure: crystal) { StillingerWeber() }
      .evaluate(crystal)
    #expect(abs(values.energy / 64 + 2 * 2.1683) < 1e-6)
    #expect(abs(values.virial.trace) < 5e-3)
  }
}
