#include <immintrin.h>

/* Positive numbers of each row first, the rest zero. */
void compact(const float *x, float *y, int *count, int rows, int cols)
{
    for (int r = 0; r < rows; r++) {
        int found = 0;
        for (int c = 0; c < cols; c++)
            y[r * cols + c] = 0.0f;
        for (int c = 0; c < cols; c += 16) {
            __mmask16 m = cols - c >= 16 ? 0xFFFF : (__mmask16)((1u << (cols - c)) - 1);
            __m512 v = _mm512_maskz_loadu_ps(m, x + r * cols + c);
            __mmask16 k = _mm512_mask_cmp_ps_mask(m, v, _mm512_setzero_ps(), _CMP_GT_OQ);
            _mm512_mask_compressstoreu_ps(y + r * cols + found, k, v);
            found += __builtin_popcount(k);
        }
        count[r] = found;
    }
}
