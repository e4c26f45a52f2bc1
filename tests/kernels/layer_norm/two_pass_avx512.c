#include <immintrin.h>
#include <math.h>

void layer_norm(const float *x, const float *gamma, const float *beta, float *y, int rows, int cols, float eps)
{
    #pragma omp parallel for
    for (int r = 0; r < rows; r++) {
        const float *in = x + r * cols;
        __m512 acc = _mm512_setzero_ps();
        for (int c = 0; c < cols; c += 16) {
            __mmask16 m = cols - c >= 16 ? 0xFFFF : (__mmask16)((1u << (cols - c)) - 1);
            acc = _mm512_add_ps(acc, _mm512_maskz_loadu_ps(m, in + c));
        }
        float mean = _mm512_reduce_add_ps(acc) / cols;
        __m512 vmean = _mm512_set1_ps(mean);
        acc = _mm512_setzero_ps();
        for (int c = 0; c < cols; c += 16) {
            __mmask16 m = cols - c >= 16 ? 0xFFFF : (__mmask16)((1u << (cols - c)) - 1);
            __m512 d = _mm512_maskz_sub_ps(m, _mm512_maskz_loadu_ps(m, in + c), vmean);
            acc = _mm512_fmadd_ps(d, d, acc);
        }
        __m512 scale = _mm512_set1_ps(1.0f / sqrtf(_mm512_reduce_add_ps(acc) / cols + eps));
        for (int c = 0; c < cols; c += 16) {
            __mmask16 m = cols - c >= 16 ? 0xFFFF : (__mmask16)((1u << (cols - c)) - 1);
            __m512 d = _mm512_mul_ps(_mm512_sub_ps(_mm512_maskz_loadu_ps(m, in + c), vmean), scale);
            d = _mm512_fmadd_ps(d, _mm512_maskz_loadu_ps(m, gamma + c), _mm512_maskz_loadu_ps(m, beta + c));
            _mm512_mask_storeu_ps(y + r * cols + c, m, d);
        }
    }
}
