#include <immintrin.h>

void global_avg(const float *x, float *y, int planes, int area)
{
    for (int p = 0; p < planes; p++) {
        __m512 s = _mm512_setzero_ps();
        for (int i = 0; i < area; i += 16) {
            __mmask16 m = area - i >= 16 ? 0xFFFF : (__mmask16)((1u << (area - i)) - 1);
            s = _mm512_mask_add_ps(s, m, s, _mm512_maskz_loadu_ps(m, x + p * area + i));
        }
        y[p] = _mm512_reduce_add_ps(s) / (float)area;
    }
}
