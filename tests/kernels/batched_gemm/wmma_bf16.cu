#include <cuda_bf16.h>
#include <mma.h>
using namespace nvcuda::wmma;

// Batched bf16 product on tensor cores, B given column-major; staged through shared memory.
constexpr int M = 32, N = 16, K = 32;

__global__ void bmm_wmma(const __nv_bfloat16* A, const __nv_bfloat16* B, float* C)
{
    __shared__ __align__(32) __nv_bfloat16 sA[16 * K];
    const int batch = blockIdx.z;
    const int row0 = blockIdx.y * 16;
    A += batch * M * K + row0 * K;
    B += batch * N * K;
    C += batch * M * N + row0 * N;

    for (int i = threadIdx.x; i < 16 * K; i += 32) sA[i] = A[i];
    __syncwarp();

    fragment<accumulator, 16, 16, 16, float> acc;
    fill_fragment(acc, 0.0f);
#pragma unroll
    for (int k = 0; k < K; k += 16) {
        fragment<matrix_a, 16, 16, 16, __nv_bfloat16, row_major> fa;
        fragment<matrix_b, 16, 16, 16, __nv_bfloat16, col_major> fb;
        load_matrix_sync(fa, sA + k, K);
        load_matrix_sync(fb, B + k, K);
        mma_sync(acc, fa, fb, acc);
    }
    for (int t = 0; t < acc.num_elements; t++) acc.x[t] *= 0.5f;
    store_matrix_sync(C, acc, N, mem_row_major);
}

extern "C" void bmm_bf16_scaled(const __nv_bfloat16* A, const __nv_bfloat16* B, float* C, int batch)
{
    __nv_bfloat16 *a, *b;
    float* c;
    cudaMalloc(&a, batch * M * K * sizeof(__nv_bfloat16));
    cudaMalloc(&b, batch * N * K * sizeof(__nv_bfloat16));
    cudaMalloc(&c, batch * M * N * sizeof(float));
    cudaMemcpy(a, A, batch * M * K * sizeof(__nv_bfloat16), cudaMemcpyHostToDevice);
    cudaMemcpy(b, B, batch * N * K * sizeof(__nv_bfloat16), cudaMemcpyHostToDevice);
    bmm_wmma<<<dim3(1, M / 16, batch), 32>>>(a, b, c);
    cudaMemcpy(C, c, batch * M * N * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(a);
    cudaFree(b);
    cudaFree(c);
}
