#include <math.h>

/* Divides each row by its root mean square and scales it column by column. */
void rms_norm(const float *x, const float *weight, float *y, int rows, int cols, float eps)
{
#pragma omp parallel for
    for (int r = 0; r < rows; r++) {
        const float *in = x + r * cols;
        float *out = y + r * cols;
        float squares = 0.0f;
        for (int c = 0; c < cols; c++)
            squares += in[c] * in[c];
        const float scale = 1.0f / sqrtf(squares / cols + eps);
        for (int c = 0; c < cols; c++)
            out[c] = in[c] * scale * weight[c];
    }
}
