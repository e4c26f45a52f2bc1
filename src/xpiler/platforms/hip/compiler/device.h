// Completes the declarations that sources are read with, so that a compiler makes real machine code:
// axes, barriers, shuffles and atomic operations of AMD GPUs by the compiler's built-in functions.
#pragma once
#include "hip.h"

#define XP_DEV __device__ __attribute__((always_inline)) inline

XP_DEV xp_uint3 xp_thread_idx() {
  return {__builtin_amdgcn_workitem_id_x(), __builtin_amdgcn_workitem_id_y(),
          __builtin_amdgcn_workitem_id_z()};
}
XP_DEV xp_uint3 xp_block_idx() {
  return {__builtin_amdgcn_workgroup_id_x(), __builtin_amdgcn_workgroup_id_y(),
          __builtin_amdgcn_workgroup_id_z()};
}
XP_DEV xp_uint3 xp_block_dim() {
  return {__builtin_amdgcn_workgroup_size_x(), __builtin_amdgcn_workgroup_size_y(),
          __builtin_amdgcn_workgroup_size_z()};
}
XP_DEV xp_uint3 xp_grid_dim() {
  xp_uint3 n = xp_block_dim();
  return {__builtin_amdgcn_grid_size_x() / n.x, __builtin_amdgcn_grid_size_y() / n.y,
          __builtin_amdgcn_grid_size_z() / n.z};
}
#define threadIdx (xp_thread_idx())
#define blockIdx (xp_block_idx())
#define blockDim (xp_block_dim())
#define gridDim (xp_grid_dim())
#define warpSize XP_WAVE

__device__ __attribute__((always_inline)) inline unsigned xp_lane_id() {
  return __builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0u));
}
#define __lane_id() (xp_lane_id())

__device__ __attribute__((always_inline)) inline void xp_syncthreads() {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
  __builtin_amdgcn_s_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}
#define __syncthreads() xp_syncthreads()
__device__ __attribute__((always_inline)) inline void xp_syncwarp() {
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "wavefront");
  __builtin_amdgcn_wave_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "wavefront");
}
#define __syncwarp(...) xp_syncwarp()
#define __threadfence() __builtin_amdgcn_fence(__ATOMIC_SEQ_CST, "agent")
#define __threadfence_block() __builtin_amdgcn_fence(__ATOMIC_SEQ_CST, "workgroup")
#define __threadfence_system() __builtin_amdgcn_fence(__ATOMIC_SEQ_CST, "")
#define __trap() __builtin_trap()

// Values move between lanes 32 bits at a time.
template <class T> XP_DEV T xp_from_lane(T v, int lane) {
  constexpr int words = (sizeof(T) + 3) / 4;
  int in[words] = {};
  __builtin_memcpy(in, &v, sizeof(T));
  for (int k = 0; k < words; k++) in[k] = __builtin_amdgcn_ds_bpermute(lane << 2, in[k]);
  __builtin_memcpy(&v, in, sizeof(T));
  return v;
}
template <class T> XP_DEV T xp_shfl(T v, int lane, int width = XP_WAVE) {
  int own = xp_lane_id();
  return xp_from_lane(v, (lane & (width - 1)) + (own & ~(width - 1)));
}
template <class T> XP_DEV T xp_shfl_up(T v, unsigned delta, int width = XP_WAVE) {
  int own = xp_lane_id(), from = own - (int)delta;
  return xp_from_lane(v, from < (own & ~(width - 1)) ? own : from);
}
template <class T> XP_DEV T xp_shfl_down(T v, unsigned delta, int width = XP_WAVE) {
  int own = xp_lane_id();
  return xp_from_lane(v, (own & (width - 1)) + (int)delta >= width ? own : own + (int)delta);
}
template <class T> XP_DEV T xp_shfl_xor(T v, int mask, int width = XP_WAVE) {
  int own = xp_lane_id(), from = own ^ mask;
  return xp_from_lane(v, from >= ((own + width) & ~(width - 1)) ? own : from);
}
#define __shfl xp_shfl
#define __shfl_up xp_shfl_up
#define __shfl_down xp_shfl_down
#define __shfl_xor xp_shfl_xor
#define __ballot(p) ((unsigned long long)__builtin_amdgcn_uicmp((unsigned)(p), 0u, 33))
#define __any(p) ((int)(__ballot((p) ? 1u : 0u) != 0))
#define __all(p) ((int)(__ballot((p) ? 0u : 1u) == 0))

