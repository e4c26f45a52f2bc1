#include <immintrin.h>
#include <math.h>

/* Stored in half precision, computed in float. */
void gelu_half(const _Float16 *x, _Float16 *y, int n)
{
    for (int i = 0; i + 16 <= n; i += 16) {
        float t[16];
        _mm512_storeu_ps(t, _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(x + i))));
        for (int j = 0; j < 16; j++)
            t[j] = 0.5f * t[j] * (1.0f + erff(t[j] * 0.70710678f));
        __m256i h = _mm512_cvtps_ph(_mm512_loadu_ps(t), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        _mm256_storeu_si256((__m256i *)(y + i), h);
    }
}
