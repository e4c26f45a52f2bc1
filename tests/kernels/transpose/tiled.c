#define T 16

void transpose_tiled(const float *restrict x, float *restrict y, int rows, int cols)
{
    for (int r0 = 0; r0 < rows; r0 += T)
        for (int c0 = 0; c0 < cols; c0 += T)
            for (int r = r0; r < r0 + T && r < rows; r++)
                for (int c = c0; c < c0 + T && c < cols; c++)
                    y[c * rows + r] = x[r * cols + c];
}
