// Translated from l2.c (C (AVX-512/VNNI)) by Xpiler.

#include <cuda_runtime.h>

__global__ void k_kernel(const float *f, float *g, int nx)
{
    const int x = blockIdx.x * blockDim.x + threadIdx.x;
    if (x < nx) {
        float s = 0.0f;
        for (int q = 0; q < 3; q++) {
            int sx = x - q + 1 < 0 ? nx - 1 : x - q + 1 >= nx ? x - q + 1 - nx : x - q + 1;
            s += f[q * nx + sx];
        }
        g[x] = s;
    }
}

extern "C" void k(const float *f, float *g, int nx)
{
    float *d_f;
    cudaMalloc(&d_f, (size_t)nx * 3 * sizeof(float));
    float *d_g;
    cudaMalloc(&d_g, nx * sizeof(float));
    cudaMemcpy(d_f, f, (size_t)nx * 3 * sizeof(float), cudaMemcpyHostToDevice);
    if (0 < nx) {
        k_kernel<<<((unsigned int)nx + 255) / 256, 256>>>(d_f, d_g, nx);
    }
    cudaMemcpy(g, d_g, nx * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(d_f);
    cudaFree(d_g);
}
