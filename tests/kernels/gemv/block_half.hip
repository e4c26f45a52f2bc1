#include <hip/hip_runtime.h>
#include <hip/hip_fp16.h>

// half weights, float vector; a block of two waves computes one output.
__global__ void gemv_hf(const half* W, const float* v, float* out, int K)
{
    __shared__ float halves[2];
    const half* w = W + (size_t)blockIdx.x * K;
    float sum = 0.f;
    for (int k = threadIdx.x; k < K; k += blockDim.x)
        sum += __half2float(w[k]) * v[k];
    for (int o = 32; o > 0; o /= 2)
        sum += __shfl_xor(sum, o, 64);
    if ((threadIdx.x & 63) == 0) halves[threadIdx.x >> 6] = sum;
    __syncthreads();
    if (threadIdx.x == 0) out[blockIdx.x] = halves[0] + halves[1];
}
