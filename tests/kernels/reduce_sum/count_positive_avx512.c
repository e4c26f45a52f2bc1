#include <immintrin.h>

/* How many numbers of each row are positive: bits of a mask are counted. */
void count_positive(const float *x, int *counts, int rows, int cols)
{
    const __m512 zero = _mm512_setzero_ps();
    for (int r = 0; r < rows; r++) {
        int found = 0;
        int c = 0;
        for (; c + 16 <= cols; c += 16)
            found += __builtin_popcount(_mm512_cmp_ps_mask(_mm512_loadu_ps(x + r * cols + c), zero, _CMP_GT_OQ));
        for (; c < cols; c++)
            found += x[r * cols + c] > 0.0f;
        counts[r] = found;
    }
}
