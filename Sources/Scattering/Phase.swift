import CHost

/// cos 2πx and sin 2πx of eight x with |x| ≤ ½, to 2⁻⁵².
@inline(__always)
func phase(ofTurns x: SIMD8<Double>) -> (cosine: SIMD8<Double>, sine: SIMD8<Double>) {
  // With y = 2x − n the two are those of πy times (−1)ⁿ, |y| ≤ ½.
  let n = f64x8_round(x + x)
  let y = (x + x) - n
  let sign = f64x8_fnma(n + n, n, SIMD8(repeating: 1))
  let t = y * y
  // Chebyshev fits of sin(πy)/y and cos(πy) in y² on [0, ¼], to 1e-18.
  var s = SIMD8<Double>(repeating: 7.69782676822419065e-7)
  s = f64x8_fma(s, t, SIMD8(repeating: -0.0000219034970746260172))
  s = f64x8_fma(s, t, SIMD8(repeating: 0.00046629981618983938))
  s = f64x8_fma(s, t, SIMD8(repeating: -0.0073704305059169434))
  s = f64x8_fma(s, t, SIMD8(repeating: 0.082145886573102895))
  s = f64x8_fma(s, t, SIMD8(repeating: -0.599264529318944681))
  s = f64x8_fma(s, t, SIMD8(repeating: 2.55016403987730047))
  s = f64x8_fma(s, t, SIMD8(repeating: -5.16771278004996961))
  s = f64x8_fma(s, t, SIMD8(repeating: 3.14159265358979324))
  var c = SIMD8<Double>(repeating: 4.14956435394258551e-6)
  c = f64x8_fma(c, t, SIMD8(repeating: -0.000104566553387487382))
  c = f64x8_fma(c, t, SIMD8(repeating: 0.00192955627248171315))
  c = f64x8_fma(c, t, SIMD8(repeating: -0.0258068887370022033))
  c = f64x8_fma(c, t, SIMD8(repeating: 0.235330630129532854))
  c = f64x8_fma(c, t, SIMD8(repeating: -1.33526276884344709))
  c = f64x8_fma(c, t, SIMD8(repeating: 4.058712126416497))
  c = f64x8_fma(c, t, SIMD8(repeating: -4.93480220054467677))
  c = f64x8_fma(c, t, SIMD8(repeating: 0.999999999999999996))
  return (c * sign, s * y * sign)
}
