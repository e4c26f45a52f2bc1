// Read before every CUDA text.
#pragma once
#define __CUDACC__ 1
#define __NVCC__ 1
#define CUDART_VERSION 13000
#define CUDA_VERSION 13000
#define CUDART_INF_F __builtin_inff()
#define CUDART_NAN_F __builtin_nanf("")
#define CUDART_PI_F 3.141592654f
#include "base.h"
#include "vectors.h"
#include "xp_math.h"
#include "half.h"
#define XP_MASK unsigned
#include "warp.h"
#include "std.h"
#include "cuda_api.h"
