// Adds a bias to each row, in place.
void add_bias_rows(int rows, int cols, float m[rows][cols], const float bias[cols])
{
#pragma omp parallel for
    for (int r = 0; r < rows; r++) {
        for (int c = 0; c < cols; c++)
            m[r][c] += bias[c];
    }
}
