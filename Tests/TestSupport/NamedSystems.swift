import Matter

/// Structures with a name, for tests.
package enum NamedSystems {
  /// An fcc crystal of cubic cells.
  package static func fcc(_ element: String, edge: Double, cells: [Int]) -> Structure {
    cubic(
      element, edge: edge, cells: cells,
      basis: [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
  }
  /// A diamond crystal of cubic cells.
  package static func diamond(_ element: String, edge: Double, cells: [Int]) -> Structure {
    let fcc: [SIMD3<Double>] = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    return cubic(element, edge: edge, cells: cells, basis: fcc + fcc.map { $0 + 0.25 })
  }
  /// 32 argon atoms near their density at rest.
  package static var argon32: Structure { fcc("Ar", edge: 5.27, cells: [2, 2, 2]) }
  /// 64 silicon atoms.
  package static var silicon64: Structure { diamond("Si", edge: 5.431, cells: [2, 2, 2]) }

  private static func cubic(
    _ element: String, edge: Double, cells: [Int], basis: [SIMD3<Double>]
  ) -> Structure {
    guard let element = Element(symbol: element),
      let cell = try? Cell(orthogonal: SIMD3(repeating: edge)),
      let result = Structure(
        elements: basis.map { _ in element }, positions: basis.map { $0 * edge }, cell: cell,
        periodicity: .all
      ).repeated([[cells[0], 0, 0], [0, cells[1], 0], [0, 0, cells[2]]])
    else { preconditionFailure("a cubic crystal exists") }
    return result
  }
}

extension Structure {
  /// Every atom moved by up to `amplitude` Å along each direction, the same for the same seed.
  package func rattled(by amplitude: Double, seed: UInt64 = 1) -> Structure {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    func next() -> Double {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Double(state >> 11) * 0x1p-53 * 2 - 1
    }
    var result = self
    for i in positions.indices {
      result.positions[i] += SIMD3(next(), next(), next()) * amplitude
    }
    return result
  }

  /// Cell and atoms transformed by r → D r.
  package func transformed(by d: Matrix3) -> Structure {
    var result = self
    result.positions = positions.map { d * $0 }
    result.velocities = velocities?.map { d * $0 }
    if let cell { result.cell = try? Cell(a: d * cell.a, b: d * cell.b, c: d * cell.c) }
    return result
  }

  /// A state with natural masses, at rest.
  package func state() -> PhaseState {
    PhaseState(configuration: configuration(), masses: masses ?? elements.map(\.mass))
  }
}
