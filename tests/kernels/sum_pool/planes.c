void sum_pool2d(const float *x, float *y, int n, int h, int w, int win, int stride)
{
    int ho = (h - win) / stride + 1, wo = (w - win) / stride + 1;
    for (int o = 0; o < n * ho * wo; o++) {
        int j = o % wo, i = o / wo % ho, p = o / (wo * ho);
        float s = 0;
        for (int k = 0; k < win * win; k++)
            s += x[(p * h + i * stride + k / win) * w + j * stride + k % win];
        y[o] = s;
    }
}
