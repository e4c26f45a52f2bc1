#include <immintrin.h>

void max_of(const float *x, float *out, int n)
{
    __m512 best = _mm512_set1_ps(-3.402823466e+38f);
    int i = 0;
    for (; i + 16 <= n; i += 16)
        best = _mm512_max_ps(best, _mm512_loadu_ps(x + i));
    if (i < n) {
        __mmask16 m = (__mmask16)((1u << (n - i)) - 1);
        best = _mm512_mask_max_ps(best, m, best, _mm512_maskz_loadu_ps(m, x + i));
    }
    *out = _mm512_reduce_max_ps(best);
}
