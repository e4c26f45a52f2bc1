void sign_of(const float *x, int *y, int n)
{
    for (int i = 0; i < n; i++) {
        if (x[i] > 0.0f) {
            y[i] = 1;
            continue;
        }
        y[i] = x[i] < 0.0f ? -1 : 0;
    }
}
