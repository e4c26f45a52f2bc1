#include <immintrin.h>

// Statistics are given; each channel's plane is scaled and shifted.
void batch_norm(const float *x, const float *mean, const float *var, const float *scale, const float *bias,
                float *y, int n, int c, int area, float eps)
{
    for (int i = 0; i < n; i++)
        for (int k = 0; k < c; k++) {
            __m128 v = _mm_set_ss(var[k] + eps);
            float inv = scale[k] / _mm_cvtss_f32(_mm_sqrt_ps(v));
            __m512 a = _mm512_set1_ps(inv), b = _mm512_set1_ps(bias[k] - mean[k] * inv);
            const float *src = x + (i * c + k) * area;
            float *dst = y + (i * c + k) * area;
            for (int p = 0; p < area; p += 16) {
                __mmask16 m = area - p >= 16 ? 0xFFFF : (__mmask16)((1u << (area - p)) - 1);
                _mm512_mask_storeu_ps(dst + p, m, _mm512_fmadd_ps(_mm512_maskz_loadu_ps(m, src + p), a, b));
            }
        }
}
