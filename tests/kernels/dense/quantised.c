#include <math.h>
#include <stdint.h>

void dense_q8(const int8_t *x, const int8_t *weight, const int *bias, int8_t *y,
              int n, int m, int k, float scale)
{
    for (int i = 0; i < n; i++) {
        for (int o = 0; o < m; o++) {
            int acc = bias[o];
            for (int p = 0; p < k; p++)
                acc += x[i * k + p] * weight[o * k + p];
            float q = rintf(acc * scale);
            if (q > 127.f)
                q = 127.f;
            if (q < -128.f)
                q = -128.f;
            y[i * m + o] = (int8_t)q;
        }
    }
}
