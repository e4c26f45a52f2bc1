// GELU on four values at a time; no host code: the launch follows from the guard.
#include <hip/hip_runtime.h>

__device__ __forceinline__ float gelu(float v)
{
    return 0.5f * v * (1.0f + erff(v * 0.70710678f));
}

__global__ void gelu4(const float4* in, float4* out, int n4)
{
    int i = blockIdx.x * 256 + threadIdx.x;
    if (i >= n4)
        return;
    float4 v = in[i];
    v.x = gelu(v.x);
    v.y = gelu(v.y);
    v.z = gelu(v.z);
    v.w = gelu(v.w);
    out[i] = v;
}
