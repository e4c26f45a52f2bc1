#include <immintrin.h>

void dense(const float *x, const float *weight, const float *bias, float *y, int n, int in, int out)
{
    #pragma omp parallel for
    for (int i = 0; i < n; i++)
        for (int o = 0; o < out; o += 16) {
            __mmask16 m = out - o >= 16 ? 0xFFFF : (__mmask16)((1u << (out - o)) - 1);
            __m512 acc = _mm512_maskz_loadu_ps(m, bias + o);
            for (int k = 0; k < in; k++)
                acc = _mm512_fmadd_ps(_mm512_set1_ps(x[i * in + k]), _mm512_maskz_loadu_ps(m, weight + k * out + o), acc);
            _mm512_mask_storeu_ps(y + i * out + o, m, _mm512_max_ps(acc, _mm512_setzero_ps()));
        }
}
