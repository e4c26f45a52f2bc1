// Warp and block collectives, atomics, fences. XP_WAVE is the number of lanes in a warp.
#pragma once
#define XP_ALL ((XP_MASK)~XP_MASK(0))
__device__ void __syncthreads();
#pragma clang force_cuda_host_device begin

template <class T> T __shfl_sync(XP_MASK mask, T v, int lane, int width = XP_WAVE);
template <class T> T __shfl_up_sync(XP_MASK mask, T v, unsigned delta, int width = XP_WAVE);
template <class T> T __shfl_down_sync(XP_MASK mask, T v, unsigned delta, int width = XP_WAVE);
template <class T> T __shfl_xor_sync(XP_MASK mask, T v, int lanes, int width = XP_WAVE);
template <class T> T __shfl(T v, int lane, int width = XP_WAVE);
template <class T> T __shfl_up(T v, unsigned delta, int width = XP_WAVE);
template <class T> T __shfl_down(T v, unsigned delta, int width = XP_WAVE);
template <class T> T __shfl_xor(T v, int lanes, int width = XP_WAVE);
int __any_sync(XP_MASK mask, int p);
int __all_sync(XP_MASK mask, int p);
XP_MASK __ballot_sync(XP_MASK mask, int p);
XP_MASK __match_any_sync(XP_MASK mask, int v);
XP_MASK __match_any_sync(XP_MASK mask, unsigned v);
XP_MASK __match_any_sync(XP_MASK mask, long long v);
XP_MASK __match_any_sync(XP_MASK mask, unsigned long long v);
XP_MASK __match_any_sync(XP_MASK mask, float v);
template <class T> XP_MASK __match_all_sync(XP_MASK mask, T v, int* pred);
int __any(int p);
int __all(int p);
XP_MASK __ballot(int p);
XP_MASK __activemask();
int __reduce_add_sync(unsigned mask, int v);
int __reduce_min_sync(unsigned mask, int v);
int __reduce_max_sync(unsigned mask, int v);
unsigned __reduce_add_sync(unsigned mask, unsigned v);
unsigned __reduce_min_sync(unsigned mask, unsigned v);
unsigned __reduce_max_sync(unsigned mask, unsigned v);
unsigned __reduce_and_sync(unsigned mask, unsigned v);
unsigned __reduce_or_sync(unsigned mask, unsigned v);
unsigned __reduce_xor_sync(unsigned mask, unsigned v);
template <class T> T __xp_reduce_add(XP_MASK mask, T v);
template <class T> T __xp_reduce_min(XP_MASK mask, T v);
template <class T> T __xp_reduce_max(XP_MASK mask, T v);
void __syncwarp(XP_MASK mask = XP_ALL);
int __syncthreads_count(int);
int __syncthreads_and(int);
int __syncthreads_or(int);
void __xp_grid_sync();
void __threadfence();
void __threadfence_block();
void __threadfence_system();
inline void __nanosleep(unsigned) {}
void __trap();
void __xp_assert(bool, const char*);
#define assert(c) __xp_assert((c), #c)
int printf(const char*, ...);
long long clock64();
long long wall_clock64();
int clock();

#define XP_SCOPED(T, s) \
  T atomicAdd##s(T*, T); T atomicSub##s(T*, T); T atomicExch##s(T*, T); T atomicMin##s(T*, T); \
  T atomicMax##s(T*, T); T atomicAnd##s(T*, T); T atomicOr##s(T*, T); T atomicXor##s(T*, T); \
  T atomicCAS##s(T*, T, T); T atomicInc##s(T*, T); T atomicDec##s(T*, T);
#define XP_ATOMIC(T) \
  T atomicAdd(T*, T); T atomicSub(T*, T); T atomicExch(T*, T); T atomicMin(T*, T); \
  T atomicMax(T*, T); T atomicAnd(T*, T); T atomicOr(T*, T); T atomicXor(T*, T); \
  T atomicCAS(T*, T, T); T atomicInc(T*, T); T atomicDec(T*, T); \
  T unsafeAtomicAdd(T*, T); XP_SCOPED(T, _block) XP_SCOPED(T, _system)
XP_ATOMIC(int) XP_ATOMIC(unsigned) XP_ATOMIC(unsigned long) XP_ATOMIC(unsigned long long)
XP_ATOMIC(long) XP_ATOMIC(long long) XP_ATOMIC(float) XP_ATOMIC(double) XP_ATOMIC(half)
XP_ATOMIC(__nv_bfloat16) XP_ATOMIC(unsigned short)
half2 atomicAdd(half2*, half2);
__nv_bfloat162 atomicAdd(__nv_bfloat162*, __nv_bfloat162);

#pragma clang force_cuda_host_device end

// Helpers for the bodies in our own headers.
#pragma clang force_cuda_host_device begin

inline unsigned __xp_bits(unsigned v) { return __popc(v); }
inline unsigned __xp_bits(unsigned long long v) { return __popcll(v); }
inline unsigned __xp_count(XP_MASK m) { return __xp_bits(m); }
inline unsigned __xp_rank(XP_MASK m) { return __xp_bits(m & ((XP_MASK(1) << __xp_lane()) - 1)); }
inline float __xp_tf32(float v) {
  return __uint_as_float((__float_as_uint(v) + 0xfffu + ((__float_as_uint(v) >> 13) & 1u)) & 0xffffe000u);
}
inline size_t __cvta_generic_to_shared(const void* p) { return (size_t)p; }
inline size_t __cvta_generic_to_global(const void* p) { return (size_t)p; }
inline void* __cvta_shared_to_generic(size_t a) { return (void*)a; }
inline unsigned __isShared(const void*) { return 1; }
#pragma clang force_cuda_host_device end
