// CUDA for the emulator: what nvcc includes by itself before every .cu file.
#ifndef XP_CUDA_RUNTIME_H
#define XP_CUDA_RUNTIME_H
#define __CUDACC__ 1
#define __NVCC__ 1
#define __CUDACC_VER_MAJOR__ 12
#define __CUDACC_VER_MINOR__ 4
#define CUDART_VERSION 12040
#define __CUDA_RUNTIME_H__        // other headers ask whether these were included
#define __CUDA_RUNTIME_API_H__
#define __DRIVER_TYPES_H__
#ifndef XP_ARCH
#define XP_ARCH 800
#endif
#define __CUDA_ARCH__ XP_ARCH
#include "xp_simt.h"
#define XP_API(name) cuda##name
#define XP_DEVICE_PROPERTIES cudaDeviceProp
#define XP_ERROR_CODES "xp_error_codes.inc"
#include "xp_host.h"

#define CUDART_CB
#define CUDARTAPI
#define cudaStreamDefault 0x00
#define cudaStreamLegacy ((cudaStream_t)1)
#define cudaStreamPerThread ((cudaStream_t)2)
#endif
