#include <hip/hip_runtime.h>

struct AdamState {
  float lr_t;      // learning rate with both bias corrections folded in
  float b1, b2;
  float eps;
};

__global__ __launch_bounds__(64)
void adam_step(float4* __restrict__ w, const float4* __restrict__ g, float4* __restrict__ m,
               float4* __restrict__ v, int quads, AdamState s)
{
  for (int q = blockIdx.x * blockDim.x + threadIdx.x; q < quads; q += gridDim.x * blockDim.x) {
    float4 ww = w[q], gg = g[q], mm = m[q], vv = v[q];
    float* wp = &ww.x;
    const float* gp = &gg.x;
    float* mp = &mm.x;
    float* vp = &vv.x;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      mp[i] = s.b1 * mp[i] + (1.f - s.b1) * gp[i];
      vp[i] = s.b2 * vp[i] + (1.f - s.b2) * gp[i] * gp[i];
      wp[i] -= s.lr_t * mp[i] / (sqrtf(vp[i]) + s.eps);
    }
    w[q] = ww;
    m[q] = mm;
    v[q] = vv;
  }
}

// n is a multiple of 4; all arrays are updated in place on the device
extern "C" void adam(float* w, const float* g, float* m, float* v, int n, float lr_t, float b1,
                     float b2, float eps)
{
  AdamState s = {lr_t, b1, b2, eps};
  hipLaunchKernelGGL(adam_step, dim3(2), dim3(64), 0, 0, (float4*)w, (const float4*)g, (float4*)m,
                     (float4*)v, n / 4, s);
}