// Atomic operations: the pointer's type counts.
template <class T> struct xp_id { typedef T type; };
#define XP_ATOMIC(name, call) \
  template <class T> XP_DEV T xp_##name(T* p, typename xp_id<T>::type v) { \
    return call(p, v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT); \
  }
XP_ATOMIC(atomicAdd, __hip_atomic_fetch_add)
XP_ATOMIC(atomicAnd, __hip_atomic_fetch_and)
XP_ATOMIC(atomicOr, __hip_atomic_fetch_or)
XP_ATOMIC(atomicXor, __hip_atomic_fetch_xor)
XP_ATOMIC(atomicMin, __hip_atomic_fetch_min)
XP_ATOMIC(atomicMax, __hip_atomic_fetch_max)
XP_ATOMIC(atomicExch, __hip_atomic_exchange)
template <class T> XP_DEV T xp_atomicSub(T* p, typename xp_id<T>::type v) {
  return __hip_atomic_fetch_add(p, (T)-v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
}
template <class T>
XP_DEV T xp_atomicCAS(T* p, typename xp_id<T>::type seen, typename xp_id<T>::type v) {
  T old = seen;
  __hip_atomic_compare_exchange_strong(p, &old, (T)v, __ATOMIC_RELAXED, __ATOMIC_RELAXED,
                                       __HIP_MEMORY_SCOPE_AGENT);
  return old;
}
#define atomicAdd xp_atomicAdd
#define atomicAnd xp_atomicAnd
#define atomicOr xp_atomicOr
#define atomicXor xp_atomicXor
#define atomicMin xp_atomicMin
#define atomicMax xp_atomicMax
#define atomicExch xp_atomicExch
#define atomicSub xp_atomicSub
#define atomicCAS xp_atomicCAS

// Functions that are one or few instructions.
#define __expf(x) __builtin_amdgcn_exp2f(1.4426950408889634f * (x))
#define __logf(x) (0.69314718055994531f * __builtin_amdgcn_logf(x))
#define __log2f(x) __builtin_amdgcn_logf(x)
#define __fdividef(a, b) ((a) * __builtin_amdgcn_rcpf(b))
#define __saturatef(x) __builtin_amdgcn_fmed3f(x, 0.0f, 1.0f)
#define rsqrtf(x) __builtin_amdgcn_rsqf(x)
#define __float_as_int(x) __builtin_bit_cast(int, (float)(x))
#define __float_as_uint(x) __builtin_bit_cast(unsigned, (float)(x))
#define __int_as_float(x) __builtin_bit_cast(float, (int)(x))
#define __uint_as_float(x) __builtin_bit_cast(float, (unsigned)(x))
#define __double_as_longlong(x) __builtin_bit_cast(long long, (double)(x))
#define __longlong_as_double(x) __builtin_bit_cast(double, (long long)(x))
#define __popc(x) __builtin_popcount(x)
#define __popcll(x) __builtin_popcountll(x)
#define __brev(x) __builtin_bitreverse32(x)
#define __brevll(x) __builtin_bitreverse64(x)
#define __clz(x) ((x) == 0 ? 32 : __builtin_clz(x))
#define __clzll(x) ((x) == 0 ? 64 : __builtin_clzll(x))
#define __ffs(x) __builtin_ffs(x)
#define __ffsll(x) __builtin_ffsll(x)
#define isnan(x) __builtin_isnan(x)
#define isinf(x) __builtin_isinf(x)
#define isfinite(x) __builtin_isfinite(x)
