#include <immintrin.h>

void adam(float *w, const float *g, float *m, float *v, int n, float lr, float b1, float b2, float eps)
{
    __m512 beta1 = _mm512_set1_ps(b1), beta2 = _mm512_set1_ps(b2);
    __m512 rest1 = _mm512_set1_ps(1.0f - b1), rest2 = _mm512_set1_ps(1.0f - b2);
    for (int i = 0; i < n; i += 16) {
        __mmask16 k = n - i >= 16 ? 0xFFFF : (__mmask16)((1u << (n - i)) - 1);
        __m512 grad = _mm512_maskz_loadu_ps(k, g + i);
        __m512 first = _mm512_fmadd_ps(beta1, _mm512_maskz_loadu_ps(k, m + i), _mm512_mul_ps(rest1, grad));
        __m512 second = _mm512_fmadd_ps(beta2, _mm512_maskz_loadu_ps(k, v + i), _mm512_mul_ps(rest2, _mm512_mul_ps(grad, grad)));
        _mm512_mask_storeu_ps(m + i, k, first);
        _mm512_mask_storeu_ps(v + i, k, second);
        __m512 down = _mm512_add_ps(_mm512_sqrt_ps(second), _mm512_set1_ps(eps));
        __m512 step = _mm512_div_ps(_mm512_mul_ps(_mm512_set1_ps(lr), first), down);
        _mm512_mask_storeu_ps(w + i, k, _mm512_sub_ps(_mm512_maskz_loadu_ps(k, w + i), step));
    }
}
