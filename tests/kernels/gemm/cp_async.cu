#include <cuda_runtime.h>

// Double-buffered tiles: the next slab arrives by cp.async while this one is multiplied.
#define T 16

__device__ __forceinline__ void async4(float* smem, const float* gmem)
{
    unsigned addr = (unsigned)__cvta_generic_to_shared(smem);
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4;\n" ::"r"(addr), "l"(gmem));
}

__global__ void gemm_async(const float* A, const float* B, float* C, int N, int K)
{
    __shared__ float a[2][T][T];
    __shared__ float b[2][T][T];
    const int x = threadIdx.x, y = threadIdx.y;
    const int row = blockIdx.y * T + y, col = blockIdx.x * T + x;
    const int slabs = K / T;

    async4(&a[0][y][x], &A[row * K + x]);
    async4(&b[0][y][x], &B[y * N + col]);
    asm volatile("cp.async.commit_group;\n");

    float acc = 0.f;
    for (int s = 0; s < slabs; ++s) {
        const int cur = s & 1, nxt = cur ^ 1;
        if (s + 1 < slabs) {
            async4(&a[nxt][y][x], &A[row * K + (s + 1) * T + x]);
            async4(&b[nxt][y][x], &B[((s + 1) * T + y) * N + col]);
        }
        asm volatile("cp.async.commit_group;\n");
        asm volatile("cp.async.wait_group 1;\n");
        __syncthreads();
        for (int k = 0; k < T; ++k) acc += a[cur][y][k] * b[cur][k][x];
        __syncthreads();
    }
    C[row * N + col] = acc;
}

extern "C" void gemm_pipelined(const float* A, const float* B, float* C)
{
    const int M = 32, N = 48, K = 64;
    float *da, *db, *dc;
    cudaMalloc(&da, sizeof(float) * M * K);
    cudaMalloc(&db, sizeof(float) * K * N);
    cudaMalloc(&dc, sizeof(float) * M * N);
    cudaMemcpy(da, A, sizeof(float) * M * K, cudaMemcpyHostToDevice);
    cudaMemcpy(db, B, sizeof(float) * K * N, cudaMemcpyHostToDevice);
    gemm_async<<<dim3(N / T, M / T), dim3(T, T)>>>(da, db, dc, N, K);
    cudaMemcpy(C, dc, sizeof(float) * M * N, cudaMemcpyDeviceToHost);
    cudaFree(da);
    cudaFree(db);
    cudaFree(dc);
}
