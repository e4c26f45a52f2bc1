#include <immintrin.h>

void row_means(const double *x, double *y, int rows, int cols)
{
    for (int r = 0; r < rows; r++) {
        __m512d s = _mm512_setzero_pd();
        int c = 0;
        for (; c + 8 <= cols; c += 8)
            s = _mm512_add_pd(s, _mm512_loadu_pd(&x[r * cols + c]));
        double t = _mm512_reduce_add_pd(s);
        for (; c < cols; c++)
            t += x[r * cols + c];
        y[r] = t / cols;
    }
}
