import Matter
import Trajectory

/// Results of scattering as NetCDF-4: raw functions by dynasor's names on its grids, what weights
/// and corrections make of them, and the group `spectrum`.
public enum ScatterResultFile {
  private static let functionUnits: [CorrelationFunction.Kind: (time: String, spectrum: String)] = [
    .coherent: ("1", "fs"), .incoherent: ("1", "fs"),
    .longitudinal: ("angstrom^2/fs^2", "angstrom^2/fs"),
    .transverse: ("angstrom^2/fs^2", "angstrom^2/fs"),
  ]

  /// Writes a file so that its path holds the old content or the whole new one at any moment.
  /// - Parameters:
  ///   - attributes: title, program, deck, sources
  ///   - derived: nil for a part of the rows
  public static func write(
    _ table: ScatterTable, derived: DerivedScattering?, attributes: [(String, String)],
    to path: String
  ) throws(FileError) {
    try FileLayer.replace(path) { temporary throws(FileError) in
      let file = try NetCDFFile(creating: temporary, format: .netCDF4)
      for (name, value) in attributes { try file.setAttribute(name, .text(value)) }
      try writeFacts(table, to: file)
      try writePoints(table, to: file)
      try writeFunctions(table.result, to: file)
      if let derived { try write(derived, to: file) }
      try file.close()
    }
  }

  private static func writeFacts(_ table: ScatterTable, to file: NetCDFFile) throws(FileError) {
    let r = table.result
    if !table.isWhole {
      try file.setAttribute(
        "part_of_rows",
        .int64s([table.rows.lowerBound, table.rows.upperBound, table.rowCount].map { Int64($0) }))
    }
    try file.setAttribute("rows", .text(table.isShells ? "shells" : "points"))
    try file.setAttribute("frames", .int64s([Int64(r.frameCount)]))
    try file.setAttribute("atoms", .int64s([Int64(r.atomCount)]))
    try file.setAttribute("species", .text(table.species.joined(separator: " ")))
    try file.setAttribute(
      "species_counts", .int64s(table.species.map { Int64(r.speciesCounts[$0] ?? 0) }))
    try file.setAttribute("timestep_fs", .doubles([r.timestep]))
    if let t = table.temperature { try file.setAttribute("temperature_K", .doubles([t])) }
    if let u = table.meanSquares {
      try file.setAttribute("mean_square_displacement_A2", .doubles(u))
    }
    if !table.notes.isEmpty {
      try file.setAttribute("notes", .text(table.notes.joined(separator: "\n")))
    }
    if let path = table.path {
      try file.setAttribute("path_labels", .text(path.labels.joined(separator: " ")))
      try file.setAttribute("path_ticks", .doubles(path.ticks))
    }
  }

  private static func put(
    _ name: String, _ dimensions: [String], _ values: [Double], _ units: String, _ longName: String,
    to file: NetCDFFile, history: [String] = []
  ) throws(FileError) {
    var attributes: [(String, NetCDFFile.Attribute)] = [
      ("units", .text(units)), ("long_name", .text(longName)),
    ]
    if !history.isEmpty {
      attributes.append(("history", .text(history.joined(separator: "\n"))))
    }
    let variable = try file.defineVariable(name, .double, dimensions, attributes: attributes)
    try file.put(variable, values)
  }

