import CHost

/// A vector of one precision in which the fast evaluator computes. Two conform: eight doubles and
/// sixteen floats. Everything is inlined, so that generic code compiles to plain vector code.
protocol Lanes {
  associatedtype Scalar: BinaryFloatingPoint & BitwiseCopyable & Sendable
  static var width: Int { get }
  init(_ scalar: Scalar)
  init(load pointer: UnsafePointer<Scalar>)
  /// `width` doubles, rounded to the precision.
  init(doubles pointer: UnsafePointer<Double>)
  func store(_ pointer: UnsafeMutablePointer<Scalar>)
  static func + (a: Self, b: Self) -> Self
  static func - (a: Self, b: Self) -> Self
  static func * (a: Self, b: Self) -> Self
  static func / (a: Self, b: Self) -> Self
  /// a·b + c
  static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self
  func squareRoot() -> Self
  /// self where x < limit, else 0.
  func zeroUnless(_ x: Self, lessThan limit: Self) -> Self
  func lower(_ other: Self) -> Self
  /// table[index] for each lane; `kind` says how large the table is.
  /// table[index] for each lane of a table of at most 16 entries, and of any length.
  static func permuted(
    _ table: UnsafePointer<Scalar>, _ index: UnsafePointer<Int32>
  ) -> Self
  static func gathered(
    _ table: UnsafePointer<Scalar>, _ index: UnsafePointer<Int32>
  ) -> Self
  /// The first lanes, at least one.
  func store(_ pointer: UnsafeMutablePointer<Scalar>, lanes: Int)
  /// Doubles in this precision: the same memory, or rounded into `buffer`.
  static func narrowed(
    _ values: UnsafeMutablePointer<Double>, _ count: Int,
    into buffer: UnsafeMutablePointer<Scalar>
  ) -> UnsafeMutablePointer<Scalar>
  /// The memory of doubles if this precision is double and the condition holds, else `buffer`.
  static func aliased(
    _ values: UnsafeMutablePointer<Double>, or buffer: UnsafeMutablePointer<Scalar>,
    when condition: Bool
  ) -> UnsafeMutablePointer<Scalar>
  /// Values as doubles; nothing to do where the memory is the same.
  static func widen(
    _ values: UnsafeMutablePointer<Scalar>, _ count: Int,
    into buffer: UnsafeMutablePointer<Double>)
  /// The sum over lanes, halves first.
  func sum() -> Scalar
  /// sin(πy) and cos(πy) for |y| ≤ ½.
  static func sineCosine(_ y: Self) -> (sine: Self, cosine: Self)
  static func tanh(_ x: Self) -> Self
  /// Σ (p[k] − p[reverse[k]]) over rows of four values, in double.
  static func gather(
    _ p: UnsafePointer<Scalar>, _ reverse: UnsafePointer<Int32>, from first: Int, to last: Int
  ) -> SIMD4<Double>
}

/// How a table of coefficients by neighbour species is read. The work on an atom is compiled once
/// for each.
protocol SpeciesTable {
  static var isSingle: Bool { get }
  static func look<V: Lanes>(
    _: V.Type, _ index: UnsafePointer<Int32>, _ table: UnsafePointer<V.Scalar>
  ) -> V
}

/// One species: the table is one number.
enum SingleSpecies: SpeciesTable {
  @inline(__always) static var isSingle: Bool { true }
  @inline(__always) static func look<V: Lanes>(
    _: V.Type, _ index: UnsafePointer<Int32>, _ table: UnsafePointer<V.Scalar>
  ) -> V { V(table[0]) }
}

/// Up to 16 species: the table is held in registers.
enum FewSpecies: SpeciesTable {
  @inline(__always) static var isSingle: Bool { false }
  @inline(__always) static func look<V: Lanes>(
    _: V.Type, _ index: UnsafePointer<Int32>, _ table: UnsafePointer<V.Scalar>
  ) -> V { V.permuted(table, index) }
}

/// More species: the table is read from memory.
enum ManySpecies: SpeciesTable {
  @inline(__always) static var isSingle: Bool { false }
  @inline(__always) static func look<V: Lanes>(
    _: V.Type, _ index: UnsafePointer<Int32>, _ table: UnsafePointer<V.Scalar>
  ) -> V { V.gathered(table, index) }
}

extension Lanes {
  @inline(__always) static var zero: Self { Self(0) }

  /// Σ c_k t^k by Horner's rule, highest coefficient first.
  @inline(__always)
  static func polynomial(
    _ t: Self, _ c0: Scalar, _ c1: Scalar, _ c2: Scalar, _ c3: Scalar, _ c4: Scalar, _ c5: Scalar
  ) -> Self {
    var p = fma(Self(c0), t, Self(c1))
    p = fma(p, t, Self(c2))
    p = fma(p, t, Self(c3))
    p = fma(p, t, Self(c4))
    return fma(p, t, Self(c5))
  }
}

