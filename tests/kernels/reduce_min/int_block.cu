#include <climits>

// Column-wise minimum of an int matrix. 2-D block: x = column, y = share of the rows.
__global__ void column_min(const int* __restrict__ m, int* __restrict__ out, int rows, int cols)
{
    __shared__ int s[8][33];
    const int col = blockIdx.x * 32 + threadIdx.x;
    int best = INT_MAX;
    if (col < cols)
        for (int r = threadIdx.y; r < rows; r += 8)
            best = min(best, m[r * cols + col]);
    s[threadIdx.y][threadIdx.x] = best;
    __syncthreads();
    if (threadIdx.y == 0 && col < cols) {
        #pragma unroll
        for (int k = 1; k < 8; ++k) best = min(best, s[k][threadIdx.x]);
        out[col] = best;
    }
}
