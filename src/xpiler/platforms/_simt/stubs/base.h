// What the parser needs to know before any SIMT program: qualifiers, integer types, dim3, axes.
// Only declarations, and small functions that the front end reads in place of their calls.
#pragma once

#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __host__ __attribute__((host))
#define __shared__ __attribute__((shared))
#define __constant__ __attribute__((constant))
#define __managed__ __attribute__((device))
#define __grid_constant__
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define __forceinline__ inline
#define __noinline__
#define __inline__ inline
#define __align__(n) __attribute__((aligned(n)))
#define __cluster_dims__(...)
#define __maxnreg__(n)
#define __restrict __restrict__

typedef unsigned long size_t;
typedef long ptrdiff_t;
typedef long ssize_t;
typedef long intptr_t;
typedef unsigned long uintptr_t;
typedef signed char int8_t;
typedef unsigned char uint8_t;
typedef short int16_t;
typedef unsigned short uint16_t;
typedef int int32_t;
typedef unsigned int uint32_t;
typedef long int64_t;
typedef unsigned long uint64_t;
typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
typedef int clock_t;
#define NULL 0
#define INFINITY __builtin_inff()
#define NAN __builtin_nanf("")
#define HUGE_VAL __builtin_huge_val()
#define HUGE_VALF __builtin_huge_valf()

#pragma clang force_cuda_host_device begin

struct xp_uint3 { unsigned x, y, z; };
struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned vx = 1, unsigned vy = 1, unsigned vz = 1) : x(vx), y(vy), z(vz) {}
  constexpr dim3(xp_uint3 v) : x(v.x), y(v.y), z(v.z) {}
};
extern const xp_uint3 threadIdx, blockIdx, blockDim, gridDim;
extern const int warpSize;
unsigned __xp_lane();

template <class T, class U> struct xp_same { static constexpr bool value = false; };
template <class T> struct xp_same<T, T> { static constexpr bool value = true; };
inline long xp_expect(long v, long) { return v; }
template <bool B, class T = void> struct xp_if {};
template <class T> struct xp_if<true, T> { typedef T type; };
template <class T> struct xp_integral { static constexpr bool value = false; };
#define XP_INTEGRAL(T) template <> struct xp_integral<T> { static constexpr bool value = true; };
XP_INTEGRAL(bool) XP_INTEGRAL(char) XP_INTEGRAL(signed char) XP_INTEGRAL(unsigned char)
XP_INTEGRAL(short) XP_INTEGRAL(unsigned short) XP_INTEGRAL(int) XP_INTEGRAL(unsigned)
XP_INTEGRAL(long) XP_INTEGRAL(unsigned long) XP_INTEGRAL(long long) XP_INTEGRAL(unsigned long long)

#pragma clang force_cuda_host_device end
