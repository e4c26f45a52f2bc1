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
#include "math.h"
#include "half.h"
#define XP_MASK unsigned long long
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
