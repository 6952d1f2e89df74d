/// Degrees of freedom N_f = 3N − 3 of `atomCount` atoms with their centre of mass at rest; the one
/// count for thermostats, temperature and conserved quantities.
public func degreesOfFreedom(atomCount: Int) -> Int { max(0, 3 * atomCount - 3) }
