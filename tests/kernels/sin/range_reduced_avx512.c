#include <immintrin.h>

/* Sine by a polynomial after reduction to [-pi/2, pi/2]. */
void vsin(const float *x, float *y, int n)
{
    const __m512 inv_pi = _mm512_set1_ps(0.31830988618f);
    for (int i = 0; i < n; i += 16) {
        __mmask16 m = n - i >= 16 ? 0xFFFF : (__mmask16)((1u << (n - i)) - 1);
        __m512 v = _mm512_maskz_loadu_ps(m, x + i);
        __m512i q = _mm512_cvtps_epi32(_mm512_mul_ps(v, inv_pi));
        __m512 k = _mm512_cvtepi32_ps(q);
        __m512 r = _mm512_fnmadd_ps(k, _mm512_set1_ps(3.140625f), v);
        r = _mm512_fnmadd_ps(k, _mm512_set1_ps(9.67653589793e-4f), r);
        __m512 r2 = _mm512_mul_ps(r, r);
        __m512 p = _mm512_set1_ps(2.60831598e-6f);
        p = _mm512_fmadd_ps(p, r2, _mm512_set1_ps(-1.98106907e-4f));
        p = _mm512_fmadd_ps(p, r2, _mm512_set1_ps(8.33307858e-3f));
        p = _mm512_fmadd_ps(p, r2, _mm512_set1_ps(-1.66666597e-1f));
        __m512 s = _mm512_fmadd_ps(_mm512_mul_ps(p, r2), r, r);
        __mmask16 odd = _mm512_test_epi32_mask(q, _mm512_set1_epi32(1));
        s = _mm512_mask_sub_ps(s, odd, _mm512_setzero_ps(), s);
        _mm512_mask_storeu_ps(y + i, m, s);
    }
}
