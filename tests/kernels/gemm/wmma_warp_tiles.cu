#include <cuda_runtime.h>
#include <cuda_fp16.h>
#include <mma.h>

namespace tc = nvcuda::wmma;

#define TILE_ROWS 48
#define TILE_COLS 32
#define DEPTH 16

typedef tc::fragment<tc::matrix_a, 16, 16, 16, half, tc::row_major> LeftTile;
typedef tc::fragment<tc::matrix_b, 16, 16, 16, half, tc::col_major> RightTile;
typedef tc::fragment<tc::accumulator, 16, 16, 16, float> SumTile;

// C = A * Bt^T. Two warps side by side, each with a column of three accumulators in registers.
__global__ void gemm_nt_tiles(const half *A, const half *Bt, float *C, int N, int K)
{
    __shared__ half left[TILE_ROWS][DEPTH];
    __shared__ half right[TILE_COLS][DEPTH];

    const int thread = threadIdx.x;
    const int column = (thread >> 5) * 16;  // of the warp's tile in the block's
    const int top = blockIdx.x * TILE_ROWS;
    const int side = blockIdx.y * TILE_COLS;

    SumTile sums[3];
    for (int t = 0; t < 3; t++)
        tc::fill_fragment(sums[t], 0.0f);

    for (int k = 0; k < K; k += DEPTH) {
        for (int e = thread; e < TILE_ROWS * DEPTH; e += 64)
            left[e / DEPTH][e % DEPTH] = A[(top + e / DEPTH) * K + k + e % DEPTH];
        for (int e = thread; e < TILE_COLS * DEPTH; e += 64)
            right[e / DEPTH][e % DEPTH] = Bt[(side + e / DEPTH) * K + k + e % DEPTH];
        __syncthreads();

        LeftTile a[3];
        RightTile b;
        tc::load_matrix_sync(b, &right[column][0], DEPTH);
        for (int t = 0; t < 3; t++)
            tc::load_matrix_sync(a[t], left[t * 16], DEPTH);
#pragma unroll
        for (int t = 0; t < 3; t++)
            tc::mma_sync(sums[t], a[t], b, sums[t]);
        __syncthreads();
    }

    float *corner = C + top * N + side + column;
    for (int t = 0; t < 3; t++) {
        float *piece = corner + t * 16 * N;
        tc::store_matrix_sync(piece, sums[t], N, tc::mem_row_major);
    }
}

void gemm_nt_48x32(const half *A, const half *Bt, float *C, int M, int N, int K)
{
    half *a, *b;
    float *c;
    cudaMalloc((void **)&a, M * K * sizeof(half));
    cudaMalloc((void **)&b, N * K * sizeof(half));
    cudaMalloc((void **)&c, M * N * sizeof(float));
    cudaMemcpy(a, A, M * K * sizeof(half), cudaMemcpyHostToDevice);
    cudaMemcpy(b, Bt, N * K * sizeof(half), cudaMemcpyHostToDevice);
    gemm_nt_tiles<<<dim3(M / TILE_ROWS, N / TILE_COLS), 64>>>(a, b, c, N, K);
    cudaMemcpy(C, c, M * N * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(a);
    cudaFree(b);
    cudaFree(c);
}
