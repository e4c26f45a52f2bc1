void layernorm_dx(const float *dy, const float *x, const float *gamma, const float *mean,
                  const float *rstd, float *dx, int n, int d)
{
    for (int i = 0; i < n; i++) {
        float sum_g = 0, sum_gu = 0;
        for (int j = 0; j < d; j++) {
            float g = dy[i * d + j] * gamma[j];
            float u = (x[i * d + j] - mean[i]) * rstd[i];
            sum_g += g;
            sum_gu += g * u;
        }
        sum_g /= d;
        sum_gu /= d;
        for (int j = 0; j < d; j++) {
            float g = dy[i * d + j] * gamma[j];
            float u = (x[i * d + j] - mean[i]) * rstd[i];
            dx[i * d + j] = rstd[i] * (g - sum_g - u * sum_gu);
        }
    }
}
