import Dynamics
import Foundation
import Matter
import Potentials
import TestSupport
import Testing

/// Time series for `analysis/validate/ensembles.py`: 32 Lennard-Jones atoms in every ensemble at two
/// temperatures or two pressures. APUS_VALIDATE=1 turns it on, APUS_VALIDATE_STEPS,
/// APUS_VALIDATE_DIR, APUS_VALIDATE_SEED and APUS_VALIDATE_ONLY (part of a name) set length, folder,
/// first seed and choice.
@Suite(
  "Validation series", .enabled(if: ProcessInfo.processInfo.environment["APUS_VALIDATE"] == "1"))
struct ValidationSeries {
  static let environment = ProcessInfo.processInfo.environment
  static let steps = Int(environment["APUS_VALIDATE_STEPS"] ?? "") ?? 400_000
  static let folder = environment["APUS_VALIDATE_DIR"] ?? ".build/validate"
  static let firstSeed = UInt64(environment["APUS_VALIDATE_SEED"] ?? "") ?? 1000
  static let only = environment["APUS_VALIDATE_ONLY"] ?? ""
  static let kelvin = 24.0
  /// ε/σ³, in eV/Å³.
  static let pressure = Case.pressure

  struct Series: Sendable, Equatable, CustomStringConvertible {
    let description: String
    let ensemble: RunPlan.Ensemble
    let temperature: Double
    let pressure: Double?
  }

  static let all: [Series] = {
    let thermostats: [(String, RunPlan.Thermostat)] = [
      ("nose-hoover", .noseHoover(relaxationFs: 500, chain: 3)),
      ("bussi", .bussi(relaxationFs: 500)), ("langevin", .langevin(relaxationFs: 500)),
    ]
    let nvt = thermostats.flatMap { t in
      [kelvin, 26].map {
        Series(
          description: "nvt_\(t.0)",
          ensemble: .nvt(temperature: Case.at($0), thermostat: t.1), temperature: $0, pressure: nil)
      }
    }
    let npt = thermostats.flatMap { t in
      Case.barostats(tau: 2000).flatMap { b in
        [pressure, 1.6 * pressure].map {
          Series(
            description: "npt_\(t.0)_\(b.0.replacingOccurrences(of: " ", with: "-"))",
            ensemble: .npt(
              temperature: Case.at(kelvin), thermostat: t.1, pressure: .scalar(Case.at($0)),
              barostat: b.1), temperature: kelvin, pressure: $0)
        }
      }
    }
    return nvt + npt
  }()

  @Test("Write the series", arguments: all.filter { only.isEmpty || $0.description.contains(only) })
  func write(_ series: Series) throws {
    try FileManager.default.createDirectory(
      atPath: Self.folder, withIntermediateDirectories: true)
    let start = NamedSystems.fcc("Ar", edge: 5.338, cells: [2, 2, 2])
    let every = 40
    // Runs of a pair must be independent: equal seeds would give them the same noise.
    let index = Self.all.firstIndex { $0 == series } ?? 0
    let seed = Self.firstSeed + UInt64(index)
    // Without noise, energy passes slowly between the modes of a crystal and of its cell.
    let steps = Self.steps * (series.description.contains("nose-hoover_mtk") ? 4 : 1)
    var bench = try Bench(
      start, LennardJones.argon(), series.ensemble, timestepFs: 5,
      temperature: series.temperature, steps: steps, seed: seed)
    let label =
      series.pressure.map { "P\(Int(($0 / Self.pressure * 10).rounded()))" }
      ?? "T\(Int(series.temperature))"
    var text =
      "# ensemble=\(series.description) temperature_K=\(series.temperature) pressure_GPa=\(series.pressure.map { "\($0 * Units.gigapascal)" } ?? "none") timestep_fs=5 every=\(every) atoms=32\n"
    text +=
      "kinetic_eV,potential_eV,volume_A3,conserved_eV,a_A,b_A,c_A,pxx_GPa,pyy_GPa,pzz_GPa,pyz_GPa,pxz_GPa,pxy_GPa\n"
    for step in 1...steps {
      try bench.advance()
      if step % every != 0 || step <= steps / 20 { continue }
      let sample = ThermoSample(
        step: step, timePs: Double(step) * 5e-3, state: bench.state, evaluation: bench.forces,
        conserved: bench.conserved)
      let l = sample.lengths
      let values =
        [
          sample.kineticEnergy, sample.potentialEnergy, sample.volume, sample.conserved, l.x, l.y,
          l.z,
        ] + (sample.pressureTensor * Units.gigapascal).components
      text += values.map { "\($0)" }.joined(separator: ",") + "\n"
    }
    try text.write(
      toFile: "\(Self.folder)/\(series.description)_\(label).csv", atomically: true,
      encoding: .utf8)
  }
}
