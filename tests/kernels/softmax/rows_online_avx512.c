#include <immintrin.h>
#include <math.h>

// Row by row: maximum, exponentials and their sum, scaling.
void softmax_rows(const float *x, float *y, int rows, int cols)
{
    for (int r = 0; r < rows; r++) {
        const float *in = x + r * cols;
        float *out = y + r * cols;
        __m512 vmax = _mm512_set1_ps(-INFINITY);
        int c = 0;
        for (; c + 16 <= cols; c += 16)
            vmax = _mm512_max_ps(vmax, _mm512_loadu_ps(in + c));
        float top = _mm512_reduce_max_ps(vmax);
        for (; c < cols; c++)
            top = fmaxf(top, in[c]);
        float sum = 0.0f;
        for (c = 0; c < cols; c++) {
            out[c] = expf(in[c] - top);
            sum += out[c];
        }
        __m512 scale = _mm512_set1_ps(1.0f / sum);
        for (c = 0; c + 16 <= cols; c += 16)
            _mm512_storeu_ps(out + c, _mm512_mul_ps(_mm512_loadu_ps(out + c), scale));
        for (; c < cols; c++)
            out[c] /= sum;
    }
}
