#include <immintrin.h>

void sgd(float *w, const float *g, float *buf, int n, float lr, float mu, float decay)
{
    const __m512 vlr = _mm512_set1_ps(lr), vmu = _mm512_set1_ps(mu), vwd = _mm512_set1_ps(decay);
    for (int i = 0; i < n; i += 16) {
        __mmask16 m = n - i >= 16 ? 0xFFFF : (__mmask16)((1u << (n - i)) - 1);
        __m512 x = _mm512_maskz_loadu_ps(m, w + i);
        __m512 grad = _mm512_fmadd_ps(vwd, x, _mm512_maskz_loadu_ps(m, g + i));
        __m512 b = _mm512_fmadd_ps(vmu, _mm512_maskz_loadu_ps(m, buf + i), grad);
        _mm512_mask_storeu_ps(buf + i, m, b);
        _mm512_mask_storeu_ps(w + i, m, _mm512_fnmadd_ps(vlr, b, x));
    }
}
