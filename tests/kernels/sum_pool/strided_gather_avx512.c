#include <immintrin.h>

/* Windows of 2 x 2, two apart: the even and the odd columns are gathered. */
void sum_pool(const float *x, float *y, int planes, int h, int w)
{
    int p = h / 2, q = w / 2;
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    for (int t = 0; t < planes; t++)
        for (int i = 0; i < p; i++) {
            const float *a = x + (t * h + 2 * i) * w, *b = a + w;
            float *out = y + (t * p + i) * q;
            for (int j = 0; j < q; j += 16) {
                __mmask16 m = q - j >= 16 ? 0xFFFF : (__mmask16)((1u << (q - j)) - 1);
                __m512 z = _mm512_setzero_ps();
                __m512 s = _mm512_add_ps(_mm512_mask_i32gather_ps(z, m, even, a + 2 * j, 4),
                                         _mm512_mask_i32gather_ps(z, m, even, a + 2 * j + 1, 4));
                s = _mm512_add_ps(s, _mm512_add_ps(_mm512_mask_i32gather_ps(z, m, even, b + 2 * j, 4),
                                                   _mm512_mask_i32gather_ps(z, m, even, b + 2 * j + 1, 4)));
                _mm512_mask_storeu_ps(out + j, m, s);
            }
        }
}
