#include <hip/hip_runtime.h>

// One block of 64 per instance; the statistics of thread 0 are shared.
__global__ void inorm(float* data, const float* weight, const float* bias, int channels, int area)
{
    __shared__ float stat[2];
    float* mine = data + (size_t)(blockIdx.y * channels + blockIdx.x) * area;

    float a = 0.f, b = 0.f;
    for (int k = threadIdx.x; k < area; k += 64) {
        a += mine[k];
        b += mine[k] * mine[k];
    }
    for (int m = 32; m >= 1; m >>= 1) {
        a += __shfl_down(a, m, 64);
        b += __shfl_down(b, m, 64);
    }
    if (threadIdx.x == 0) {
        stat[0] = a / area;
        stat[1] = rsqrtf(b / area - stat[0] * stat[0] + 1e-5f);
    }
    __syncthreads();

    const float g = weight[blockIdx.x] * stat[1];
    const float shift = bias[blockIdx.x] - stat[0] * g;
    for (int k = threadIdx.x; k < area; k += 64)
        mine[k] = mine[k] * g + shift;
}
