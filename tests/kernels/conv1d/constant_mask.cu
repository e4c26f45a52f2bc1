#include <cuda_runtime.h>

#define MASK_WIDTH 7
#define RADIUS (MASK_WIDTH / 2)
#define TILE_SIZE 32

__constant__ float M[MASK_WIDTH];

// "Same" 1-D convolution with a constant-memory mask; the tile carries its halo.
__global__ void convolution_1D(const float *N, float *P, int Width)
{
    __shared__ float N_ds[TILE_SIZE + MASK_WIDTH - 1];
    int i = blockIdx.x * blockDim.x + threadIdx.x;

    int halo_left = (int)(blockIdx.x * TILE_SIZE) - RADIUS + (int)threadIdx.x;
    if (threadIdx.x < RADIUS)
        N_ds[threadIdx.x] = (halo_left < 0) ? 0 : N[halo_left];
    N_ds[RADIUS + threadIdx.x] = (i < Width) ? N[i] : 0;
    int halo_right = (blockIdx.x + 1) * TILE_SIZE + threadIdx.x;
    if (threadIdx.x < RADIUS)
        N_ds[RADIUS + TILE_SIZE + threadIdx.x] = (halo_right >= Width) ? 0 : N[halo_right];
    __syncthreads();

    if (i < Width) {
        float Pvalue = 0;
        for (int j = 0; j < MASK_WIDTH; j++)
            Pvalue += N_ds[threadIdx.x + j] * M[j];
        P[i] = Pvalue;
    }
}

extern "C" void conv1d_same(const float *h_N, const float *h_M, float *h_P, int Width)
{
    float *d_N, *d_P;
    cudaMalloc((void **)&d_N, Width * sizeof(float));
    cudaMalloc((void **)&d_P, Width * sizeof(float));
    cudaMemcpy(d_N, h_N, Width * sizeof(float), cudaMemcpyHostToDevice);
    cudaMemcpyToSymbol(M, h_M, MASK_WIDTH * sizeof(float));
    convolution_1D<<<(Width + TILE_SIZE - 1) / TILE_SIZE, TILE_SIZE>>>(d_N, d_P, Width);
    cudaMemcpy(h_P, d_P, Width * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(d_N);
    cudaFree(d_P);
}
