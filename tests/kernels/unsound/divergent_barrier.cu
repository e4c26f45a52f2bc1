#include <cuda_runtime.h>

// Two different barriers in the two branches: odd and even threads wait in different places.
__global__ void shift(const float* x, float* y)
{
    __shared__ float s[64];
    const int t = threadIdx.x;
    s[t] = x[t];
    if (t % 2 == 0) {
        __syncthreads();
        y[t] = s[(t + 1) % 64];
    } else {
        s[t] += 1.0f;
        __syncthreads();
        y[t] = s[(t + 2) % 64];
    }
}

extern "C" void shift64(const float* x, float* y)
{
    float *a, *b;
    cudaMalloc(&a, 64 * sizeof(float));
    cudaMalloc(&b, 64 * sizeof(float));
    cudaMemcpy(a, x, 64 * sizeof(float), cudaMemcpyHostToDevice);
    shift<<<1, 64>>>(a, b);
    cudaMemcpy(y, b, 64 * sizeof(float), cudaMemcpyDeviceToHost);
    cudaFree(a);
    cudaFree(b);
}
