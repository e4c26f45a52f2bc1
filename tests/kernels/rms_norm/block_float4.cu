#include <cuda_runtime.h>
#include <stdint.h>

#define WARP_SIZE 32

// RMSNorm, one block a token, float4 accesses (n_embd % 4 == 0).
template <int NUM_THREADS>
__global__ void rmsnorm_f32x4(const float *x, const float *weight, float *y, int n_embd,
                              float eps) {
  constexpr int NUM_WARPS = NUM_THREADS / WARP_SIZE;
  __shared__ float s_warp[NUM_WARPS];
  __shared__ float s_scale;
  const int row = blockIdx.x;
  const float4 *x4 = reinterpret_cast<const float4 *>(x + row * n_embd);
  const float4 *w4 = reinterpret_cast<const float4 *>(weight);
  float4 *y4 = reinterpret_cast<float4 *>(y + row * n_embd);
  const int n4 = n_embd >> 2;

  float ss = 0.0f;
  for (int i = threadIdx.x; i < n4; i += NUM_THREADS) {
    float4 v = x4[i];
    ss += v.x * v.x + v.y * v.y + v.z * v.z + v.w * v.w;
  }
#pragma unroll
  for (int offset = WARP_SIZE / 2; offset > 0; offset >>= 1)
    ss += __shfl_xor_sync(0xffffffff, ss, offset, WARP_SIZE);
  if (threadIdx.x % WARP_SIZE == 0) s_warp[threadIdx.x / WARP_SIZE] = ss;
  __syncthreads();
  if (threadIdx.x == 0) {
    float total = 0.0f;
    for (int w = 0; w < NUM_WARPS; w++) total += s_warp[w];
    s_scale = rsqrtf(total / n_embd + eps);
  }
  __syncthreads();
  const float scale = s_scale;
  for (int i = threadIdx.x; i < n4; i += NUM_THREADS) {
    float4 v = x4[i], w = w4[i];
    y4[i] = make_float4(v.x * scale * w.x, v.y * scale * w.y, v.z * scale * w.z,
                        v.w * scale * w.w);
  }
}

// expects device pointers
extern "C" void rmsnorm(const float *x, const float *weight, float *y, int tokens, int n_embd,
                        float eps) {
  rmsnorm_f32x4<128><<<tokens, 128>>>(x, weight, y, n_embd, eps);
}
