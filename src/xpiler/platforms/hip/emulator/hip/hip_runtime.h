// HIP for the emulator: what hipcc includes by itself before every .hip file, and <hip/hip_runtime.h>.
#ifndef XP_HIP_RUNTIME_H
#define XP_HIP_RUNTIME_H
#define __HIPCC__ 1
#define __HIP__ 1
#define __HIP_PLATFORM_AMD__ 1
#define __HIP_DEVICE_COMPILE__ 1
#define __AMDGCN__ 1
#define __AMDGCN_WAVEFRONT_SIZE XP_WARP_SIZE
#define HIP_VERSION 60200000
#include "xprt.h"
namespace xp_simt {
template <bool, class T = int> struct If {};
template <class T> struct If<true, T> { typedef T type; };
template <class T> struct Same { typedef T type; };
}  // namespace xp_simt
#define XP_HAVE_TRAITS
#include "xp_hip_vectors.h"
#include "xp_simt.h"
#define XP_API(name) hip##name
#define XP_DEVICE_PROPERTIES hipDeviceProp_t
#define XP_ERROR_CODES "xp_error_codes.inc"
#include "xp_host.h"

#define hipStreamDefault 0x00
#define hipStreamPerThread ((hipStream_t)2)
#define HIP_SYMBOL(x) (x)
#define HIP_KERNEL_NAME(...) __VA_ARGS__
#define hipHostMallocDefault 0u
#define hipHostMallocPortable 1u
#define hipHostMallocMapped 2u
#define hipHostMallocWriteCombined 4u
#define hipHostMallocNonCoherent 0x80000000u
enum hipDeviceAttribute_t {
  hipDeviceAttributeMaxThreadsPerBlock = 1, hipDeviceAttributeMaxBlockDimX = 2, hipDeviceAttributeMaxBlockDimY = 3,
  hipDeviceAttributeMaxBlockDimZ = 4, hipDeviceAttributeMaxGridDimX = 5, hipDeviceAttributeMaxGridDimY = 6,
  hipDeviceAttributeMaxGridDimZ = 7, hipDeviceAttributeMaxSharedMemoryPerBlock = 8,
  hipDeviceAttributeTotalConstantMemory = 9, hipDeviceAttributeWarpSize = 10,
  hipDeviceAttributeMaxRegistersPerBlock = 12, hipDeviceAttributeClockRate = 13,
  hipDeviceAttributeMultiprocessorCount = 16, hipDeviceAttributeIntegrated = 18, hipDeviceAttributeComputeMode = 20,
  hipDeviceAttributeConcurrentKernels = 31, hipDeviceAttributeMemoryClockRate = 36,
  hipDeviceAttributeMemoryBusWidth = 37, hipDeviceAttributeL2CacheSize = 38,
  hipDeviceAttributeMaxThreadsPerMultiProcessor = 39, hipDeviceAttributeComputeCapabilityMajor = 75,
  hipDeviceAttributeComputeCapabilityMinor = 76, hipDeviceAttributeMaxSharedMemoryPerMultiprocessor = 81,
  hipDeviceAttributeManagedMemory = 83, hipDeviceAttributeConcurrentManagedAccess = 89,
  hipDeviceAttributeCooperativeLaunch = 95
};
template <class T> inline hipError_t hipHostMalloc(T** p, size_t n, unsigned = 0) { return hipHostAlloc(p, n); }
inline hipError_t hipMemcpyHtoD(void* to, const void* from, size_t n, XP_LINE) {
  return hipMemcpy(to, from, n, hipMemcpyHostToDevice, xp_line);
}
inline hipError_t hipMemcpyDtoH(void* to, const void* from, size_t n, XP_LINE) {
  return hipMemcpy(to, from, n, hipMemcpyDeviceToHost, xp_line);
}

typedef unsigned char uchar;

// Names from before the built-in objects.
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

inline unsigned __lane_id() { return xp_simt::lane(); }
inline float unsafeAtomicAdd(float* p, float v, XP_LINE) { return atomicAdd(p, v, xp_line); }
inline double unsafeAtomicAdd(double* p, double v, XP_LINE) { return atomicAdd(p, v, xp_line); }
inline unsigned __bitextract_u32(unsigned v, unsigned at, unsigned n) { return n ? v >> (at & 31) & (~0u >> (32 - n)) : 0; }
inline unsigned __bitinsert_u32(unsigned v, unsigned field, unsigned at, unsigned n) {
  const unsigned ones = (n ? ~0u >> (32 - n) : 0) << (at & 31);
  return (v & ~ones) | (field << (at & 31) & ones);
}
inline long long wall_clock64() { return clock64(); }
#include "xp_amdgcn.h"
#endif
