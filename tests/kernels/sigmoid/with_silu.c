#include <math.h>

static inline float logistic(float v)
{
    return 1.0f / (1.0f + expf(-v));
}

void sigmoid_silu(const float *x, float *s, float *y, int n)
{
    int i = 0;
    while (i < n) {
        s[i] = logistic(x[i]);
        y[i] = x[i] * s[i];
        i++;
    }
}
