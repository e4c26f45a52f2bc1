#include <cuda_runtime.h>

#define NUM_BINS 64

// Each block counts in shared memory and adds its counts to the global histogram.
__global__ void histogram_smem(const unsigned char *pixels, unsigned int *bins, int n)
{
    __shared__ unsigned int local[NUM_BINS];
    for (int b = threadIdx.x; b < NUM_BINS; b += blockDim.x) local[b] = 0;
    __syncthreads();

    const int stride = blockDim.x * gridDim.x;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride)
        atomicAdd(&local[pixels[i] >> 2], 1u);
    __syncthreads();

    for (int b = threadIdx.x; b < NUM_BINS; b += blockDim.x)
        if (local[b]) atomicAdd(&bins[b], local[b]);
}

extern "C" void histogram64(const unsigned char *pixels, unsigned int *bins, int n)
{
    unsigned char *dp;
    unsigned int *db;
    cudaMalloc((void **)&dp, n);
    cudaMalloc((void **)&db, NUM_BINS * sizeof(unsigned int));
    cudaMemcpy(dp, pixels, n, cudaMemcpyHostToDevice);
    cudaMemset(db, 0, NUM_BINS * sizeof(unsigned int));
    histogram_smem<<<4, 48>>>(dp, db, n);
    cudaMemcpy(bins, db, NUM_BINS * sizeof(unsigned int), cudaMemcpyDeviceToHost);
    cudaFree(dp);
    cudaFree(db);
}
