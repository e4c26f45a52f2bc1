#include <cuda_runtime.h>

static const unsigned FULL = 0xffffffffu;

// y = A x. A warp per row, rows grouped four to a block, float2 loads when K is even.
__global__ void gemv_warp(const float* __restrict__ A, const float* __restrict__ x,
                          float* __restrict__ y, int M, int K)
{
    int lane = threadIdx.x & 31;
    int row = (blockIdx.x * blockDim.x + threadIdx.x) >> 5;
    if (row >= M) return;

    float dot = 0.f;
    if ((K & 1) == 0) {
        const float2* a2 = reinterpret_cast<const float2*>(A + row * K);
        const float2* x2 = reinterpret_cast<const float2*>(x);
        for (int k = lane; k < K / 2; k += 32) {
            float2 a = a2[k], b = x2[k];
            dot += a.x * b.x + a.y * b.y;
        }
    } else {
        for (int k = lane; k < K; k += 32)
            dot += A[row * K + k] * x[k];
    }
    for (int s = 16; s; s >>= 1)
        dot += __shfl_down_sync(FULL, dot, s);
    if (!lane) y[row] = dot;
}

extern "C" void gemv(const float* A, const float* x, float* y, int M, int K)
{
    float *dA, *dx, *dy;
    cudaMalloc(&dA, sizeof(float) * M * K);
    cudaMalloc(&dx, sizeof(float) * K);
    cudaMalloc(&dy, sizeof(float) * M);
    cudaMemcpy(dA, A, sizeof(float) * M * K, cudaMemcpyHostToDevice);
    cudaMemcpy(dx, x, sizeof(float) * K, cudaMemcpyHostToDevice);
    gemv_warp<<<(M * 32 + 127) / 128, 128>>>(dA, dx, dy, M, K);
    cudaMemcpy(y, dy, sizeof(float) * M, cudaMemcpyDeviceToHost);
    cudaFree(dA);
    cudaFree(dx);
    cudaFree(dy);
}
