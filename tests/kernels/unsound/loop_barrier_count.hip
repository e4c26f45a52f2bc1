#include <hip/hip_runtime.h>

// Threads pass the barrier in the loop a different number of times.
__global__ void ragged(const int* lengths, const float* x, float* y)
{
    __shared__ float s[64];
    const int t = threadIdx.x;
    float acc = 0.f;
    for (int k = 0; k < lengths[t]; ++k) {
        s[t] = x[k * 64 + t];
        __syncthreads();
        acc += s[t ^ 1];
        __syncthreads();
    }
    s[t] = acc;
    __syncthreads();
    y[t] = s[63 - t];
}
