#include <cuda_runtime.h>

// The asynchronous copy is committed but never waited for.
__global__ void reverse(const float* x, float* y)
{
    __shared__ float s[64];
    unsigned to = (unsigned)__cvta_generic_to_shared(&s[threadIdx.x]);
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4;\n" ::"r"(to), "l"(x + threadIdx.x));
    asm volatile("cp.async.commit_group;\n");
    __syncthreads();
    y[threadIdx.x] = s[63 - threadIdx.x];
}

extern "C" void reverse64(const float* x, float* y)
{
    float *a, *b;
    cudaMalloc(&a, 64 * sizeof(float));
    cudaMalloc(&b, 64 * sizeof(float));
    cudaMemcpy(a, x, 64 * sizeof(float), cudaMemcpyHostToDevice);
    reverse<<<1, 64>>>(a, b);
    cudaMemcpy(y, b, 64 * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(a);
    cudaFree(b);
}
