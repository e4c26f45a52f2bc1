void segment_totals(const float *src, const int *index, float *out, int n, int d, int segments)
{
    for (int i = 0; i < segments * d; i++)
        out[i] = 0.0f;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < d; j++)
            out[index[i] * d + j] += src[i * d + j];
}
