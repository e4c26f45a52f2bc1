#ifndef XP_CUDA_BF16_H
#define XP_CUDA_BF16_H
#include "cuda_runtime.h"
#define XP_BFLOAT __nv_bfloat16
#define XP_BFLOAT2 __nv_bfloat162
#define XP_BFLOAT_RAW __nv_bfloat16_raw
#define XP_BFLOAT2_RAW __nv_bfloat162_raw
#include "xp_bfloat16.h"
typedef __nv_bfloat16 nv_bfloat16;
typedef __nv_bfloat162 nv_bfloat162;
#endif
