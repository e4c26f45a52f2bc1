void running_sum(const float *x, float *y, int rows, int cols)
{
    for (int r = 0; r < rows; r++) {
        float carry = 0.0f;
        for (int c = 0; c < cols; c++) {
            carry += x[r * cols + c];
            y[r * cols + c] = carry;
        }
    }
}
