// Read before every HIP text.
#pragma once
#define __HIPCC__ 1
#define __HIP__ 1
#define HIP_VERSION_MAJOR 6
#define HIP_VERSION_MINOR 0
#define HIP_VERSION 60000000
#define XP_VECTOR_OPERATORS 1
#include "base.h"
#include "vectors.h"
#include "xp_math.h"
#include "half.h"
typedef unsigned long long xp_mask_t;
#define XP_MASK xp_mask_t
#include "warp.h"
#include "std.h"
#include "hip_api.h"
#define hipThreadIdx_x (threadIdx.x)
#define hipThreadIdx_y (threadIdx.y)
#define hipThreadIdx_z (threadIdx.z)
#define hipBlockIdx_x (blockIdx.x)
#define hipBlockIdx_y (blockIdx.y)
#define hipBlockIdx_z (blockIdx.z)
#define hipBlockDim_x (blockDim.x)
#define hipBlockDim_y (blockDim.y)
#define hipBlockDim_z (blockDim.z)
#define hipGridDim_x (gridDim.x)
#define hipGridDim_y (gridDim.y)
#define hipGridDim_z (gridDim.z)
#define HIP_DYNAMIC_SHARED(type, var) extern __shared__ type var[];
#pragma clang force_cuda_host_device begin
unsigned __lane_id();
#pragma clang force_cuda_host_device end

// AMD's built-in functions whose meaning plain code can say; the tables name the originals.
#pragma clang force_cuda_host_device begin
inline int xp_ds_bpermute(int bytes, int v) { return __shfl(v, (bytes >> 2) & (XP_WAVE - 1)); }
inline int xp_ds_swizzle(int v, int pattern) { return __shfl_xor(v, (pattern >> 10) & 31); }
inline int xp_readlane(int v, int lane) { return __shfl(v, lane); }
inline unsigned xp_mbcnt_lo(unsigned mask, unsigned base) {
  return base + __popc(mask & (__xp_lane() >= 32 ? 0xffffffffu : (1u << __xp_lane()) - 1u));
}
inline unsigned xp_mbcnt_hi(unsigned mask, unsigned base) {
  return base + (__xp_lane() < 32 ? 0u : (unsigned)__popc(mask & ((1u << (__xp_lane() - 32)) - 1u)));
}
inline float xp_fmed3f(float a, float b, float c) { return fmaxf(fminf(a, b), fminf(fmaxf(a, b), c)); }
inline float xp_fractf(float a) { return a - floorf(a); }
inline unsigned long long __lanemask_lt() { return (1ull << __xp_lane()) - 1; }
inline unsigned __smid() { return 0; }
#pragma clang force_cuda_host_device end
