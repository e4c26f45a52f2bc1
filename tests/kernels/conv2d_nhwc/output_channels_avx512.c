#include <immintrin.h>

#define K 16

/* One image, filters (r, s, c, k): sixteen output channels in a register. */
void conv(const float *x, const float *w, float *y, int h, int width, int c)
{
    int p = h - 2, q = width - 2;
    for (int i = 0; i < p; i++)
        for (int j = 0; j < q; j++) {
            __m512 acc = _mm512_setzero_ps();
            for (int r = 0; r < 3; r++)
                for (int s = 0; s < 3; s++)
                    for (int t = 0; t < c; t++) {
                        __m512 in = _mm512_set1_ps(x[((i + r) * width + j + s) * c + t]);
                        acc = _mm512_fmadd_ps(in, _mm512_loadu_ps(w + ((r * 3 + s) * c + t) * K), acc);
                    }
            _mm512_storeu_ps(y + (i * q + j) * K, acc);
        }
}
