/* Half in memory, float in the sum. */
void gemm_f16(const _Float16 *a, const _Float16 *b, _Float16 *c, int m, int n, int k)
{
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            float sum = 0.0f;
            for (int p = 0; p < k; p++)
                sum += (float)a[i * k + p] * (float)b[p * n + j];
            c[i * n + j] = (_Float16)sum;
        }
}
