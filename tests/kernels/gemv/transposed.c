void gemv_t(const double *restrict a, const double *restrict x, double *restrict y, int m, int n)
{
    int i, j;
    for (j = 0; j < n; j++)
        y[j] = 0.0;
    for (i = 0; i < m; i++)
        for (j = 0; j < n; j++)
            y[j] += a[i * n + j] * x[i];
}
