import Glibc

/// The real cube root.
enum CubeRoot {
  static func of(_ x: Double) -> Double { cbrt(x) }
}
