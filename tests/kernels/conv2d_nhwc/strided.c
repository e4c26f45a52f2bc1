#define XI(b, i, j, ch) ((((b) * h + (i)) * wd + (j)) * c + (ch))
#define WI(f, i, j, ch) ((((f) * r + (i)) * r + (j)) * c + (ch))

void conv2d_nhwc_strided(const float *x, const float *w, float *y, int n, int h, int wd, int c,
                         int k, int r, int stride, int pad)
{
    int p = (h + 2 * pad - r) / stride + 1, q = (wd + 2 * pad - r) / stride + 1;
    for (int b = 0; b < n; b++)
        for (int i = 0; i < p; i++)
            for (int j = 0; j < q; j++)
                for (int f = 0; f < k; f++) {
                    float sum = 0.0f;
                    for (int u = 0; u < r; u++) {
                        int row = i * stride + u - pad;
                        if (row < 0 || row >= h)
                            continue;
                        for (int v = 0; v < r; v++) {
                            int col = j * stride + v - pad;
                            if (col < 0 || col >= wd)
                                continue;
                            for (int ch = 0; ch < c; ch++)
                                sum += x[XI(b, row, col, ch)] * w[WI(f, u, v, ch)];
                        }
                    }
                    y[((b * p + i) * q + j) * k + f] = sum;
                }
}
