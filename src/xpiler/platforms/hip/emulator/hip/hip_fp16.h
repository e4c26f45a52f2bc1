#ifndef XP_HIP_FP16_H
#define XP_HIP_FP16_H
#include "hip/hip_runtime.h"
#include "xp_half.h"
#include "xp_smallfloat.h"
#endif
