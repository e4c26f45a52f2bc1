#include <hip/hip_runtime.h>

// Mean and variance of every column of a 50 x 36 matrix, one thread per column.
#define ROWS 50
#define COLS 36

__global__ void column_stats(const float* m, float* mean, float* var)
{
    int c = hipThreadIdx_x;
    double s = 0.0, q = 0.0;
    int r = 0;
    do {
        double v = m[r * COLS + c];
        s += v;
        q += v * v;
    } while (++r < ROWS);
    s /= ROWS;
    mean[c] = (float)s;
    var[c] = (float)(q / ROWS - s * s);
}
