#define AT(p, r, c) (p)[(r) * cols + (c)]
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define MIN(a, b) ((a) < (b) ? (a) : (b))

void leaky(const float *restrict x, float *restrict y, int rows, int cols, float slope)
{
    for (int r = 0; r < rows; ++r)
        for (int c = 0; c < cols; ++c)
            AT(y, r, c) = MAX(AT(x, r, c), 0.0f) + slope * MIN(AT(x, r, c), 0.0f);
}