  private static func writePoints(_ table: ScatterTable, to file: NetCDFFile) throws(FileError) {
    let r = table.result
    for (name, length) in [("q", r.q.count), ("time", r.times.count), ("xyz", 3)] {
      try file.defineDimension(name, length)
    }
    try file.defineDimension("omega", r.frequencies.count)
    try put("time", ["time"], r.times, "fs", "lag", to: file)
    try put("omega", ["omega"], r.frequencies, "rad/fs", "angular frequency", to: file)
    try put(
      "samples", ["time"], r.pairCounts, "1", "pairs of frames behind each lag", to: file)
    if !table.isShells {
      try put(
        "q_points", ["q", "xyz"], r.q.flatMap { [$0.x, $0.y, $0.z] }, "rad/angstrom",
        "wave vector in the mean cell", to: file)
    }
    try put("q_norms", ["q"], r.norms, "rad/angstrom", "|q| in the mean cell", to: file)
    try put(
      "q_norms_std", ["q"], r.normSpread, "rad/angstrom",
      "standard deviation of |q| with the cell", to: file)
    let h = r.meanCell
    let cell = [h.a, h.b, h.c].flatMap { [$0.x, $0.y, $0.z] }
    try file.defineDimension("cell_vector", 3)
    try put("cell", ["cell_vector", "xyz"], cell, "angstrom", "mean cell vectors", to: file)
    func integers(
      _ name: String, _ dimensions: [String], _ values: [Int64], _ longName: String
    ) throws(FileError) {
      let variable = try file.defineVariable(
        name, .int64, dimensions,
        attributes: [("units", .text("1")), ("long_name", .text(longName))])
      try file.put(variable, values)
    }
    if let hkl = table.hkl {
      try integers(
        "hkl", ["q", "xyz"], hkl.flatMap { [Int64($0.x), Int64($0.y), Int64($0.z)] },
        "multiples of the reciprocal vectors of the supercell")
    }
    if let path = table.path {
      try put("distance", ["q"], path.distances, "rad/angstrom", "along the path", to: file)
      try integers("zone", ["q"], path.zones.map { Int64($0) }, "zone of the path, from 0")
      try put(
        "primitive_coordinates", ["q", "xyz"], path.coordinates.flatMap { [$0.x, $0.y, $0.z] }, "1",
        "along the reciprocal vectors of the primitive cell", to: file)
    }
  }

  private static func words(_ function: CorrelationFunction) -> String {
    let stem =
      switch function.kind {
      case .coherent: "coherent intermediate scattering function"
      case .incoherent: "incoherent intermediate scattering function"
      case .longitudinal: "longitudinal current correlation"
      case .transverse: "transverse current correlation"
      }
    return stem
      + (function.species.isEmpty ? ", total" : " of " + function.species.joined(separator: "-"))
  }

  private static func writeFunctions(_ r: CorrelationResult, to file: NetCDFFile) throws(FileError)
  {
    func pair(
      _ name: String, _ dimensions: [String], _ values: [Double], _ errors: [Double],
      _ units: String, _ longName: String
    ) throws(FileError) {
      try put(name, dimensions, values, units, longName, to: file)
      if !errors.isEmpty {
        try put(
          name + "_stderr", dimensions, errors, units, "standard error of " + longName, to: file)
      }
    }
    for f in r.functions {
      guard let units = functionUnits[f.kind] else { continue }
      try pair(f.timeName, ["q", "time"], f.values, f.valueErrors, units.time, words(f))
      try pair(
        f.spectrumName, ["q", "omega"], f.spectrum, f.spectrumErrors, units.spectrum,
        "spectrum of the " + words(f))
    }
    for s in r.statics {
      try pair(
        s.name, ["q"], s.values, s.errors, "1",
        "static structure factor"
          + (s.species.isEmpty ? "" : " of " + s.species.joined(separator: "-")))
    }
    // dynasor's totals of coherent and incoherent together.
    if let a = r.function(.coherent), let b = r.function(.incoherent) {
      try put(
        "Fqt", ["q", "time"], zip(a.values, b.values).map { $0 + $1 }, "1",
        "intermediate scattering function, coherent and incoherent", to: file)
      try put(
        "Sqw", ["q", "omega"], zip(a.spectrum, b.spectrum).map { $0 + $1 }, "fs",
        "dynamic structure factor, coherent and incoherent", to: file)
    }
  }

