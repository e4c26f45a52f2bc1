#include <math.h>

void add_rmsnorm(float *restrict residual, const float *restrict x, const float *restrict weight,
                 float *restrict y, int t, int h, float eps)
{
    for (int i = 0; i < t; i++) {
        float *row = &residual[i * h];
        double squares = 0.0;
        for (int j = 0; j < h; j++) {
            row[j] += x[i * h + j];
            squares += (double)row[j] * row[j];
        }
        const float inv = (float)(1.0 / sqrt(squares / h + eps));
        for (int j = 0; j < h; j++)
            y[i * h + j] = row[j] * inv * weight[j];
    }
}
