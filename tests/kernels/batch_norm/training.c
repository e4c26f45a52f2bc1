#include <math.h>

void bn_train(const float *x, float *y, float *mean, float *var, int n, int c, float eps)
{
    for (int j = 0; j < c; j++) {
        float m = 0.f;
        for (int i = 0; i < n; i++)
            m += x[i * c + j];
        m /= (float)n;
        float v = 0.f;
        for (int i = 0; i < n; i++)
            v += (x[i * c + j] - m) * (x[i * c + j] - m);
        v /= (float)n;
        mean[j] = m;
        var[j] = v;
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < c; j++)
            y[i * c + j] = (x[i * c + j] - mean[j]) / sqrtf(var[j] + eps);
}
