#define TAPS 5

/* Five taps, zeros beyond the ends. */
void conv1d_same(const float *x, const float w[TAPS], float *y, int n)
{
    for (int i = 0; i < n; i++) {
        float s = 0.0f;
        for (int t = 0; t < TAPS; t++) {
            int at = i + t - TAPS / 2;
            if (at < 0 || at >= n)
                continue;
            s += x[at] * w[t];
        }
        y[i] = s;
    }
}
