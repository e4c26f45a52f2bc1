// Adds one row vector to every row of a matrix; one block row per matrix row.
#include <hip/hip_runtime.h>

__global__ void add_row_vector(float* __restrict__ mat, const float* __restrict__ vec, int cols)
{
    const int col = blockIdx.x * blockDim.x + threadIdx.x;
    const int row = blockIdx.y;
    if (col >= cols) return;
    mat[row * cols + col] += vec[col];
}

void launch_add_row_vector(float* mat, const float* vec, int rows, int cols, hipStream_t stream)
{
    dim3 block(64);
    dim3 grid((cols + block.x - 1) / block.x, rows);
    add_row_vector<<<grid, block, 0, stream>>>(mat, vec, cols);
}
