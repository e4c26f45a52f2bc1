#include <immintrin.h>

/* y = A^T x: rows of A are added up, scaled. */
void gemv_t(const float *A, const float *x, float *y, int rows, int cols)
{
    for (int c = 0; c < cols; c += 16) {
        __mmask16 m = cols - c >= 16 ? 0xFFFF : (__mmask16)((1u << (cols - c)) - 1);
        __m512 sum = _mm512_setzero_ps();
        for (int r = 0; r < rows; r++)
            sum = _mm512_fmadd_ps(_mm512_set1_ps(x[r]), _mm512_maskz_loadu_ps(m, A + r * cols + c), sum);
        _mm512_mask_storeu_ps(y + c, m, sum);
    }
}
