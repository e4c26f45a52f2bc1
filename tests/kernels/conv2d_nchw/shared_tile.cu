#include <cuda_runtime.h>

#define TILE 8
#define MAX_F 5

// Valid NCHW convolution. A block produces TILE x TILE pixels of one output channel; for
// every input channel the patch is staged in shared memory.
__global__ void conv_shared(const float* __restrict__ x, const float* __restrict__ k,
                            const float* __restrict__ b, float* __restrict__ y, int C, int H, int W,
                            int M, int F)
{
    __shared__ float patch[TILE + MAX_F - 1][TILE + MAX_F - 1];
    const int OH = H - F + 1, OW = W - F + 1;
    const int n = blockIdx.z / M, m = blockIdx.z % M;
    const int ty = threadIdx.y, tx = threadIdx.x;
    const int oy = blockIdx.y * TILE + ty, ox = blockIdx.x * TILE + tx;
    const int span = TILE + F - 1;

    float acc = b[m];
    for (int c = 0; c < C; c++) {
        for (int i = ty; i < span; i += TILE)
            for (int j = tx; j < span; j += TILE) {
                const int iy = blockIdx.y * TILE + i, ix = blockIdx.x * TILE + j;
                patch[i][j] = (iy < H && ix < W) ? x[((n * C + c) * H + iy) * W + ix] : 0.f;
            }
        __syncthreads();
        for (int r = 0; r < F; r++)
            for (int s = 0; s < F; s++)
                acc += patch[ty + r][tx + s] * k[((m * C + c) * F + r) * F + s];
        __syncthreads();
    }
    if (oy < OH && ox < OW) y[((n * M + m) * OH + oy) * OW + ox] = acc;
}

extern "C" int conv2d_nchw(const float* x, const float* k, const float* b, float* y, int N, int C,
                           int H, int W, int M, int F)
{
    if (F > MAX_F) return 1;
    const int OH = H - F + 1, OW = W - F + 1;
    float *dx, *dk, *db, *dy;
    cudaMalloc(&dx, sizeof(float) * N * C * H * W);
    cudaMalloc(&dk, sizeof(float) * M * C * F * F);
    cudaMalloc(&db, sizeof(float) * M);
    cudaMalloc(&dy, sizeof(float) * N * M * OH * OW);
    cudaMemcpy(dx, x, sizeof(float) * N * C * H * W, cudaMemcpyHostToDevice);
    cudaMemcpy(dk, k, sizeof(float) * M * C * F * F, cudaMemcpyHostToDevice);
    cudaMemcpy(db, b, sizeof(float) * M, cudaMemcpyHostToDevice);
    dim3 grid((OW + TILE - 1) / TILE, (OH + TILE - 1) / TILE, N * M);
    conv_shared<<<grid, dim3(TILE, TILE)>>>(dx, dk, db, dy, C, H, W, M, F);
    cudaMemcpy(y, dy, sizeof(float) * N * M * OH * OW, cudaMemcpyDeviceToHost);
    cudaFree(dx);
    cudaFree(dk);
    cudaFree(db);
    cudaFree(dy);
    return 0;
}
