void permute_values(const float *src, const int *where, float *out, int n)
{
    for (int i = 0; i < n; i++)
        out[where[i]] = src[i];
}
