#include <hip/hip_runtime.h>

// out[idx[r][c]][c] = src[r][c]. A thread owns a column and walks the rows in order, so the
// last writer wins, as in a sequential program.
__global__ void scatter_columns(const int* src, const int* idx, int* out, int rows, int cols)
{
    const int c = blockIdx.x * blockDim.x + threadIdx.x;
    if (c >= cols) return;
    for (int r = 0; r < rows; ++r)
        out[idx[r * cols + c] * cols + c] = src[r * cols + c];
}

extern "C" void scatter_(int* out, const int* idx, const int* src, int out_rows, int rows, int cols)
{
    int *o, *k, *s;
    hipMalloc(&o, sizeof(int) * out_rows * cols);
    hipMalloc(&k, sizeof(int) * rows * cols);
    hipMalloc(&s, sizeof(int) * rows * cols);
    hipMemcpy(o, out, sizeof(int) * out_rows * cols, hipMemcpyHostToDevice);
    hipMemcpy(k, idx, sizeof(int) * rows * cols, hipMemcpyHostToDevice);
    hipMemcpy(s, src, sizeof(int) * rows * cols, hipMemcpyHostToDevice);
    hipLaunchKernelGGL(scatter_columns, (cols + 31) / 32, 32, 0, 0, s, k, o, rows, cols);
    hipMemcpy(out, o, sizeof(int) * out_rows * cols, hipMemcpyDeviceToHost);
    hipFree(o);
    hipFree(k);
    hipFree(s);
}
