#include <immintrin.h>

static inline __m256 clamp8(__m256 v, __m256 lo, __m256 hi)
{
    return _mm256_min_ps(_mm256_max_ps(v, lo), hi);
}

void relu_clip(const float *src, float *dst, float ceiling, int count)
{
    __m256 lo = _mm256_setzero_ps();
    __m256 hi = _mm256_set1_ps(ceiling);
    int i;
    for (i = 0; i + 8 <= count; i += 8)
        _mm256_storeu_ps(dst + i, clamp8(_mm256_loadu_ps(src + i), lo, hi));
    for (; i < count; i++) {
        float v = src[i];
        if (v < 0.0f) v = 0.0f;
        if (v > ceiling) v = ceiling;
        dst[i] = v;
    }
}
