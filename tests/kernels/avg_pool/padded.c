void avg_pool2d(const float *x, float *y, int n, int h, int w, int win, int stride, int pad)
{
    const int ho = (h + 2 * pad - win) / stride + 1;
    const int wo = (w + 2 * pad - win) / stride + 1;
    for (int p = 0; p < n; p++)
        for (int i = 0; i < ho; i++)
            for (int j = 0; j < wo; j++) {
                int top = i * stride - pad, left = j * stride - pad;
                int bottom = top + win < h ? top + win : h;
                int right = left + win < w ? left + win : w;
                if (top < 0)
                    top = 0;
                if (left < 0)
                    left = 0;
                float s = 0.f;
                for (int a = top; a < bottom; a++)
                    for (int b = left; b < right; b++)
                        s += x[(p * h + a) * w + b];
                y[(p * ho + i) * wo + j] = s / (float)((bottom - top) * (right - left));
            }
}
