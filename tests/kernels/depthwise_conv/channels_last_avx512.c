#include <immintrin.h>

#define C 32

/* 3 x 3, channels last: a register holds sixteen channels. */
void depthwise(const float *x, const float *w, float *y, int h, int width)
{
    for (int i = 0; i < h - 2; i++)
        for (int j = 0; j < width - 2; j++)
            for (int c = 0; c < C; c += 16) {
                __m512 s = _mm512_setzero_ps();
                for (int r = 0; r < 3; r++)
                    for (int q = 0; q < 3; q++)
                        s = _mm512_fmadd_ps(_mm512_loadu_ps(x + ((i + r) * width + j + q) * C + c),
                                            _mm512_loadu_ps(w + (r * 3 + q) * C + c), s);
                _mm512_storeu_ps(y + (i * (width - 2) + j) * C + c, s);
            }
}
