#include <cuda_runtime.h>

static __inline__ __device__ float block_sum(float v, float* scratch)
{
    const int lane = threadIdx.x & 31, warp = threadIdx.x >> 5;
    for (int o = 16; o > 0; o >>= 1) v += __shfl_down_sync(0xffffffff, v, o);
    __syncthreads();
    if (lane == 0) scratch[warp] = v;
    __syncthreads();
    const int warps = (blockDim.x + 31) >> 5;
    v = threadIdx.x < warps ? scratch[lane] : 0.f;
    if (warp == 0) {
        for (int o = 16; o > 0; o >>= 1) v += __shfl_down_sync(0xffffffff, v, o);
        if (lane == 0) scratch[0] = v;
    }
    __syncthreads();
    return scratch[0];
}

__global__ void layernorm_fwd(float* __restrict__ y, const float* __restrict__ x,
                              const float* __restrict__ gamma, const float* __restrict__ beta,
                              int hidden, float eps)
{
    __shared__ float scratch[32];
    const float* xr = x + blockIdx.x * hidden;
    float* yr = y + blockIdx.x * hidden;

    float s = 0.f;
    for (int i = threadIdx.x; i < hidden; i += blockDim.x) s += xr[i];
    const float mean = block_sum(s, scratch) / hidden;

    float q = 0.f;
    for (int i = threadIdx.x; i < hidden; i += blockDim.x) {
        const float d = xr[i] - mean;
        q += d * d;
    }
    const float rstd = rsqrtf(block_sum(q, scratch) / hidden + eps);

    for (int i = threadIdx.x; i < hidden; i += blockDim.x)
        yr[i] = (xr[i] - mean) * rstd * gamma[i] + beta[i];
}

extern "C" void layernorm(const float* x, const float* gamma, const float* beta, float* y,
                          int tokens, int hidden, float eps)
{
    float *dx, *dg, *db, *dy;
    cudaMalloc(&dx, sizeof(float) * tokens * hidden);
    cudaMalloc(&dg, sizeof(float) * hidden);
    cudaMalloc(&db, sizeof(float) * hidden);
    cudaMalloc(&dy, sizeof(float) * tokens * hidden);
    cudaStream_t stream;
    cudaStreamCreate(&stream);
    cudaMemcpyAsync(dx, x, sizeof(float) * tokens * hidden, cudaMemcpyHostToDevice, stream);
    cudaMemcpyAsync(dg, gamma, sizeof(float) * hidden, cudaMemcpyHostToDevice, stream);
    cudaMemcpyAsync(db, beta, sizeof(float) * hidden, cudaMemcpyHostToDevice, stream);
    layernorm_fwd<<<tokens, 128, 0, stream>>>(dy, dx, dg, db, hidden, eps);
    cudaMemcpyAsync(y, dy, sizeof(float) * tokens * hidden, cudaMemcpyDeviceToHost, stream);
    cudaStreamSynchronize(stream);
    cudaStreamDestroy(stream);
    cudaFree(dx); cudaFree(dg); cudaFree(db); cudaFree(dy);
}
