// The sum of an array: warps reduce by shuffles, a block by shared memory, blocks by an atomic.
#include <cuda_runtime.h>

__inline__ __device__ float warp_sum(float v)
{
    for (int offset = 16; offset > 0; offset >>= 1)
        v += __shfl_down_sync(0xffffffff, v, offset);
    return v;
}

template <int THREADS>
__global__ void sum_kernel(const float* x, float* total, int n)
{
    __shared__ float warps[THREADS / 32];
    float v = 0.0f;
    for (int i = blockIdx.x * THREADS + threadIdx.x; i < n; i += gridDim.x * THREADS)
        v += x[i];
    v = warp_sum(v);
    if (threadIdx.x % 32 == 0)
        warps[threadIdx.x / 32] = v;
    __syncthreads();
    if (threadIdx.x < 32) {
        v = threadIdx.x < THREADS / 32 ? warps[threadIdx.x] : 0.0f;
        v = warp_sum(v);
        if (threadIdx.x == 0)
            atomicAdd(total, v);
    }
}

extern "C" float array_sum(const float* x, int n)
{
    float *d_x, *d_total, total = 0.0f;
    cudaMalloc(&d_x, n * sizeof(float));
    cudaMalloc(&d_total, sizeof(float));
    cudaMemcpy(d_x, x, n * sizeof(float), cudaMemcpyHostToDevice);
    cudaMemset(d_total, 0, sizeof(float));
    sum_kernel<256><<<4, 256>>>(d_x, d_total, n);
    cudaMemcpy(&total, d_total, sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(d_x);
    cudaFree(d_total);
    return total;
}
