// A wrong translation of ../softmax.cu: xpiler repair says where.
// Row-wise softmax: one block a row, maximum and sum by tree reductions in shared memory.

#include <immintrin.h>
#include <math.h>
#include <stdint.h>

#ifndef _OPENMP
#pragma GCC diagnostic ignored "-Wunknown-pragmas"
#endif
#ifdef __clang__
#pragma clang diagnostic ignored "-Wpass-failed"
#endif

#define BLOCK 256

static inline __mmask16 first_lanes(int64_t n)
{
    return n >= 16 ? 0xFFFF : (__mmask16)((1u << n) - 1);
}

/* e^x = 2^k e^r with |r| <= ln 2 / 2; the polynomial's error is below one unit in the last place. */
static inline __m512 exp_lanes(__m512 x)
{
    x = _mm512_max_ps(_mm512_set1_ps(-104.0f), _mm512_min_ps(_mm512_set1_ps(89.0f), x));
    __m512 k = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), 8);
    __m512 r = _mm512_fnmadd_ps(k, _mm512_set1_ps(0.693145752f), x);
    r = _mm512_fnmadd_ps(k, _mm512_set1_ps(1.42860677e-6f), r);
    __m512 p = _mm512_set1_ps(1.98412698e-4f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.38888889e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(8.33333333e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(4.16666667e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.66666667e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5f));
    p = _mm512_fmadd_ps(_mm512_mul_ps(r, r), p, r);
    return _mm512_scalef_ps(_mm512_add_ps(p, _mm512_set1_ps(1.0f)), k);
}

static void softmax_rows(const float *restrict x, float *restrict y, int cols, unsigned grid_x)
{
    for (int block = 0; block < (int)grid_x; block++) {
        const float *row = x + (unsigned)block * cols;
        float *out = y + (unsigned)block * cols;
        float part[256];
        for (int tid = 0; tid < BLOCK; tid++) {
            // the largest value of the row keeps exp() in range
            float m = -INFINITY;
            float m_max = -INFINITY;
            #pragma omp simd reduction(max:m_max)
            for (int j = tid; j < cols; j += BLOCK) {
                m_max = fmaxf(m_max, row[j]);
            }
            m = fmaxf(m, m_max);
            part[tid] = m;
        }
        for (int s = 128; s > 0; s >>= 1) {
            for (int tid = 0; tid < s; tid++) {
                part[tid] = fmaxf(part[tid], part[tid + s]);
            }
        }
        float m = part[0];
        for (int tid = 0; tid < BLOCK; tid++) {
            int sum = 0.0f;
            #pragma omp simd reduction(+:sum)
            for (int j = tid; j < cols; j += BLOCK) {
                sum += expf(row[j] - m);
            }
            part[tid] = sum;
        }
        for (int s = 128; s > 0; s >>= 1) {
            for (int tid = 0; tid < s; tid++) {
                part[tid] += part[tid + s];
            }
        }
        float sum = part[0];
        for (int j = 0; j < cols; j += 16) {
            uint16_t live = first_lanes(cols - j);
            _mm512_mask_storeu_ps(&out[j], live,
                    _mm512_div_ps(exp_lanes(_mm512_sub_ps(_mm512_maskz_loadu_ps(live, &row[j]),
                    _mm512_set1_ps(m))), _mm512_set1_ps(sum)));
        }
    }
}

void softmax(const float *x, float *y, int rows, int cols)
{
    softmax_rows(x, y, cols, rows);
}
