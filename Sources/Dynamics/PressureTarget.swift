import Matter

/// A target pressure tensor S as an energy of the cell: p V + ½ tr(Σ hᵀh) with p = tr S/3 and
/// Σ = V₀ h₀⁻¹ (S − p) h₀⁻ᵀ (Parrinello and Rahman, JAP 52, 7182 (1981)); h has the cell vectors as
/// columns.
struct PressureTarget: Sendable {
  /// The reference cell h₀ as rows, fixed at the start of a stage.
  var reference: Matrix3
  /// S, in eV/Å³.
  var pressure: Tensor6

  private var mean: Double { pressure.trace / 3 }
  private var isHydrostatic: Bool {
    pressure.xx == pressure.yy && pressure.yy == pressure.zz && pressure.yz == 0
      && pressure.xz == 0 && pressure.xy == 0
  }
  private var sigma: Matrix3 {
    let inverse = reference.transpose.inverse
    let deviator = pressure.matrix - Matrix3.identity * mean
    return inverse * deviator * inverse.transpose * abs(reference.determinant)
  }

  /// The tensor that the internal V P balances, V p + h Σ hᵀ, in eV.
  func load(on cell: Cell) -> Matrix3 {
    let hydrostatic = Matrix3.identity * (cell.volume * mean)
    if isHydrostatic { return hydrostatic }
    let h = cell.rows.transpose
    return hydrostatic + h * sigma * h.transpose
  }

  /// The energy, in eV.
  func energy(of cell: Cell) -> Double {
    let hydrostatic = cell.volume * mean
    if isHydrostatic { return hydrostatic }
    let h = cell.rows.transpose
    return hydrostatic + (sigma * (h.transpose * h)).trace / 2
  }
}
