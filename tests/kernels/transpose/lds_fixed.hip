#include "hip/hip_runtime.h"

// 48 x 80 matrix of doubles, 16 x 16 tiles in LDS.
static const int H = 48, W = 80, T = 16;

__global__ void transposeLds(double* __restrict__ dst, const double* __restrict__ src)
{
    __shared__ double buf[T * (T + 1)];
    const int lx = threadIdx.x, ly = threadIdx.y;
    const int sx = blockIdx.x * T, sy = blockIdx.y * T;

    buf[ly * (T + 1) + lx] = src[(sy + ly) * W + sx + lx];
    __syncthreads();
    dst[(sx + ly) * H + sy + lx] = buf[lx * (T + 1) + ly];
}

extern "C" void transpose_48x80(const double* src, double* dst)
{
    double *s, *d;
    hipMalloc((void**)&s, sizeof(double) * H * W);
    hipMalloc((void**)&d, sizeof(double) * H * W);
    hipMemcpy(s, src, sizeof(double) * H * W, hipMemcpyHostToDevice);
    hipLaunchKernelGGL(transposeLds, dim3(W / T, H / T), dim3(T, T), 0, 0, d, s);
    hipMemcpy(dst, d, sizeof(double) * H * W, hipMemcpyDeviceToHost);
    hipFree(s);
    hipFree(d);
}
