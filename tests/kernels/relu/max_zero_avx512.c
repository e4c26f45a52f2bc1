#include <immintrin.h>

void relu(const float *x, float *y, int n)
{
    const __m512 zero = _mm512_setzero_ps();
    int i = 0;
    for (; i + 15 < n; i += 16)
        _mm512_storeu_ps(y + i, _mm512_max_ps(_mm512_loadu_ps(x + i), zero));
    for (; i < n; i++)
        y[i] = x[i] > 0.0f ? x[i] : 0.0f;
}
