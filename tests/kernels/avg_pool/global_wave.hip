#include <hip/hip_runtime.h>

// Global average pooling: one wave of 64 per (n, c) plane.
__global__ void __launch_bounds__(256)
global_avg_pool(const float* __restrict__ x, float* __restrict__ y, int planes, int area)
{
    const int wave = (blockIdx.x * blockDim.x + threadIdx.x) >> 6;
    const int lane = threadIdx.x & 63;
    float s = 0.0f;
    if (wave < planes)
        for (int i = lane; i < area; i += 64) s += x[wave * area + i];
    for (int d = 32; d; d >>= 1) s += __shfl_down(s, d);
    if (lane == 0 && wave < planes) y[wave] = s / area;
}

extern "C" void gap(const float* x, float* y, int planes, int area)
{
    float *dx, *dy;
    hipMalloc(&dx, sizeof(float) * planes * area);
    hipMalloc(&dy, sizeof(float) * planes);
    hipMemcpy(dx, x, sizeof(float) * planes * area, hipMemcpyHostToDevice);
    hipLaunchKernelGGL(global_avg_pool, dim3((planes + 3) / 4), dim3(256), 0, 0, dx, dy, planes,
                       area);
    hipMemcpy(y, dy, sizeof(float) * planes, hipMemcpyDeviceToHost);
    hipFree(dx);
    hipFree(dy);
}
