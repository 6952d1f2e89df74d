#pragma once
// Vector operations that Swift's SIMD types lower badly or not at all. Every function has a
// scalar meaning per lane; the tests compare each with it.

#if defined(__AVX2__)
#include <immintrin.h>
#endif

typedef double f64x8 __attribute__((ext_vector_type(8)));
typedef float f32x16 __attribute__((ext_vector_type(16)));
typedef float f32x8 __attribute__((ext_vector_type(8)));
typedef double f64x4 __attribute__((ext_vector_type(4)));
typedef float f32x4 __attribute__((ext_vector_type(4)));
typedef int i32x8 __attribute__((ext_vector_type(8)));
typedef int i32x16 __attribute__((ext_vector_type(16)));

#define LANES static inline __attribute__((always_inline, unused))

// a*b + c: one rounding where the build has fused multiply-add, two in the portable build.
#if defined(__FMA__) || defined(__aarch64__)
#define LANES_FMA(a, b, c) __builtin_elementwise_fma(a, b, c)
#else
#define LANES_FMA(a, b, c) ((a) * (b) + (c))
#endif
LANES f64x8 f64x8_fma(f64x8 a, f64x8 b, f64x8 c) { return LANES_FMA(a, b, c); }
LANES f32x16 f32x16_fma(f32x16 a, f32x16 b, f32x16 c) { return LANES_FMA(a, b, c); }
// c - a*b, rounded as above.
LANES f64x8 f64x8_fnma(f64x8 a, f64x8 b, f64x8 c) { return LANES_FMA(-a, b, c); }

LANES f64x8 f64x8_sqrt(f64x8 a) { return __builtin_elementwise_sqrt(a); }
LANES f32x16 f32x16_sqrt(f32x16 a) { return __builtin_elementwise_sqrt(a); }
LANES f64x8 f64x8_round(f64x8 a) { return __builtin_elementwise_roundeven(a); }
LANES f32x16 f32x16_round(f32x16 a) { return __builtin_elementwise_roundeven(a); }
LANES f64x8 f64x8_min(f64x8 a, f64x8 b) { return __builtin_elementwise_min(a, b); }
LANES f32x16 f32x16_min(f32x16 a, f32x16 b) { return __builtin_elementwise_min(a, b); }
LANES f64x8 f64x8_max(f64x8 a, f64x8 b) { return __builtin_elementwise_max(a, b); }
LANES f32x16 f32x16_max(f32x16 a, f32x16 b) { return __builtin_elementwise_max(a, b); }

// 2^n for integral n in the normal exponent range.
LANES f64x8 f64x8_exp2i(f64x8 n) {
  typedef long long i64x8 __attribute__((ext_vector_type(8)));
  i64x8 e = (__builtin_convertvector(__builtin_convertvector(n, i32x8), i64x8) + 1023) << 52;
  return (f64x8)e;
}
LANES f32x16 f32x16_exp2i(f32x16 n) {
  i32x16 e = (__builtin_convertvector(n, i32x16) + 127) << 23;
  return (f32x16)e;
}

// a where a < limit in the first argument, else 0.
LANES f64x8 f64x8_zero_unless_less(f64x8 a, f64x8 x, f64x8 limit) {
  typedef long long i64x8 __attribute__((ext_vector_type(8)));
  return (f64x8)((i64x8)a & (x < limit));
}
LANES f32x16 f32x16_zero_unless_less(f32x16 a, f32x16 x, f32x16 limit) {
  return (f32x16)((i32x16)a & (x < limit));
}

LANES i32x8 i32x8_truncating(f64x8 a) { return __builtin_convertvector(a, i32x8); }
LANES f64x8 f64x8_from_i32x8(i32x8 a) { return __builtin_convertvector(a, f64x8); }
LANES f32x8 f32x8_from_f64x8(f64x8 a) { return __builtin_convertvector(a, f32x8); }
// Eight or sixteen doubles narrowed to floats.
LANES f32x16 f32x16_from_f64(const double *p) {
  f64x8 a, b;
  __builtin_memcpy(&a, p, sizeof a);
  __builtin_memcpy(&b, p + 8, sizeof b);
  return __builtin_shufflevector(__builtin_convertvector(a, f32x8),
                                 __builtin_convertvector(b, f32x8), 0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
                                 10, 11, 12, 13, 14, 15);
}

