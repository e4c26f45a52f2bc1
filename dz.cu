// Translated from dz.c (C (AVX-512/VNNI)) by Xpiler.

#include <cuda_runtime.h>
#include <stdint.h>

__global__ void f_kernel(const uint8_t *x, short *y, const unsigned short *d, int n)
{
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        y[i] = (short)(x[i] * 0.37f / d[i]);
    }
}

extern "C" void f(const uint8_t *x, short *y, const unsigned short *d, int n)
{
    uint8_t *d_x;
    cudaMalloc(&d_x, n * sizeof(uint8_t));
    short *d_y;
    cudaMalloc(&d_y, n * sizeof(short));
    unsigned short *d_d;
    cudaMalloc(&d_d, n * sizeof(unsigned short));
    cudaMemcpy(d_x, x, n * sizeof(uint8_t), cudaMemcpyHostToDevice);
    cudaMemcpy(d_d, d, n * sizeof(unsigned short), cudaMemcpyHostToDevice);
    if (0 < n) {
        f_kernel<<<((unsigned int)n + 255) / 256, 256>>>(d_x, d_y, d_d, n);
    }
    cudaMemcpy(y, d_y, n * sizeof(short), cudaMemcpyDeviceToHost);
    cudaFree(d_x);
    cudaFree(d_y);
    cudaFree(d_d);
}
