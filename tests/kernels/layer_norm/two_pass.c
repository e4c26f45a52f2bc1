#include <math.h>

void layernorm(float *y, const float *x, const float *gamma, const float *beta,
               int rows, int dim, float eps)
{
    for (int r = 0; r < rows; ++r, x += dim, y += dim) {
        float mean = 0.0f, var = 0.0f;
        for (int d = 0; d < dim; ++d)
            mean += x[d];
        mean /= dim;
        for (int d = 0; d < dim; ++d) {
            float t = x[d] - mean;
            var += t * t;
        }
        float scale = 1.0f / sqrtf(var / dim + eps);
        for (int d = 0; d < dim; ++d)
            y[d] = (x[d] - mean) * scale * gamma[d] + beta[d];
    }
}
