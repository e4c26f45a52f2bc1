#include <cuda_bf16.h>

// GPT-2's tanh approximation on bfloat16 activations, two per thread.
__device__ float gelu_tanh(float x)
{
    const float k0 = 0.7978845608028654f;  // sqrt(2 / pi)
    const float k1 = 0.044715f;
    float inner = k0 * (x + k1 * x * x * x);
    return 0.5f * x * (1.f + tanhf(inner));
}

__global__ void gelu_bf16(const __nv_bfloat16* __restrict__ in, __nv_bfloat16* __restrict__ out,
                          int n)
{
    int base = (blockIdx.x * blockDim.x + threadIdx.x) * 2;
#pragma unroll
    for (int u = 0; u < 2; ++u)
        if (base + u < n)
            out[base + u] = __float2bfloat16(gelu_tanh(__bfloat162float(in[base + u])));
}
