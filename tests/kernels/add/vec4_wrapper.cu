#include <cuda_runtime.h>
#include <cstdio>
#include <cstdlib>

#define CUDA_CHECK(call)                                                        \
    do {                                                                        \
        cudaError_t err_ = (call);                                              \
        if (err_ != cudaSuccess) {                                              \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,                  \
                    cudaGetErrorString(err_));                                  \
            exit(EXIT_FAILURE);                                                 \
        }                                                                       \
    } while (0)

#define BLOCK 128

// Four elements per thread through 128-bit loads; whatever does not fill a
// float4 is done one by one by the first threads.
__global__ void add_vec4(const float* __restrict__ a, const float* __restrict__ b,
                         float* __restrict__ c, int n)
{
    int tid = blockIdx.x * blockDim.x + threadIdx.x;
    int n4 = n / 4;
    if (tid < n4) {
        float4 x = reinterpret_cast<const float4*>(a)[tid];
        float4 y = reinterpret_cast<const float4*>(b)[tid];
        float4 z;
        z.x = x.x + y.x;
        z.y = x.y + y.y;
        z.z = x.z + y.z;
        z.w = x.w + y.w;
        reinterpret_cast<float4*>(c)[tid] = z;
    }
    int tail = n4 * 4 + tid;
    if (tail < n)
        c[tail] = a[tail] + b[tail];
}

extern "C" void vector_add(const float* a, const float* b, float* c, int n)
{
    float *d_a, *d_b, *d_c;
    size_t bytes = (size_t)n * sizeof(float);
    CUDA_CHECK(cudaMalloc((void**)&d_a, bytes));
    CUDA_CHECK(cudaMalloc((void**)&d_b, bytes));
    CUDA_CHECK(cudaMalloc((void**)&d_c, bytes));
    CUDA_CHECK(cudaMemcpy(d_a, a, bytes, cudaMemcpyHostToDevice));
    CUDA_CHECK(cudaMemcpy(d_b, b, bytes, cudaMemcpyHostToDevice));

    int threads_needed = n / 4 + 3;
    int grid = (threads_needed + BLOCK - 1) / BLOCK;
    add_vec4<<<grid, BLOCK>>>(d_a, d_b, d_c, n);
    CUDA_CHECK(cudaGetLastError());
    CUDA_CHECK(cudaDeviceSynchronize());

    CUDA_CHECK(cudaMemcpy(c, d_c, bytes, cudaMemcpyDeviceToHost));
    CUDA_CHECK(cudaFree(d_a));
    CUDA_CHECK(cudaFree(d_b));
    CUDA_CHECK(cudaFree(d_c));
}
