#include <immintrin.h>

void sign(const float *x, float *y, int n)
{
    const __m512 zero = _mm512_setzero_ps(), one = _mm512_set1_ps(1.0f), minus = _mm512_set1_ps(-1.0f);
    for (int i = 0; i < n; i += 16) {
        __mmask16 k = n - i < 16 ? (__mmask16)((1u << (n - i)) - 1) : (__mmask16)-1;
        __m512 v = _mm512_maskz_loadu_ps(k, x + i);
        __m512 s = _mm512_mask_blend_ps(_mm512_cmp_ps_mask(v, zero, _CMP_GT_OQ), zero, one);
        s = _mm512_mask_mov_ps(s, _mm512_cmp_ps_mask(v, zero, _CMP_LT_OQ), minus);
        _mm512_mask_storeu_ps(y + i, k, s);
    }
}
