#include "hip/hip_runtime.h"

using float4v = float __attribute__((ext_vector_type(4)));

static __device__ __forceinline__ float4v gelu4(float4v x)
{
    float4v r;
    for (int i = 0; i < 4; i++) {
        float u = 0.7978845608f * (x[i] + 0.044715f * x[i] * x[i] * x[i]);
        // tanh(u) = 1 - 2 / (1 + exp(2u))
        float th = 1.0f - 2.0f / (1.0f + __expf(2.0f * u));
        r[i] = 0.5f * x[i] * (1.0f + th);
    }
    return r;
}

__global__ void gelu_rows(const float* in, float* out, int vecs)
{
    int v = blockIdx.x * blockDim.x + threadIdx.x;
    if (v < vecs)
        ((float4v*)out)[v] = gelu4(((const float4v*)in)[v]);
}

/* n must be a multiple of 4 */
extern "C" void gelu_fast(const float* in, float* out, int n)
{
    float *i, *o;
    hipMalloc((void**)&i, sizeof(float) * n);
    hipMalloc((void**)&o, sizeof(float) * n);
    hipMemcpy(i, in, sizeof(float) * n, hipMemcpyHostToDevice);
    int vecs = n / 4;
    gelu_rows<<<(vecs + 63) / 64, 64>>>(i, o, vecs);
    hipMemcpy(out, o, sizeof(float) * n, hipMemcpyDeviceToHost);
    hipFree(i);
    hipFree(o);
}
