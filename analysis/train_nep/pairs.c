// Forces and virials from the coefficients of the pair gradients, and the transposed map.
//
// For every pair i -> j of a frame, with J the species of j,
//   p = u sum_lm b_lm sum_k f'_k R[J,k,lm] + sum_lm grad b_lm sum_k f_k R[J,k,lm] + u sum_k F'_k Q[J,k]
//   force_i += p, force_j -= p, virial -= r p
// where R and Q belong to atom i. This is linear in R and Q, so the transposed map is its gradient.
// Compiled with -DREAL, -DHARMONICS, -DBASIS_A, -DBASIS_R: fixed lengths are what makes the loops fast.
#include <math.h>
#include <stdint.h>

// One row of the table: what is stored for a frame.
typedef struct {
  const REAL *ang_r, *ang_f, *ang_b, *rad_r, *rad_f;
  const int32_t *ang_start, *ang_j, *ang_J, *rad_start, *rad_j, *rad_J, *counts;
} Frame;

typedef REAL Vec[HARMONICS];

// rows[b]: first atom of frame b in the batch. offset[b][I]: place of its first atom of species I among
// those of the batch. R[I]: [J, k, atom, lm]. Q[I]: [atom, J, k].
void forward(int batch, int species, const Frame *frames, const int32_t *rows, const int32_t *offset,
             const int32_t *total, REAL *const *R, REAL *const *Q, REAL *forces, REAL *virials) {
#pragma omp parallel for schedule(dynamic, 1)
  for (int b = 0; b < batch; ++b) {
    const Frame *x = &frames[b];
    REAL(*F)[3] = (REAL(*)[3])forces + rows[b];
    REAL *W = virials + 9 * b;
    for (int I = 0, i = 0; I < species; ++I) {
      const long stride = (long)total[I] * HARMONICS;
      for (int a = 0; a < x->counts[I]; ++a, ++i) {
        const long own = offset[b * species + I] + a;
        REAL Fi[3] = {0, 0, 0};
        for (int p = x->ang_start[i]; p < x->ang_start[i + 1]; ++p) {
          const REAL *f = x->ang_f + (long)p * 2 * BASIS_A, *r = x->ang_r + 3 * (long)p;
          const Vec *harmonics = (const Vec *)(x->ang_b) + 4 * (long)p;
          const REAL *coefficients = R[I] + x->ang_J[p] * BASIS_A * stride + own * HARMONICS;
          Vec T = {0}, D = {0};
          for (int k = 0; k < BASIS_A; ++k) {
            const REAL *c = coefficients + k * stride;
            for (int m = 0; m < HARMONICS; ++m) {
              T[m] += f[k] * c[m];
              D[m] += f[BASIS_A + k] * c[m];
            }
          }
          REAL h = 0, g[3] = {0, 0, 0};
          for (int m = 0; m < HARMONICS; ++m) h += D[m] * harmonics[0][m];
          for (int d = 0; d < 3; ++d)
            for (int m = 0; m < HARMONICS; ++m) g[d] += T[m] * harmonics[1 + d][m];
          h /= (REAL)sqrt((double)(r[0] * r[0] + r[1] * r[1] + r[2] * r[2]));
          const int j = x->ang_j[p];
          for (int d = 0; d < 3; ++d) {
            g[d] += h * r[d];
            Fi[d] += g[d];
            F[j][d] -= g[d];
          }
          for (int e = 0; e < 3; ++e)
            for (int d = 0; d < 3; ++d) W[3 * e + d] -= r[e] * g[d];
        }
        for (int p = x->rad_start[i]; p < x->rad_start[i + 1]; ++p) {
          const REAL *f = x->rad_f + (long)p * BASIS_R, *r = x->rad_r + 3 * (long)p;
          const REAL *c = Q[I] + (own * species + x->rad_J[p]) * BASIS_R;
          REAL h = 0;
          for (int k = 0; k < BASIS_R; ++k) h += f[k] * c[k];
          const int j = x->rad_j[p];
          for (int d = 0; d < 3; ++d) {
            Fi[d] += h * r[d];
            F[j][d] -= h * r[d];
          }
          for (int e = 0; e < 3; ++e)
            for (int d = 0; d < 3; ++d) W[3 * e + d] -= h * r[e] * r[d];
        }
        for (int d = 0; d < 3; ++d) F[i][d] += Fi[d];
      }
    }
  }
}

// Gradients with respect to R and Q, from those with respect to forces and virials.
void backward(int batch, int species, const Frame *frames, const int32_t *rows, const int32_t *offset,
              const int32_t *total, REAL *const *R, REAL *const *Q, const REAL *forces,
              const REAL *virials) {
#pragma omp parallel for schedule(dynamic, 1)
  for (int b = 0; b < batch; ++b) {
    const Frame *x = &frames[b];
    const REAL(*F)[3] = (const REAL(*)[3])forces + rows[b];
    const REAL *W = virials + 9 * b;
    for (int I = 0, i = 0; I < species; ++I) {
      const long stride = (long)total[I] * HARMONICS;
      for (int a = 0; a < x->counts[I]; ++a, ++i) {
        const long own = offset[b * species + I] + a;
        for (int p = x->ang_start[i]; p < x->ang_start[i + 1]; ++p) {
          const REAL *f = x->ang_f + (long)p * 2 * BASIS_A, *r = x->ang_r + 3 * (long)p;
          const Vec *harmonics = (const Vec *)(x->ang_b) + 4 * (long)p;
          REAL *gradient = R[I] + x->ang_J[p] * BASIS_A * stride + own * HARMONICS;
          const int j = x->ang_j[p];
          REAL g[3], h = 0;
          for (int d = 0; d < 3; ++d) {
            g[d] = F[i][d] - F[j][d] - r[0] * W[d] - r[1] * W[3 + d] - r[2] * W[6 + d];
            h += g[d] * r[d];
          }
          h /= (REAL)sqrt((double)(r[0] * r[0] + r[1] * r[1] + r[2] * r[2]));
          Vec T, D;
          for (int m = 0; m < HARMONICS; ++m) {
            D[m] = h * harmonics[0][m];
            T[m] = g[0] * harmonics[1][m] + g[1] * harmonics[2][m] + g[2] * harmonics[3][m];
          }
          for (int k = 0; k < BASIS_A; ++k) {
            REAL *c = gradient + k * stride;
            for (int m = 0; m < HARMONICS; ++m) c[m] += f[k] * T[m] + f[BASIS_A + k] * D[m];
          }
        }
        for (int p = x->rad_start[i]; p < x->rad_start[i + 1]; ++p) {
          const REAL *f = x->rad_f + (long)p * BASIS_R, *r = x->rad_r + 3 * (long)p;
          REAL *c = Q[I] + (own * species + x->rad_J[p]) * BASIS_R;
          const int j = x->rad_j[p];
          REAL h = 0;
          for (int d = 0; d < 3; ++d)
            h += r[d] * (F[i][d] - F[j][d] - r[0] * W[d] - r[1] * W[3 + d] - r[2] * W[6 + d]);
          for (int k = 0; k < BASIS_R; ++k) c[k] += h * f[k];
        }
      }
    }
  }
}