/// Eight doubles.
struct DoubleLanes: Lanes {
  var v: SIMD8<Double>
  @inline(__always) init(v: SIMD8<Double>) { self.v = v }
  @inline(__always) init(_ scalar: Double) { v = SIMD8(repeating: scalar) }
  @inline(__always) init(load pointer: UnsafePointer<Double>) { v = f64x8_load(pointer) }
  @inline(__always) init(doubles pointer: UnsafePointer<Double>) { v = f64x8_load(pointer) }
  @inline(__always) static var width: Int { 8 }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Double>) { f64x8_store(pointer, v) }
  @inline(__always) static func + (a: Self, b: Self) -> Self { Self(v: a.v + b.v) }
  @inline(__always) static func - (a: Self, b: Self) -> Self { Self(v: a.v - b.v) }
  @inline(__always) static func * (a: Self, b: Self) -> Self { Self(v: a.v * b.v) }
  @inline(__always) static func / (a: Self, b: Self) -> Self { Self(v: a.v / b.v) }
  @inline(__always) static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self {
    Self(v: f64x8_fma(a.v, b.v, c.v))
  }
  @inline(__always) func squareRoot() -> Self { Self(v: f64x8_sqrt(v)) }
  @inline(__always) func zeroUnless(_ x: Self, lessThan limit: Self) -> Self {
    Self(v: f64x8_zero_unless_less(v, x.v, limit.v))
  }
  @inline(__always) func lower(_ other: Self) -> Self { Self(v: f64x8_min(v, other.v)) }
  @inline(__always) static func permuted(
    _ table: UnsafePointer<Double>, _ index: UnsafePointer<Int32>
  ) -> Self { Self(v: f64x8_lookup16(table, i32x8_load(index))) }
  @inline(__always) static func gathered(
    _ table: UnsafePointer<Double>, _ index: UnsafePointer<Int32>
  ) -> Self { Self(v: f64x8_gather(table, i32x8_load(index))) }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Double>, lanes: Int) {
    f64x8_store_first(pointer, v, Int32(truncatingIfNeeded: lanes))
  }
  @inline(__always) static func narrowed(
    _ values: UnsafeMutablePointer<Double>, _ count: Int,
    into buffer: UnsafeMutablePointer<Double>
  ) -> UnsafeMutablePointer<Double> { values }
  @inline(__always) static func aliased(
    _ values: UnsafeMutablePointer<Double>, or buffer: UnsafeMutablePointer<Double>,
    when condition: Bool
  ) -> UnsafeMutablePointer<Double> { condition ? values : buffer }
  @inline(__always) static func widen(
    _ values: UnsafeMutablePointer<Double>, _ count: Int,
    into buffer: UnsafeMutablePointer<Double>
  ) {}
  @inline(__always) func sum() -> Double { f64x8_sum(v) }

  @inline(__always) static func sineCosine(_ y: Self) -> (sine: Self, cosine: Self) {
    let t = y * y
    // Chebyshev fits of sin(πy)/y and cos(πy) in y² on [0, ¼], to 1e-18.
    var s = polynomial(
      t, 7.69782676822419065e-7, -0.0000219034970746260172, 0.00046629981618983938, -0.0073704305059169434, 0.082145886573102895, -0.599264529318944681)
    s = fma(s, t, Self(2.55016403987730047))
    s = fma(s, t, Self(-5.16771278004996961))
    s = fma(s, t, Self(3.14159265358979324))
    var c = polynomial(
      t, 4.14956435394258551e-6, -0.000104566553387487382, 0.00192955627248171315, -0.0258068887370022033, 0.235330630129532854, -1.33526276884344709)
    c = fma(c, t, Self(4.058712126416497))
    c = fma(c, t, Self(-4.93480220054467677))
    c = fma(c, t, Self(0.999999999999999996))
    return (s * y, c)
  }

  @inline(__always) static func gather(
    _ p: UnsafePointer<Double>, _ reverse: UnsafePointer<Int32>, from first: Int, to last: Int
  ) -> SIMD4<Double> {
    var sum = SIMD4<Double>.zero
    for k in first..<last {
      sum += f64x4_load(p + 4 * k) - f64x4_load(p + 4 * Int(reverse[k]))
    }
    return sum
  }

  @inline(__always) static func tanh(_ x: Self) -> Self {
    // 1 − 2/(e^{2x} + 1); beyond |x| = 20 it is ±1 to rounding.
    let a = Self(v: f64x8_max(f64x8_min(x.v + x.v, SIMD8(repeating: 40)), SIMD8(repeating: -40)))
    let n = Self(v: f64x8_round(a.v * 1.4426950408889634))
    var f = fma(n, Self(-0x1.62e42fefa38p-1), a)
    f = fma(n, Self(-0x1.ef35793c7673p-45), f)
    var p = polynomial(
      f, 2.51100376059637777e-8, 2.76326396390410297e-7, 2.75572409185789698e-6, 0.0000248014854823284924, 0.000198412698900471137, 0.00138888889523147747)
    p = fma(p, f, Self(0.00833333333331960061))
    p = fma(p, f, Self(0.0416666666664880955))
    p = fma(p, f, Self(0.166666666666666808))
    p = fma(p, f, Self(0.500000000000001839))
    p = fma(p, f, Self(1.0))
    p = fma(p, f, Self(0.999999999999999997))
    let e = p * Self(v: f64x8_exp2i(n.v))
    return Self(1) - Self(2) / (e + Self(1))
  }
}

