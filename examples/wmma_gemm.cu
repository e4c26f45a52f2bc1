// Half-precision product on tensor cores: one warp computes one 16 x 16 tile.
#include <cuda_fp16.h>
#include <mma.h>

using namespace nvcuda;

__global__ void gemm_wmma(const half* a, const half* b, float* c, int n, int k)
{
    int tile_row = blockIdx.y * 16;
    int tile_col = blockIdx.x * 16;
    wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> fa;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::row_major> fb;
    wmma::fragment<wmma::accumulator, 16, 16, 16, float> acc;
    wmma::fill_fragment(acc, 0.0f);
    for (int i = 0; i < k; i += 16) {
        wmma::load_matrix_sync(fa, a + tile_row * k + i, k);
        wmma::load_matrix_sync(fb, b + i * n + tile_col, n);
        wmma::mma_sync(acc, fa, fb, acc);
    }
    wmma::store_matrix_sync(c + tile_row * n + tile_col, acc, n, wmma::mem_row_major);
}

// Device pointers; m, n and k are multiples of 16.
extern "C" void gemm_half(const half* a, const half* b, float* c, int m, int n, int k)
{
    gemm_wmma<<<dim3(n / 16, m / 16), 32>>>(a, b, c, n, k);
}
