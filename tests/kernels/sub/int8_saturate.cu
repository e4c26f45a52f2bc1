#include <cstdint>

// Saturating subtraction of quantised values, clamped to [-128, 127].
__device__ inline int8_t clamp_i8(int v)
{
  return v < -128 ? -128 : (v > 127 ? 127 : static_cast<int8_t>(v));
}

extern "C" __global__ void sub_sat_i8(const int8_t *lhs, const int8_t *rhs, int8_t *res, int n)
{
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x)
    res[i] = clamp_i8((int)lhs[i] - (int)rhs[i]);
}