/// Sixteen floats.
struct FloatLanes: Lanes {
  var v: SIMD16<Float>
  @inline(__always) init(v: SIMD16<Float>) { self.v = v }
  @inline(__always) init(_ scalar: Float) { v = SIMD16(repeating: scalar) }
  @inline(__always) init(load pointer: UnsafePointer<Float>) { v = f32x16_load(pointer) }
  @inline(__always) init(doubles pointer: UnsafePointer<Double>) { v = f32x16_from_f64(pointer) }
  @inline(__always) static var width: Int { 16 }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>) { f32x16_store(pointer, v) }
  @inline(__always) static func + (a: Self, b: Self) -> Self { Self(v: a.v + b.v) }
  @inline(__always) static func - (a: Self, b: Self) -> Self { Self(v: a.v - b.v) }
  @inline(__always) static func * (a: Self, b: Self) -> Self { Self(v: a.v * b.v) }
  @inline(__always) static func / (a: Self, b: Self) -> Self { Self(v: a.v / b.v) }
  @inline(__always) static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self {
    Self(v: f32x16_fma(a.v, b.v, c.v))
  }
  @inline(__always) func squareRoot() -> Self { Self(v: f32x16_sqrt(v)) }
  @inline(__always) func zeroUnless(_ x: Self, lessThan limit: Self) -> Self {
    Self(v: f32x16_zero_unless_less(v, x.v, limit.v))
  }
  @inline(__always) func lower(_ other: Self) -> Self { Self(v: f32x16_min(v, other.v)) }
  @inline(__always) static func permuted(
    _ table: UnsafePointer<Float>, _ index: UnsafePointer<Int32>
  ) -> Self { Self(v: f32x16_lookup16(table, i32x16_load(index))) }
  @inline(__always) static func gathered(
    _ table: UnsafePointer<Float>, _ index: UnsafePointer<Int32>
  ) -> Self { Self(v: f32x16_gather(table, i32x16_load(index))) }
  @inline(__always) func store(_ pointer: UnsafeMutablePointer<Float>, lanes: Int) {
    f32x16_store_first(pointer, v, Int32(truncatingIfNeeded: lanes))
  }
  @inline(__always) static func narrowed(
    _ values: UnsafeMutablePointer<Double>, _ count: Int,
    into buffer: UnsafeMutablePointer<Float>
  ) -> UnsafeMutablePointer<Float> {
    for k in Swift.stride(from: 0, to: count, by: 16) { Self(doubles: values + k).store(buffer + k) }
    return buffer
  }
  @inline(__always) static func aliased(
    _ values: UnsafeMutablePointer<Double>, or buffer: UnsafeMutablePointer<Float>,
    when condition: Bool
  ) -> UnsafeMutablePointer<Float> { buffer }
  @inline(__always) static func widen(
    _ values: UnsafeMutablePointer<Float>, _ count: Int,
    into buffer: UnsafeMutablePointer<Double>
  ) {
    for k in Swift.stride(from: 0, to: count, by: 8) {
      f64x8_store(buffer + k, f64x8_from_f32(values + k))
    }
  }
  @inline(__always) func sum() -> Float { f32x16_sum(v) }

  @inline(__always) static func sineCosine(_ y: Self) -> (sine: Self, cosine: Self) {
    let t = y * y
    // Chebyshev fits of sin(πy)/y and cos(πy) in y² on [0, ¼], to 2e-10.
    let s = polynomial(
      t, -0.00702830386, 0.0820503502, -0.599252187, 2.55016332, -5.16771276, 3.14159265)
    let c = polynomial(
      t, -0.0243959321, 0.234937069, -1.33521195, 4.05870915, -4.93480214, 1)
    return (s * y, c)
  }

  @inline(__always) static func gather(
    _ p: UnsafePointer<Float>, _ reverse: UnsafePointer<Int32>, from first: Int, to last: Int
  ) -> SIMD4<Double> {
    var sum = SIMD4<Double>.zero
    for k in first..<last {
      sum += f64x4_from_f32(p + 4 * k) - f64x4_from_f32(p + 4 * Int(reverse[k]))
    }
    return sum
  }

  @inline(__always) static func tanh(_ x: Self) -> Self {
    let a = Self(v: f32x16_max(f32x16_min(x.v + x.v, SIMD16(repeating: 20)), SIMD16(repeating: -20)))
    let n = Self(v: f32x16_round(a.v * 1.442695))
    var f = fma(n, Self(-0x1.62e4p-1), a)
    f = fma(n, Self(-0x1.7f7d1cp-20), f)
    var p = polynomial(f, 0.00139411084, 0.0083751264, 0.0416663529, 0.166664155, 0.500000005, 1.00000004)
    p = fma(p, f, Self(1))
    let e = p * Self(v: f32x16_exp2i(n.v))
    return Self(1) - Self(2) / (e + Self(1))
  }
}
