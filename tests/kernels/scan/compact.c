void compact_rows(const float *x, float *y, int *kept, int rows, int cols)
{
    for (int r = 0; r < rows; r++) {
        int k = 0;
        for (int c = 0; c < cols; c++)
            if (x[r * cols + c] > 0.0f)
                y[r * cols + k++] = x[r * cols + c];
        kept[r] = k;
        while (k < cols)
            y[r * cols + k++] = 0.0f;
    }
}
