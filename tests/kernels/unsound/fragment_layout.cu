#include <cuda_fp16.h>
#include <mma.h>
using namespace nvcuda;

// Adds a bias per column by trusting an accumulator layout that is not documented.
__global__ void gemm_bias(const half* A, const half* B, const float* bias, float* C)
{
    wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> a;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::row_major> b;
    wmma::fragment<wmma::accumulator, 16, 16, 16, float> c;
    wmma::fill_fragment(c, 0.0f);
    wmma::load_matrix_sync(a, A, 16);
    wmma::load_matrix_sync(b, B, 16);
    wmma::mma_sync(c, a, b, c);
    for (int i = 0; i < c.num_elements; ++i)
        c.x[i] += bias[(threadIdx.x % 4) * 2 + (i & 1) + (i & 4) * 2];
    wmma::store_matrix_sync(C, c, 16, wmma::mem_row_major);
}

extern "C" void gemm16_bias(const half* A, const half* B, const float* bias, float* C)
{
    half *a, *b;
    float *d, *c;
    cudaMalloc(&a, 256 * sizeof(half));
    cudaMalloc(&b, 256 * sizeof(half));
    cudaMalloc(&d, 16 * sizeof(float));
    cudaMalloc(&c, 256 * sizeof(float));
    cudaMemcpy(a, A, 256 * sizeof(half), cudaMemcpyHostToDevice);
    cudaMemcpy(b, B, 256 * sizeof(half), cudaMemcpyHostToDevice);
    cudaMemcpy(d, bias, 16 * sizeof(float), cudaMemcpyHostToDevice);
    gemm_bias<<<1, 32>>>(a, b, d, c);
    cudaMemcpy(C, c, 256 * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(a);
    cudaFree(b);
    cudaFree(d);
    cudaFree(c);
}
