import Matter

/// How densities at lattice points are computed.
public enum DensityMethod: Sendable, Equatable {
  /// By the cheaper method for the plan's own points (`CorrelationPlan.densityMethod`).
  case automatic
  /// As sums of products of phases, atom by atom and point by point: exact to rounding.
  case products
  /// By a non-uniform Fourier transform, to 1e-10 of the root of the number of atoms, on a grid made for indices
  /// up to `largest`.
  case transform(largest: SIMD3<Int32>)
}

extension CorrelationPlan {
  /// The method by which densities are computed: the one of the plan or, if that is automatic, the
  /// cheaper by `DensityCost`. Where points are divided among processes, take that of all of them,
  /// so that parts have the bits of the whole.
  /// - Parameter passes: how often all frames are gone through, with a part of the points each time
  public func densityMethod(for species: SpeciesMap, passes: Int = 1) -> DensityMethod {
    guard densities == .automatic else { return densities }
    guard let list = points.integers, !list.isEmpty else { return .products }
    let counts = species.names.indices.map { species.atoms(of: $0).count }
    let cost = DensityCost(
      points: list, atomCounts: counts, hasCurrents: kinds.contains(.currents))
    return Double(passes) * cost.transform < cost.products && cost.transformMemory < 2 << 30
      ? .transform(largest: SIMD3<Int32>(truncatingIfNeeded: cost.largest)) : .products
  }
}
