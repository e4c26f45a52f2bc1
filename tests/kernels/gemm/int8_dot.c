#include <stdint.h>

void gemm_s8s8s32(const int8_t *a, const int8_t *bt, int32_t *c, int m, int n, int k)
{
#pragma omp parallel for collapse(2)
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            int32_t dot = 0;
            for (int p = 0; p < k; p++)
                dot += (int32_t)a[i * k + p] * (int32_t)bt[j * k + p];
            c[i * n + j] = dot;
        }
}
