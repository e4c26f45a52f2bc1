#include <cuda_runtime.h>

// mean of each row; the last warp of the tree reduction is unrolled with __syncwarp
__device__ void warp_reduce(volatile float* s, unsigned t)
{
    float v = s[t];
    v += s[t + 32]; __syncwarp(); s[t] = v; __syncwarp();
    v += s[t + 16]; __syncwarp(); s[t] = v; __syncwarp();
    v += s[t + 8];  __syncwarp(); s[t] = v; __syncwarp();
    v += s[t + 4];  __syncwarp(); s[t] = v; __syncwarp();
    v += s[t + 2];  __syncwarp(); s[t] = v; __syncwarp();
    v += s[t + 1];  __syncwarp(); s[t] = v;
}

template <unsigned BLOCK>
__global__ void row_mean(const float* __restrict__ g, float* __restrict__ out, unsigned n)
{
    __shared__ float s[BLOCK];
    const unsigned t = threadIdx.x;
    float acc = 0.f;
    for (unsigned i = t; i < n; i += BLOCK) acc += g[blockIdx.x * n + i];
    s[t] = acc;
    __syncthreads();
    if (BLOCK >= 256) { if (t < 128) s[t] += s[t + 128]; __syncthreads(); }
    if (BLOCK >= 128) { if (t < 64) s[t] += s[t + 64]; __syncthreads(); }
    if (t < 32) warp_reduce(s, t);
    if (t == 0) out[blockIdx.x] = s[0] / n;
}

extern "C" void mean_rows(const float* x, float* y, unsigned rows, unsigned n)
{
    float *dx, *dy;
    cudaMalloc(&dx, sizeof(float) * rows * n);
    cudaMalloc(&dy, sizeof(float) * rows);
    cudaMemcpy(dx, x, sizeof(float) * rows * n, cudaMemcpyHostToDevice);
    row_mean<128><<<rows, 128>>>(dx, dy, n);
    cudaMemcpy(y, dy, sizeof(float) * rows, cudaMemcpyDeviceToHost);
    cudaFree(dx);
    cudaFree(dy);
}
