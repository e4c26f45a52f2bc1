#include <math.h>

/* Row-wise softmax, three passes. */
void softmax_rows(const float *x, float *y, int rows, int cols)
{
    for (int r = 0; r < rows; r++) {
        const float *in = x + (long)r * cols;
        float *out = y + (long)r * cols;
        float top = in[0];
        for (int c = 1; c < cols; c++)
            if (in[c] > top)
                top = in[c];
        float total = 0.0f;
        for (int c = 0; c < cols; c++) {
            out[c] = expf(in[c] - top);
            total += out[c];
        }
        for (int c = 0; c < cols; c++)
            out[c] /= total;
    }
}
