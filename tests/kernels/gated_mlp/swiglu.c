#include <math.h>
#include <stdlib.h>

/* y = (silu(x gate) * (x up)) down; the hidden row lives on the heap. */
void swiglu_mlp(const float *x, const float *gate, const float *up, const float *down, float *y,
                int t, int d, int h)
{
    float *hidden = malloc((size_t)h * sizeof *hidden);
    for (int i = 0; i < t; i++) {
        for (int j = 0; j < h; j++) {
            float g = 0.f, u = 0.f;
            for (int p = 0; p < d; p++) {
                g += x[i * d + p] * gate[p * h + j];
                u += x[i * d + p] * up[p * h + j];
            }
            hidden[j] = g / (1.f + expf(-g)) * u;
        }
        for (int o = 0; o < d; o++) {
            float s = 0.f;
            for (int j = 0; j < h; j++)
                s += hidden[j] * down[j * d + o];
            y[i * d + o] = s;
        }
    }
    free(hidden);
}
