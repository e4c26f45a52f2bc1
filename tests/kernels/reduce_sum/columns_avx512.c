#include <immintrin.h>

/* Sums down the columns of a matrix. */
void column_sums(const float *x, float *y, int rows, int cols)
{
    for (int c = 0; c < cols; c += 16) {
        __mmask16 k = cols - c >= 16 ? 0xFFFF : (__mmask16)((1u << (cols - c)) - 1);
        __m512 s = _mm512_setzero_ps();
        for (int r = 0; r < rows; r++)
            s = _mm512_add_ps(s, _mm512_maskz_loadu_ps(k, x + r * cols + c));
        _mm512_mask_storeu_ps(y + c, k, s);
    }
}
