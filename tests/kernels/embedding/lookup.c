void embed(const int *ids, const float *wte, const float *wpe, float *y, int b, int t, int d, int v)
{
    (void)v;
    for (int i = 0; i < b * t; i++) {
        int token = ids[i], position = i % t;
        for (int j = 0; j < d; j++)
            y[i * d + j] = wte[token * d + j] + wpe[position * d + j];
    }
}
