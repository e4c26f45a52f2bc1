#include <cuda_runtime.h>

// Inclusive scan of any length in three launches, warp shuffles inside.
constexpr int kBlock = 64;

__device__ float warp_scan(float v)
{
    const int lane = threadIdx.x & 31;
    for (int d = 1; d < 32; d <<= 1) {
        float up = __shfl_up_sync(0xffffffffu, v, d);
        if (lane >= d) v += up;
    }
    return v;
}

__global__ void scan_blocks(const float* in, float* out, float* totals, int n)
{
    __shared__ float warp_total[kBlock / 32];
    const int i = blockIdx.x * kBlock + threadIdx.x;
    const int warp = threadIdx.x / 32;
    float v = warp_scan(i < n ? in[i] : 0.f);
    if ((threadIdx.x & 31) == 31) warp_total[warp] = v;
    __syncthreads();
    for (int w = 0; w < warp; ++w) v += warp_total[w];
    if (i < n) out[i] = v;
    if (threadIdx.x == kBlock - 1) totals[blockIdx.x] = v;
}

__global__ void scan_totals(float* totals, int blocks)
{
    if (threadIdx.x == 0) {
        float run = 0.f;
        for (int b = 0; b < blocks; ++b) {
            const float t = totals[b];
            totals[b] = run;
            run += t;
        }
    }
}

__global__ void add_totals(float* out, const float* totals, int n)
{
    const int i = blockIdx.x * kBlock + threadIdx.x;
    if (i < n) out[i] += totals[blockIdx.x];
}

extern "C" void cumsum(const float* in, float* out, int n)
{
    const int blocks = (n + kBlock - 1) / kBlock;
    float *di, *dout, *dt;
    cudaMalloc(&di, n * sizeof(float));
    cudaMalloc(&dout, n * sizeof(float));
    cudaMalloc(&dt, blocks * sizeof(float));
    cudaMemcpy(di, in, n * sizeof(float), cudaMemcpyHostToDevice);
    scan_blocks<<<blocks, kBlock>>>(di, dout, dt, n);
    scan_totals<<<1, 32>>>(dt, blocks);
    add_totals<<<blocks, kBlock>>>(dout, dt, n);
    cudaMemcpy(out, dout, n * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(di);
    cudaFree(dout);
    cudaFree(dt);
}
