#include <cuda_runtime.h>

#define CHECK(x) do { if ((x) != cudaSuccess) return -1; } while (0)

const int kThreads = 128;

// Each block leaves one partial sum; a second launch adds the partial sums.
template <int BLOCK>
__global__ void reduce(const float* in, float* out, int n)
{
    __shared__ float cache[BLOCK];
    float local = 0.0f;
    for (int i = blockIdx.x * BLOCK + threadIdx.x; i < n; i += BLOCK * gridDim.x)
        local += in[i];
    cache[threadIdx.x] = local;
    __syncthreads();
    for (int half = BLOCK / 2; half != 0; half /= 2) {
        if (threadIdx.x < half)
            cache[threadIdx.x] += cache[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0)
        out[blockIdx.x] = cache[0];
}

extern "C" int sum(const float* x, float* result, int n)
{
    const int blocks = 6;
    float *dx, *partial, *total;
    CHECK(cudaMalloc(&dx, n * sizeof(float)));
    CHECK(cudaMalloc(&partial, blocks * sizeof(float)));
    CHECK(cudaMalloc(&total, sizeof(float)));
    CHECK(cudaMemcpy(dx, x, n * sizeof(float), cudaMemcpyHostToDevice));
    reduce<kThreads><<<blocks, kThreads>>>(dx, partial, n);
    reduce<kThreads><<<1, kThreads>>>(partial, total, blocks);
    CHECK(cudaDeviceSynchronize());
    CHECK(cudaMemcpy(result, total, sizeof(float), cudaMemcpyDeviceToHost));
    cudaFree(dx);
    cudaFree(partial);
    cudaFree(total);
    return 0;
}
