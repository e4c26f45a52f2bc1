#include <cuda_runtime.h>

// `<=` lets one thread write past the end.
__global__ void scale(const float* in, float* out, float k, int n)
{
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i <= n) out[i] = k * in[i];
}

extern "C" void scale_all(const float* in, float* out, float k, int n)
{
    float *a, *b;
    cudaMalloc(&a, n * sizeof(float));
    cudaMalloc(&b, n * sizeof(float));
    cudaMemcpy(a, in, n * sizeof(float), cudaMemcpyHostToDevice);
    scale<<<n / 64 + 1, 64>>>(a, b, k, n);
    cudaMemcpy(out, b, n * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(a);
    cudaFree(b);
}
