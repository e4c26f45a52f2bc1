void column_stats(const float *x, float *mean, float *var, int n, int c)
{
    for (int j = 0; j < c; j++) {
        float m = 0, m2 = 0;
        for (int i = 0; i < n; i++) {
            float d = x[i * c + j] - m;
            m += d / (float)(i + 1);
            m2 += d * (x[i * c + j] - m);
        }
        mean[j] = m;
        var[j] = m2 / (float)n;
    }
}
