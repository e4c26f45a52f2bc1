#include <immintrin.h>

#define LANES 16

/* Adds a row vector to every row of a matrix, in place. */
void add_bias(float *restrict mat, const float *restrict vec, int rows, int cols)
{
#pragma omp parallel for schedule(static)
    for (int r = 0; r < rows; ++r) {
        float *row = mat + (long)r * cols;
        int c = 0;
        for (; c <= cols - LANES; c += LANES) {
            __m512 x = _mm512_loadu_ps(&row[c]);
            x = _mm512_add_ps(x, _mm512_loadu_ps(&vec[c]));
            _mm512_storeu_ps(&row[c], x);
        }
        for (; c < cols; ++c)
            row[c] += vec[c];
    }
}
