#include <immintrin.h>

/* Negative numbers are multiplied by the slope, under a mask. */
void leaky_relu(const float *x, float *y, int n, float slope)
{
    const __m512 zero = _mm512_setzero_ps();
    const __m512 s = _mm512_set1_ps(slope);
    for (int i = 0; i < n; i += 16) {
        __mmask16 live = (n - i >= 16) ? 0xFFFF : (__mmask16)((1 << (n - i)) - 1);
        __m512 v = _mm512_maskz_loadu_ps(live, x + i);
        __mmask16 negative = _mm512_cmp_ps_mask(v, zero, _CMP_LT_OQ);
        v = _mm512_mask_mul_ps(v, negative, v, s);
        _mm512_mask_storeu_ps(y + i, live, v);
    }
}
