void depthwise_same(const float *x, const float *w, float *y, int n, int c, int h, int wd)
{
    for (int m = 0; m < n * c; m++) {
        const float *in = x + m * h * wd;
        const float *taps = w + (m % c) * 9;
        for (int i = 0; i < h; i++)
            for (int j = 0; j < wd; j++) {
                float s = 0.f;
                for (int u = -1; u <= 1; u++)
                    for (int v = -1; v <= 1; v++)
                        if (i + u >= 0 && i + u < h && j + v >= 0 && j + v < wd)
                            s += in[(i + u) * wd + j + v] * taps[(u + 1) * 3 + v + 1];
                y[m * h * wd + i * wd + j] = s;
            }
    }
}
