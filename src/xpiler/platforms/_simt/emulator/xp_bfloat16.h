// bfloat16 and its pair, as <cuda_bf16.h> and <hip/hip_bf16.h> have them; XP_BFLOAT and XP_BFLOAT2 name the types.
#ifndef XP_BFLOAT16_H
#define XP_BFLOAT16_H
#include "xp_simt.h"
#include "xp_float16.h"
#define XP_T XP_BFLOAT
#define XP_T2 XP_BFLOAT2
#define XP_RAW XP_BFLOAT_RAW
#define XP_RAW2 XP_BFLOAT2_RAW
#define XP_FORMAT BFloatFormat
#define XP_DIRECTED_BITS bfloat_directed
#define XP_PASTE(a, n, b) a##n##b
#define XP_N(a, b) XP_PASTE(a, bfloat16, b)
#define XP_N2(a, b) XP_PASTE(a, bfloat162, b)
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
inline XP_BFLOAT2 __bfloat162bfloat162(XP_BFLOAT a) { return {a, a}; }
#endif
