#include <hip/hip_runtime.h>

// The lanes of a wave are taken to run in step, and `volatile` to do the rest.
__device__ void fold(volatile float* part, int lane)
{
    part[lane] = fmaxf(part[lane], part[lane + 32]);
    part[lane] = fmaxf(part[lane], part[lane + 16]);
    part[lane] = fmaxf(part[lane], part[lane + 8]);
    part[lane] = fmaxf(part[lane], part[lane + 4]);
    part[lane] = fmaxf(part[lane], part[lane + 2]);
    part[lane] = fmaxf(part[lane], part[lane + 1]);
}

__global__ void row_max(const float* in, float* out, int cols)
{
    __shared__ float part[128];
    const int t = threadIdx.x;
    float best = -INFINITY;
    for (int c = t; c < cols; c += 128) best = fmaxf(best, in[blockIdx.x * cols + c]);
    part[t] = best;
    __syncthreads();
    if (t < 64) part[t] = fmaxf(part[t], part[t + 64]);
    __syncthreads();
    if (t < 32) fold(part, t);
    if (t == 0) out[blockIdx.x] = part[0];
}

extern "C" void rows_max(const float* in, float* out, int rows, int cols)
{
    float *x, *y;
    hipMalloc(&x, rows * cols * sizeof(float));
    hipMalloc(&y, rows * sizeof(float));
    hipMemcpy(x, in, rows * cols * sizeof(float), hipMemcpyHostToDevice);
    row_max<<<rows, 128>>>(x, y, cols);
    hipMemcpy(out, y, rows * sizeof(float), hipMemcpyDeviceToHost);
    hipFree(x);
    hipFree(y);
}
