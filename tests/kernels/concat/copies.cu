#include <cuda_runtime.h>

/* Three int matrices side by side. One launch per input with a column offset. */
__global__ void copy_into(const int *src, int cols, int *dst, int dst_cols, int at, int rows)
{
    for (int r = blockIdx.y; r < rows; r += gridDim.y)
        for (int c = blockIdx.x * blockDim.x + threadIdx.x; c < cols; c += blockDim.x * gridDim.x)
            dst[r * dst_cols + at + c] = src[r * cols + c];
}

static void append(const int *host, int cols, int *dst, int total, int at, int rows)
{
    int *tmp;
    cudaMalloc((void **)&tmp, sizeof(int) * rows * cols);
    cudaMemcpy(tmp, host, sizeof(int) * rows * cols, cudaMemcpyHostToDevice);
    copy_into<<<dim3(1, 2), 32>>>(tmp, cols, dst, total, at, rows);
    cudaFree(tmp);
}

extern "C" void hstack3(const int *x, const int *y, const int *z, int *out, int rows, int cx,
                        int cy, int cz)
{
    int total = cx + cy + cz;
    int *d;
    cudaMalloc((void **)&d, sizeof(int) * rows * total);
    append(x, cx, d, total, 0, rows);
    append(y, cy, d, total, cx, rows);
    append(z, cz, d, total, cx + cy, rows);
    cudaMemcpy(out, d, sizeof(int) * rows * total, cudaMemcpyDeviceToHost);
    cudaFree(d);
}