  private static func write(_ derived: DerivedScattering, to file: NetCDFFile) throws(FileError) {
    let scale = derived.unit.perMilli
    if let weighted = derived.weighted {
      try put(
        "energy", ["omega"], derived.energies.map { $0 * scale }, derived.unit.rawValue,
        "energy given to the sample", to: file)
      try put(
        "Sqw_weighted", ["q", "omega"], weighted.values, weighted.unit,
        "weighted intensity per atom",
        to: file, history: weighted.history)
      if !derived.weightedErrors.isEmpty {
        try put(
          "Sqw_weighted_stderr", ["q", "omega"], derived.weightedErrors, weighted.unit,
          "standard errors of the partials, weighted and added: an upper bound", to: file)
      }
    }
    for (name, map, words) in [
      ("Sqw_corrected", derived.corrected, "weighted and corrected intensity per atom"),
      ("Sqw_instrument", derived.seen, "what the instrument sees: NaN where it cannot"),
    ] {
      guard let map else { continue }
      try put(
        name, ["q", "omega"], map.values, map.unit, words, to: file, history: map.history)
    }
    guard let stages = derived.stages else { return }
    let group = try file.defineGroup("spectrum")
    func axis(_ name: String, _ energies: [Double]) throws(FileError) {
      try group.defineDimension(name, energies.count)
      try put(
        name, [name], energies.map { $0 * scale }, derived.unit.rawValue,
        "energy given to the sample", to: group)
    }
    try axis("energy", stages.raw.energies)
    let isFine = stages.resolution.energies != stages.raw.energies
    if isFine { try axis("energy_fine", stages.resolution.energies) }
    for (name, spectrum, words) in [
      ("raw", stages.raw, "S(E) over all q"), ("kinematic", stages.kinematic, "S(E) at the q seen"),
      ("resolution", stages.resolution, "S(E) at the q seen, with resolution"),
      ("quantum", stages.quantum, "S(E) at the q seen, with resolution and corrections"),
    ] {
      let isLater = name == "resolution" || name == "quantum"
      try put(
        name, [isFine && isLater ? "energy_fine" : "energy"], spectrum.values.map { $0 / scale },
        spectrum.unit.replacing("/meV", with: "/" + derived.unit.rawValue), words, to: group,
        history: spectrum.history)
    }
    try group.setAttribute("stages", .text("raw kinematic resolution quantum"))
    try group.setAttribute("history", .text(stages.quantum.history.joined(separator: "\n")))
    guard !derived.limits.isEmpty else { return }
    try group.defineDimension("bank", derived.limits.count)
    let lines = derived.limits.map(\.limits)
    try put(
      "q_low", ["bank", "energy"], lines.flatMap { $0.map { $0?.lowerBound ?? .nan } },
      "rad/angstrom", "smallest |q| of a bank", to: group)
    try put(
      "q_high", ["bank", "energy"], lines.flatMap { $0.map { $0?.upperBound ?? .nan } },
      "rad/angstrom", "largest |q| of a bank", to: group)
  }

  // MARK: reading

  /// A file as it was written, of which `attributes` are the texts.
  public struct Part {
    /// The raw functions.
    public let table: ScatterTable
    /// Texts: title, program, deck, sources and others.
    public let attributes: [(String, String)]

    /// A text by name.
    public subscript(name: String) -> String? { attributes.first { $0.0 == name }?.1 }
  }

  /// Reads the raw functions of a file.
  /// - Throws: `InputError` for a file that is no result of scattering.
  public static func read(_ path: String) throws(InputError) -> Part {
    do {
      return try readPart(path)
    } catch let error as InputError {
      throw error
    } catch let error as FileError {
      throw InputError(error.message, file: path)
    } catch {
      throw InputError("\(error)", file: path)
    }
  }

