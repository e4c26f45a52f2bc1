#include <math.h>

typedef struct {
    float lr, b1, b2, eps, decay;
} rates;

static void update(float *w, float g, float *m, float *v, rates r, float c1, float c2)
{
    *m = r.b1 * *m + (1 - r.b1) * g;
    *v = r.b2 * *v + (1 - r.b2) * g * g;
    *w -= r.lr * ((*m / c1) / (sqrtf(*v / c2) + r.eps) + r.decay * *w);
}

void adamw_step(float *w, const float *g, float *m, float *v, int n, int step, float lr, float b1,
                float b2, float eps, float decay)
{
    const rates r = {lr, b1, b2, eps, decay};
    const float c1 = 1 - powf(b1, step), c2 = 1 - powf(b2, step);
    for (int i = 0; i < n; i++)
        update(&w[i], g[i], &m[i], &v[i], r, c1, c2);
}
