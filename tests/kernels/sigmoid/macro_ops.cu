#include <cuda_runtime.h>

// A small family of activations made by one macro.
#define DEFINE_UNARY(NAME, EXPR)                                         \
    __global__ void NAME##_kernel(const float* in, float* out, int n)    \
    {                                                                    \
        int i = threadIdx.x + blockIdx.x * blockDim.x;                   \
        if (i < n) {                                                     \
            float x = in[i];                                             \
            out[i] = (EXPR);                                             \
        }                                                                \
    }                                                                    \
    extern "C" void NAME(const float* in, float* out, int n)             \
    {                                                                    \
        float *d_in, *d_out;                                             \
        cudaMalloc(&d_in, n * sizeof(float));                            \
        cudaMalloc(&d_out, n * sizeof(float));                           \
        cudaMemcpy(d_in, in, n * sizeof(float), cudaMemcpyHostToDevice); \
        NAME##_kernel<<<(n + 127) / 128, 128>>>(d_in, d_out, n);         \
        cudaMemcpy(out, d_out, n * sizeof(float), cudaMemcpyDeviceToHost); \
        cudaFree(d_in);                                                  \
        cudaFree(d_out);                                                 \
    }

DEFINE_UNARY(sigmoid, 1.0f / (1.0f + __expf(-x)))
