#include <immintrin.h>

/* Valid 3 x 3 convolution; a register holds sixteen columns of the output, the last ones masked. */
void conv3x3(const float *x, const float *w, const float *b, float *y, int cin, int cout, int h, int width)
{
    int p = h - 2, q = width - 2;
    for (int m = 0; m < cout; m++)
        for (int i = 0; i < p; i++)
            for (int j = 0; j < q; j += 16) {
                __mmask16 k = q - j >= 16 ? 0xFFFF : (__mmask16)((1u << (q - j)) - 1);
                __m512 acc = _mm512_set1_ps(b[m]);
                for (int c = 0; c < cin; c++)
                    for (int r = 0; r < 3; r++)
                        for (int s = 0; s < 3; s++) {
                            __m512 in = _mm512_maskz_loadu_ps(k, x + (c * h + i + r) * width + j + s);
                            acc = _mm512_fmadd_ps(in, _mm512_set1_ps(w[((m * cin + c) * 3 + r) * 3 + s]), acc);
                        }
                _mm512_mask_storeu_ps(y + (m * p + i) * q + j, k, acc);
            }
}
