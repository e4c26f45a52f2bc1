#include <immintrin.h>

/* y = A x, a row a turn, two accumulators. */
void gemv(const float *A, const float *x, float *y, int rows, int cols)
{
#pragma omp parallel for
    for (int r = 0; r < rows; r++) {
        const float *a = A + (long)r * cols;
        __m512 s0 = _mm512_setzero_ps(), s1 = _mm512_setzero_ps();
        int c = 0;
        for (; c + 32 <= cols; c += 32) {
            s0 = _mm512_fmadd_ps(_mm512_loadu_ps(a + c), _mm512_loadu_ps(x + c), s0);
            s1 = _mm512_fmadd_ps(_mm512_loadu_ps(a + c + 16), _mm512_loadu_ps(x + c + 16), s1);
        }
        float total = _mm512_reduce_add_ps(_mm512_add_ps(s0, s1));
        for (; c < cols; c++)
            total += a[c] * x[c];
        y[r] = total;
    }
}
