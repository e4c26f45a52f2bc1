#include <math.h>

// One pass over the row for the maximum and the sum.
void log_softmax_f(const float *z, float *lp, int b, int k)
{
    float(*Z)[k] = (float(*)[k])z;
    float(*L)[k] = (float(*)[k])lp;
#pragma omp parallel for
    for (int i = 0; i < b; i++) {
        float m = -INFINITY, s = 0;
        for (int j = 0; j < k; j++) {
            float bigger = fmaxf(m, Z[i][j]);
            s = s * expf(m - bigger) + expf(Z[i][j] - bigger);
            m = bigger;
        }
        float lse = m + logf(s);
        for (int j = 0; j < k; j++)
            L[i][j] = Z[i][j] - lse;
    }
}
