#include <mma.h>
#include <cstdint>

namespace wmma = nvcuda::wmma;

// int8 tensor cores: C[32,32] (int) = A[32,64] * B[64,32]; B column-major; two warps a block.
template <int M, int N, int K>
__global__ void imma(const signed char* A, const signed char* B, int* C)
{
    const int warp = threadIdx.x / 32;
    const int m = blockIdx.x * 16, n = warp * 16;
    wmma::fragment<wmma::accumulator, 16, 16, 16, int> acc;
    wmma::fill_fragment(acc, 0);
    for (int k = 0; k < K; k += 16) {
        wmma::fragment<wmma::matrix_a, 16, 16, 16, signed char, wmma::row_major> a;
        wmma::fragment<wmma::matrix_b, 16, 16, 16, signed char, wmma::col_major> b;
        wmma::load_matrix_sync(a, A + m * K + k, K);
        wmma::load_matrix_sync(b, B + n * K + k, K);
        wmma::mma_sync(acc, a, b, acc);
    }
    wmma::store_matrix_sync(C + m * N + n, acc, N, wmma::mem_row_major);
}

extern "C" void gemm_int8(const signed char* A, const signed char* B, int* C)
{
    signed char *a, *b;
    int* c;
    cudaMalloc(&a, 32 * 64);
    cudaMalloc(&b, 32 * 64);
    cudaMalloc(&c, 32 * 32 * sizeof(int));
    cudaMemcpy(a, A, 32 * 64, cudaMemcpyHostToDevice);
    cudaMemcpy(b, B, 32 * 64, cudaMemcpyHostToDevice);
    imma<32, 32, 64><<<2, 64>>>(a, b, c);
    cudaMemcpy(C, c, 32 * 32 * sizeof(int), cudaMemcpyDeviceToHost);
    cudaFree(a);
    cudaFree(b);
    cudaFree(c);
}
