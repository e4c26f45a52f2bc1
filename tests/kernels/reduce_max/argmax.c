void argmax_rows(const float *x, float *best, int *where, int rows, int cols)
{
    for (int r = 0; r < rows; r++) {
        int at = 0;
        for (int c = 1; c < cols; c++)
            if (x[r * cols + c] > x[r * cols + at])
                at = c;
        best[r] = x[r * cols + at];
        where[r] = at;
    }
}
