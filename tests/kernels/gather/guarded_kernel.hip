#include <hip/hip_runtime.h>

// 200 lookups in a table of 64; an index outside gives zero, so any index is fine.
extern "C" __global__ void gather1d(const double* __restrict__ table, const int* __restrict__ where,
                                    double* __restrict__ result) {
  int t = blockIdx.x * blockDim.x + threadIdx.x;
  if (t >= 200) return;
  int w = where[t];
  result[t] = (w >= 0 && w < 64) ? table[w] : 0.0;
}
