#include <immintrin.h>
#include <math.h>

#define DIM 64

void rms_norm(const float *x, const float *weight, float *y, int rows)
{
    for (int r = 0; r < rows; r++) {
        __m512 sq = _mm512_setzero_ps();
        for (int c = 0; c < DIM; c += 16) {
            __m512 v = _mm512_loadu_ps(x + r * DIM + c);
            sq = _mm512_fmadd_ps(v, v, sq);
        }
        float inv = 1.0f / sqrtf(_mm512_reduce_add_ps(sq) / DIM + 1e-6f);
        for (int c = 0; c < DIM; c += 16) {
            __m512 v = _mm512_mul_ps(_mm512_loadu_ps(x + r * DIM + c), _mm512_set1_ps(inv));
            _mm512_storeu_ps(y + r * DIM + c, _mm512_mul_ps(v, _mm512_loadu_ps(weight + c)));
        }
    }
}
