#include <limits.h>

void column_min(const int *x, int *y, int rows, int cols)
{
    for (int c = 0; c < cols; c++)
        y[c] = INT_MAX;
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < cols; c++)
            if (x[r * cols + c] < y[c])
                y[c] = x[r * cols + c];
}
