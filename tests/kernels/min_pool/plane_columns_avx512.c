#include <immintrin.h>

/* Windows of win x win, one step apart: sixteen of them at a time. */
void min_pool(const float *x, float *y, int h, int w, int win)
{
    int p = h - win + 1, q = w - win + 1;
    for (int i = 0; i < p; i++) {
        int j = 0;
        for (; j + 16 <= q; j += 16) {
            __m512 m = _mm512_loadu_ps(x + i * w + j);
            for (int r = 0; r < win; r++)
                for (int s = 0; s < win; s++)
                    m = _mm512_min_ps(m, _mm512_loadu_ps(x + (i + r) * w + j + s));
            _mm512_storeu_ps(y + i * q + j, m);
        }
        for (; j < q; j++) {
            float m = x[i * w + j];
            for (int r = 0; r < win; r++)
                for (int s = 0; s < win; s++)
                    m = m < x[(i + r) * w + j + s] ? m : x[(i + r) * w + j + s];
            y[i * q + j] = m;
        }
    }
}
