#include <hip/hip_runtime.h>
#include <hip/hip_fp16.h>

// The gate of a GEGLU block: in is (rows, 2*d), out = gelu(in[:, :d]) * in[:, d:].
__global__ void geglu(const __half* in, __half* out, int d)
{
    const __half* gate = in + (size_t)blockIdx.y * 2 * d;
    const __half* lin = gate + d;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < d; i += gridDim.x * blockDim.x) {
        const float g = __half2float(gate[i]);
        const float act = 0.5f * g * (1.0f + erff(g * 0.70710678118f));
        out[(size_t)blockIdx.y * d + i] = __float2half(act * __half2float(lin[i]));
    }
}
