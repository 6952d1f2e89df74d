import Matter

extension RunPlan.Coupling {
  /// Independent strains n_c.
  var strainCount: Int {
    switch self {
    case .isotropic: 1
    case .orthorhombic: 3
    case .triclinic: 6
    }
  }

  /// The part of a strain or cell force that moves the cell; upper triangular for triclinic.
  func project(_ g: Matrix3) -> Matrix3 {
    switch self {
    case .isotropic: Matrix3.identity * (g.trace / 3)
    case .orthorhombic: Matrix3(diagonal: [g.x.x, g.y.y, g.z.z])
    case .triclinic:
      Matrix3([g.x.x, g.x.y, g.x.z], [0, g.y.y, g.y.z], [0, 0, g.z.z])
    }
  }
}
