#include <hip/hip_runtime.h>

// y = A^T x with A (rows x cols) row-major. Blocks own bands of rows and add into y.
#define BAND 8

__global__ void gemv_t(const double* A, const double* x, double* y, int rows, int cols)
{
    __shared__ double xs[BAND];
    const int c  = blockIdx.x * blockDim.x + threadIdx.x;
    const int r0 = blockIdx.y * BAND;
    if (threadIdx.x < BAND)
        xs[threadIdx.x] = (r0 + (int)threadIdx.x < rows) ? x[r0 + threadIdx.x] : 0.0;
    __syncthreads();
    if (c < cols) {
        double part = 0.0;
        for (int r = 0; r < BAND && r0 + r < rows; ++r)
            part += A[(size_t)(r0 + r) * cols + c] * xs[r];
        atomicAdd(&y[c], part);
    }
}

extern "C" void dgemv_transposed(const double* A, const double* x, double* y, int rows, int cols)
{
    double *dA, *dx, *dy;
    hipMalloc((void**)&dA, sizeof(double) * rows * cols);
    hipMalloc((void**)&dx, sizeof(double) * rows);
    hipMalloc((void**)&dy, sizeof(double) * cols);
    hipMemcpy(dA, A, sizeof(double) * rows * cols, hipMemcpyHostToDevice);
    hipMemcpy(dx, x, sizeof(double) * rows, hipMemcpyHostToDevice);
    hipMemset(dy, 0, sizeof(double) * cols);
    dim3 grid((cols + 63) / 64, (rows + BAND - 1) / BAND);
    gemv_t<<<grid, 64>>>(dA, dx, dy, rows, cols);
    hipMemcpy(y, dy, sizeof(double) * cols, hipMemcpyDeviceToHost);
    hipFree(dA);
    hipFree(dx);
    hipFree(dy);
}