// Unaligned loads and stores.
LANES f64x4 f64x4_load(const double *p) { f64x4 v; __builtin_memcpy(&v, p, sizeof v); return v; }
LANES f64x4 f64x4_from_f32(const float *p) {
  f32x4 v;
  __builtin_memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, f64x4);
}
LANES f64x8 f64x8_load(const double *p) { f64x8 v; __builtin_memcpy(&v, p, sizeof v); return v; }
LANES f32x16 f32x16_load(const float *p) { f32x16 v; __builtin_memcpy(&v, p, sizeof v); return v; }
LANES i32x8 i32x8_load(const int *p) { i32x8 v; __builtin_memcpy(&v, p, sizeof v); return v; }
LANES i32x16 i32x16_load(const int *p) { i32x16 v; __builtin_memcpy(&v, p, sizeof v); return v; }
LANES void i32x8_store(int *p, i32x8 v) { __builtin_memcpy(p, &v, sizeof v); }
LANES void f64x8_store(double *p, f64x8 v) { __builtin_memcpy(p, &v, sizeof v); }
LANES void f32x16_store(float *p, f32x16 v) { __builtin_memcpy(p, &v, sizeof v); }
LANES void f32x8_store(float *p, f32x8 v) { __builtin_memcpy(p, &v, sizeof v); }

LANES f64x8 f64x8_from_f32(const float *p) {
  f32x8 v;
  __builtin_memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, f64x8);
}

// a0 b0 a1 b1 … of the low and of the high halves.
LANES f64x8 f64x8_zip_low(f64x8 a, f64x8 b) {
  return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
LANES f64x8 f64x8_zip_high(f64x8 a, f64x8 b) {
  return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

// The first n lanes.
LANES void f64x8_store_first(double *p, f64x8 v, int n) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_pd(p, (__mmask8)((1u << n) - 1), (__m512d)v);
#else
  for (int k = 0; k < n; k++) p[k] = v[k];
#endif
}
LANES void f32x16_store_first(float *p, f32x16 v, int n) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#else
  for (int k = 0; k < n; k++) p[k] = v[k];
#endif
}

LANES f64x8 f64x8_gather(const double *p, i32x8 j) {
#if defined(__AVX512F__)
  return (f64x8)_mm512_i32gather_pd((__m256i)j, p, 8);
#else
  f64x8 r;
  for (int k = 0; k < 8; k++) r[k] = p[j[k]];
  return r;
#endif
}
LANES f32x16 f32x16_gather(const float *p, i32x16 j) {
#if defined(__AVX512F__)
  return (f32x16)_mm512_i32gather_ps((__m512i)j, p, 4);
#else
  f32x16 r;
  for (int k = 0; k < 16; k++) r[k] = p[j[k]];
  return r;
#endif
}

// table[j] for j in 0..<16.
LANES f64x8 f64x8_lookup16(const double *table, i32x8 j) {
#if defined(__AVX512F__)
  return (f64x8)_mm512_permutex2var_pd(_mm512_loadu_pd(table), _mm512_cvtepi32_epi64((__m256i)j),
                                       _mm512_loadu_pd(table + 8));
#else
  f64x8 r;
  for (int k = 0; k < 8; k++) r[k] = table[j[k]];
  return r;
#endif
}
LANES f32x16 f32x16_lookup16(const float *table, i32x16 j) {
#if defined(__AVX512F__)
  return (f32x16)_mm512_permutexvar_ps((__m512i)j, _mm512_loadu_ps(table));
#else
  f32x16 r;
  for (int k = 0; k < 16; k++) r[k] = table[j[k]];
  return r;
#endif
}

// Appends the lanes k with bit k of mask set to out, in lane order. Up to 8 entries past the
// appended ones may be overwritten.
LANES void f64x8_compress(double *out, f64x8 v, unsigned mask) {
#if defined(__AVX512F__)
  _mm512_storeu_pd(out, _mm512_maskz_compress_pd((__mmask8)mask, (__m512d)v));
#else
  int n = 0;
  for (int k = 0; k < 8; k++) { out[n] = v[k]; n += (mask >> k) & 1; }
#endif
}
LANES void i32x8_compress(int *out, i32x8 v, unsigned mask) {
#if defined(__AVX512VL__)
  _mm256_storeu_si256((__m256i *)out, _mm256_maskz_compress_epi32((__mmask8)mask, (__m256i)v));
#else
  int n = 0;
  for (int k = 0; k < 8; k++) { out[n] = v[k]; n += (mask >> k) & 1; }
#endif
}

// Bit k set where a[k] < b[k].
LANES unsigned f64x8_less_mask(f64x8 a, f64x8 b) {
#if defined(__AVX512F__)
  return (unsigned)_mm512_cmp_pd_mask((__m512d)a, (__m512d)b, _CMP_LT_OQ);
#else
  unsigned m = 0;
  for (int k = 0; k < 8; k++) m |= (unsigned)(a[k] < b[k]) << k;
  return m;
#endif
}

// Sums over lanes in a fixed order: halves are added first.
LANES double f64x8_sum(f64x8 a) {
  f64x4 b = a.lo + a.hi;
  typedef double f64x2 __attribute__((ext_vector_type(2)));
  f64x2 c = b.lo + b.hi;
  return c[0] + c[1];
}
LANES float f32x16_sum(f32x16 a) {
  f32x8 b = a.lo + a.hi;
  f32x4 c = b.lo + b.hi;
  return (c[0] + c[2]) + (c[1] + c[3]);
}
