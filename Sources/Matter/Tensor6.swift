/// A symmetric 3×3 tensor in the order xx yy zz yz xz xy.
public struct Tensor6: Sendable, Equatable {
  /// The diagonal and off-diagonal components.
  public var xx, yy, zz, yz, xz, xy: Double

  /// A tensor of six components.
  public init(
    xx: Double = 0, yy: Double = 0, zz: Double = 0, yz: Double = 0, xz: Double = 0, xy: Double = 0
  ) {
    (self.xx, self.yy, self.zz) = (xx, yy, zz)
    (self.yz, self.xz, self.xy) = (yz, xz, xy)
  }

  /// The symmetric part of a matrix.
  public init(_ m: Matrix3) {
    self.init(
      xx: m.x.x, yy: m.y.y, zz: m.z.z, yz: (m.y.z + m.z.y) / 2, xz: (m.x.z + m.z.x) / 2,
      xy: (m.x.y + m.y.x) / 2)
  }

  /// The zero tensor.
  public static let zero = Tensor6()
  /// The components in order.
  public var components: [Double] { [xx, yy, zz, yz, xz, xy] }
  /// The trace.
  public var trace: Double { xx + yy + zz }
  /// The full matrix.
  public var matrix: Matrix3 { Matrix3([xx, xy, xz], [xy, yy, yz], [xz, yz, zz]) }

  /// The sum.
  public static func + (a: Tensor6, b: Tensor6) -> Tensor6 {
    Tensor6(
      xx: a.xx + b.xx, yy: a.yy + b.yy, zz: a.zz + b.zz, yz: a.yz + b.yz, xz: a.xz + b.xz,
      xy: a.xy + b.xy)
  }
  /// The tensor times a number.
  public static func * (a: Tensor6, s: Double) -> Tensor6 {
    Tensor6(xx: a.xx * s, yy: a.yy * s, zz: a.zz * s, yz: a.yz * s, xz: a.xz * s, xy: a.xy * s)
  }
}
