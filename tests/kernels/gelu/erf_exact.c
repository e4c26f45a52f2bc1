#include <math.h>

#define INV_SQRT2 0.70710678118654752440f

void gelu_forward(const float *in, float *out, int n)
{
    for (int i = 0; i < n; i++) {
        float v = in[i];
        out[i] = 0.5f * v * (1.0f + erff(v * INV_SQRT2));
    }
}
