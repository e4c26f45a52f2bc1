void bmm_strided(const float *a, const float *b, float *c, int z, int m, int n, int k)
{
    for (int t = 0; t < z; t++) {
        const float *at = a + t * m * k, *bt = b + t * k * n;
        float *ct = c + t * m * n;
        for (int i = 0; i < m; i++)
            for (int j = 0; j < n; j++) {
                float s = 0.0f;
                for (int p = 0; p < k; p++)
                    s += at[i * k + p] * bt[p * n + j];
                ct[i * n + j] = s;
            }
    }
}
