#include <immintrin.h>

/* 2 x 2 windows side by side, channels last, channels a multiple of 16. */
void max_pool(const float *x, float *y, int n, int h, int w, int c)
{
    int p = h / 2, q = w / 2;
    for (int b = 0; b < n; b++)
        for (int i = 0; i < p; i++)
            for (int j = 0; j < q; j++)
                for (int k = 0; k < c; k += 16) {
                    const float *at = x + ((b * h + 2 * i) * w + 2 * j) * c + k;
                    __m512 top = _mm512_max_ps(_mm512_loadu_ps(at), _mm512_loadu_ps(at + c));
                    __m512 low = _mm512_max_ps(_mm512_loadu_ps(at + w * c), _mm512_loadu_ps(at + w * c + c));
                    _mm512_storeu_ps(y + ((b * p + i) * q + j) * c + k, _mm512_max_ps(top, low));
                }
}
