void concat_columns(const float *a, const float *b, float *y, int rows, int ca, int cb)
{
    for (int r = 0; r < rows; r++) {
        for (int c = 0; c < ca + cb; c++)
            y[r * (ca + cb) + c] = c < ca ? a[r * ca + c] : b[r * cb + (c - ca)];
    }
}
