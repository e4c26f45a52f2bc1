/* Unrolled by four with a tail. */
void row_sums(const float *x, float *y, int rows, int cols)
{
    for (int r = 0; r < rows; r++) {
        const float *p = x + r * cols;
        float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
        int c = 0;
        for (; c + 4 <= cols; c += 4) {
            s0 += p[c];
            s1 += p[c + 1];
            s2 += p[c + 2];
            s3 += p[c + 3];
        }
        for (; c < cols; c++)
            s0 += p[c];
        y[r] = (s0 + s1) + (s2 + s3);
    }
}
