#include <cuda_runtime.h>

__global__ void clipped_relu(const float* x, float* y, float ceiling, int n)
{
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) {
        float v = x[i] < 0.0f ? 0.0f : x[i];
        y[i] = v > ceiling ? ceiling : v;
    }
}

// The launch goes through the API call instead of the triple brackets.
extern "C" cudaError_t relu_clipped(const float* x, float* y, float ceiling, int n)
{
    float *dx = nullptr, *dy = nullptr;
    cudaError_t err = cudaMalloc(reinterpret_cast<void**>(&dx), n * sizeof(float));
    if (err != cudaSuccess) return err;
    err = cudaMalloc(reinterpret_cast<void**>(&dy), n * sizeof(float));
    if (err != cudaSuccess) {
        cudaFree(dx);
        return err;
    }
    cudaMemcpy(dx, x, n * sizeof(float), cudaMemcpyHostToDevice);
    const float* cdx = dx;
    void* args[] = {&cdx, &dy, &ceiling, &n};
    err = cudaLaunchKernel((const void*)clipped_relu, dim3(2), dim3(64), args, 0, 0);
    if (err == cudaSuccess) err = cudaMemcpy(y, dy, n * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(dy);
    cudaFree(dx);
    return err;
}