  private static func readPart(_ path: String) throws -> Part {
    try InputFile.check(path, expecting: "a part of `apus scatter --shard`")
    let file = try NetCDFFile(opening: path)
    defer { try? file.close() }
    let all = try file.attributes()
    func text(_ name: String) -> String? {
      for (key, value) in all where key == name { if case .text(let text) = value { return text } }
      return nil
    }
    func integers(_ name: String) -> [Int]? {
      for (key, value) in all where key == name {
        if case .int64s(let list) = value { return list.map { Int($0) } }
      }
      return nil
    }
    func numbers(_ name: String) -> [Double]? {
      for (key, value) in all where key == name {
        if case .doubles(let list) = value { return list }
      }
      return nil
    }
    let variables = Dictionary(
      uniqueKeysWithValues: try file.variables().map { ($0.name, $0) })
    func values(_ name: String) throws -> [Double]? {
      try variables[name].map { try file.doubles($0) }
    }
    func vectors(_ name: String) throws -> [SIMD3<Double>]? {
      try values(name).map { v in
        (0..<v.count / 3).map { [v[3 * $0], v[3 * $0 + 1], v[3 * $0 + 2]] }
      }
    }
    guard let kind = text("rows"), let names = text("species"),
      let counts = integers("species_counts"),
      let frames = integers("frames")?.first, let atoms = integers("atoms")?.first,
      let timestep = numbers("timestep_fs")?.first, let times = try values("time"),
      let frequencies = try values("omega"), let samples = try values("samples"),
      let norms = try values("q_norms"), let spread = try values("q_norms_std"),
      let h = try vectors("cell"), h.count == 3
    else {
      throw InputError(
        "is no result of apus scatter", remedy: "Give files written with --shard", file: path)
    }
    let isShells = kind == "shells"
    let q = try isShells ? norms.map { [$0, 0, 0] } : vectors("q_points") ?? []
    let species = names.split(separator: " ").map(String.init)
    let kinds: [(stem: String, kind: CorrelationFunction.Kind)] = [
      ("Fqt_coh", .coherent), ("Clqt", .longitudinal), ("Ctqt", .transverse),
      ("Fqt_incoh", .incoherent),
    ]
    // The order of `FunctionSet`: kinds, in each the pairs and then the total.
    var functions: [CorrelationFunction] = []
    for (_, kind) in kinds {
      let lists: [[String]] =
        kind == .incoherent
        ? species.map { [$0] } + [[]]
        : species.indices.flatMap { a in species[a...].map { [species[a], $0] } } + [[]]
      for list in lists {
        var f = CorrelationFunction(
          kind: kind, species: list, values: [], valueErrors: [], spectrum: [], spectrumErrors: [])
        guard let value = try values(f.timeName), let spectrum = try values(f.spectrumName) else {
          continue
        }
        f.values = value
        f.spectrum = spectrum
        f.valueErrors = try values(f.timeName + "_stderr") ?? []
        f.spectrumErrors = try values(f.spectrumName + "_stderr") ?? []
        functions.append(f)
      }
    }
    var statics: [StaticFunction] = []
    for list in species.indices.flatMap({ a in species[a...].map { [species[a], $0] } }) + [[]] {
      var s = StaticFunction(species: list, values: [], errors: [])
      guard let value = try values(s.name) else { continue }
      s.values = value
      s.errors = try values(s.name + "_stderr") ?? []
      statics.append(s)
    }
    let result = CorrelationResult(
      points: .free(q), q: q, norms: norms, normSpread: spread,
      meanCell: try Cell(a: h[0], b: h[1], c: h[2]), timestep: timestep, times: times,
      frequencies: frequencies, pairCounts: samples, frameCount: frames, atomCount: atoms,
      speciesCounts: Dictionary(uniqueKeysWithValues: zip(species, counts)), taper: .none,
      functions: functions, statics: statics)
    var table = ScatterTable(result: result, isShells: isShells)
    if let list = try vectors("hkl") { table.hkl = list.map { SIMD3<Int32>($0) } }
    if let distances = try values("distance"), let zones = try values("zone"),
      let coordinates = try vectors("primitive_coordinates")
    {
      table.path = ScatterPoints.Path(
        distances: distances, zones: zones.map { Int($0) }, coordinates: coordinates,
        labels: (text("path_labels") ?? "").split(separator: " ").map(String.init),
        ticks: numbers("path_ticks") ?? [])
    }
    if let part = integers("part_of_rows"), part.count == 3 {
      table.rows = part[0]..<part[1]
      table.rowCount = part[2]
    }
    table.temperature = numbers("temperature_K")?.first
    table.meanSquares = numbers("mean_square_displacement_A2")
    table.notes = (text("notes") ?? "").split(separator: "\n").map(String.init)
    let texts = all.compactMap { key, value in
      if case .text(let text) = value { (key, text) } else { nil }
    }
    return Part(table: table, attributes: texts)
  }
}

extension ScatterTable {
  init(result: CorrelationResult, isShells: Bool) {
    self.result = result
    self.isShells = isShells
    rows = 0..<result.norms.count
    rowCount = result.norms.count
    notes = []
  }
}
