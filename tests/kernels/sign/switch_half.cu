#include <cuda_fp16.h>

enum class Kind { kNegative, kZero, kPositive };

__device__ Kind classify(half h)
{
    if (__hgt(h, __float2half(0.f))) return Kind::kPositive;
    if (__hlt(h, __float2half(0.f))) return Kind::kNegative;
    return Kind::kZero;
}

extern "C" __global__ void __launch_bounds__(64) sign_half(const half* x, half* y, int n)
{
    const int i = blockIdx.x * 64 + threadIdx.x;
    if (i >= n) return;
    float s;
    switch (classify(x[i])) {
        case Kind::kNegative: s = -1.f; break;
        case Kind::kPositive: s = 1.f; break;
        default: s = 0.f;
    }
    y[i] = __float2half(s);
}
