// half and half2, as <cuda_fp16.h> and <hip/hip_fp16.h> have them.
#ifndef XP_HALF_H
#define XP_HALF_H
#include "xp_simt.h"
#include "xp_float16.h"
#define XP_T __half
#define XP_T2 __half2
#define XP_RAW __half_raw
#define XP_RAW2 __half2_raw
#define XP_FORMAT HalfFormat
#define XP_DIRECTED_BITS half_directed
#define XP_PASTE(a, n, b) a##n##b
#define XP_N(a, b) XP_PASTE(a, half, b)
#define XP_N2(a, b) XP_PASTE(a, half2, b)
#include "xp_float16_type.inc"
#include "xp_float16_names.inc"
#undef XP_T
#undef XP_T2
#undef XP_RAW
#undef XP_RAW2
#undef XP_FORMAT
#undef XP_DIRECTED_BITS
#undef XP_PASTE
#undef XP_N
#undef XP_N2
typedef __half half;
typedef __half2 half2;
inline __half2 __half2half2(__half a) { return {a, a}; }
#define CUDART_INF_FP16 __ushort_as_half((unsigned short)0x7C00U)
#define CUDART_NAN_FP16 __ushort_as_half((unsigned short)0x7FFFU)
#define CUDART_ZERO_FP16 __ushort_as_half((unsigned short)0x0000U)
#define CUDART_ONE_FP16 __ushort_as_half((unsigned short)0x3C00U)
#define CUDART_MAX_NORMAL_FP16 __ushort_as_half((unsigned short)0x7BFFU)
#endif
