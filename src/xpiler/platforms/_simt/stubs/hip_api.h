// The host API: memory, copies, streams, events. Handles are opaque; every call succeeds.
#pragma once

#include "hip_errors.h"
enum hipMemcpyKind {
  hipMemcpyHostToHost, hipMemcpyHostToDevice, hipMemcpyDeviceToHost, hipMemcpyDeviceToDevice,
  hipMemcpyDefault
};
struct xp_stream; struct xp_event; struct xp_graph; struct xp_graph_exec; struct xp_mem_pool;
typedef xp_stream* hipStream_t;
typedef xp_event* hipEvent_t;
typedef xp_graph* hipGraph_t;
typedef xp_graph_exec* hipGraphExec_t;
typedef xp_mem_pool* hipMemPool_t;
#define hipStreamDefault 0
#define hipStreamNonBlocking 1
#define hipEventDefault 0
#define hipEventDisableTiming 2
#define hipEventBlockingSync 1
#define hipHostMallocDefault 0
#define hipHostAllocDefault 0
#define hipHostAllocMapped 2
#define hipHostRegisterDefault 0
#define hipHostRegisterPortable 1
#define hipHostRegisterMapped 2
#define hipHostMallocPortable 1
#define hipHostMallocMapped 2
#define hipHostMallocWriteCombined 4
#define hipDeviceScheduleAuto 0
#define hipDeviceScheduleSpin 1
#define hipDeviceScheduleYield 2
#define hipDeviceScheduleBlockingSync 4
#define hipDeviceMapHost 8
#define hipMemAttachGlobal 1
#define hipOccupancyDefault 0
#define hipCpuDeviceId (-1)
#define hipStreamPerThread ((hipStream_t)0)
#define hipStreamLegacy ((hipStream_t)0)

struct hipDeviceProp {
  char name[256];
  size_t totalGlobalMem = 17179869184ul, sharedMemPerBlock = 49152, sharedMemPerMultiprocessor = 102400;
  size_t sharedMemPerBlockOptin = 99328, totalConstMem = 65536, memPitch = 2147483647;
  int regsPerBlock = 65536, regsPerMultiprocessor = 65536, warpSize = XP_WAVE;
  int maxThreadsPerBlock = 1024, maxThreadsPerMultiProcessor = 2048, multiProcessorCount = 16;
  int maxThreadsDim[3] = {1024, 1024, 64}, maxGridSize[3] = {2147483647, 65535, 65535};
  int major = 8, minor = 0, clockRate = 1400000, memoryClockRate = 1200000, memoryBusWidth = 256;
  int l2CacheSize = 4194304, concurrentKernels = 1, cooperativeLaunch = 1, asyncEngineCount = 2;
  int canMapHostMemory = 1, unifiedAddressing = 1, managedMemory = 1, integrated = 0;
  char gcnArchName[256];
};
typedef hipDeviceProp hipDeviceProp_t;

template <class T> hipError_t hipMalloc(T** p, size_t bytes);
template <class T> hipError_t hipMallocManaged(T** p, size_t bytes, unsigned flags = 1);
template <class T> hipError_t hipMallocHost(T** p, size_t bytes, unsigned flags = 0);
template <class T> hipError_t hipHostAlloc(T** p, size_t bytes, unsigned flags = 0);
template <class T> hipError_t hipHostMalloc(T** p, size_t bytes, unsigned flags = 0);
template <class T> hipError_t hipMallocAsync(T** p, size_t bytes, hipStream_t s);
hipError_t hipFree(void* p);
hipError_t hipFreeHost(void* p);
hipError_t hipHostFree(void* p);
hipError_t hipFreeAsync(void* p, hipStream_t s);
hipError_t hipMemcpy(void* d, const void* s, size_t bytes, hipMemcpyKind kind);
hipError_t hipMemcpyAsync(void* d, const void* s, size_t bytes, hipMemcpyKind kind = hipMemcpyDefault, hipStream_t st = 0);
hipError_t hipMemcpy2D(void* d, size_t dp, const void* s, size_t sp, size_t w, size_t h, hipMemcpyKind kind);
hipError_t hipMemcpy2DAsync(void* d, size_t dp, const void* s, size_t sp, size_t w, size_t h, hipMemcpyKind kind, hipStream_t st = 0);
hipError_t hipMemset(void* p, int value, size_t bytes);
hipError_t hipMemsetAsync(void* p, int value, size_t bytes, hipStream_t s = 0);
template <class T> hipError_t hipMemcpyToSymbol(const T& symbol, const void* s, size_t bytes, size_t offset = 0, hipMemcpyKind kind = hipMemcpyHostToDevice);
template <class T> hipError_t hipMemcpyToSymbolAsync(const T& symbol, const void* s, size_t bytes, size_t offset = 0, hipMemcpyKind kind = hipMemcpyHostToDevice, hipStream_t st = 0);
template <class T> hipError_t hipMemcpyFromSymbol(void* d, const T& symbol, size_t bytes, size_t offset = 0, hipMemcpyKind kind = hipMemcpyDeviceToHost);
hipError_t hipDeviceSynchronize();
hipError_t hipStreamSynchronize(hipStream_t s);
hipError_t hipEventSynchronize(hipEvent_t e);
hipError_t hipGetLastError();
hipError_t hipPeekAtLastError();
const char* hipGetErrorString(hipError_t e);
const char* hipGetErrorName(hipError_t e);
hipError_t hipSetDevice(int d);
hipError_t hipDeviceReset();
hipError_t hipStreamCreate(hipStream_t* s);
hipError_t hipStreamCreateWithFlags(hipStream_t* s, unsigned f);
hipError_t hipStreamCreateWithPriority(hipStream_t* s, unsigned f, int p);
hipError_t hipStreamDestroy(hipStream_t s);
hipError_t hipStreamWaitEvent(hipStream_t s, hipEvent_t e, unsigned f = 0);
hipError_t hipStreamQuery(hipStream_t s);
hipError_t hipEventCreate(hipEvent_t* e);
hipError_t hipEventCreateWithFlags(hipEvent_t* e, unsigned f);
hipError_t hipEventDestroy(hipEvent_t e);
hipError_t hipEventRecord(hipEvent_t e, hipStream_t s = 0);
hipError_t hipEventQuery(hipEvent_t e);
hipError_t hipDeviceSetCacheConfig(int c);
hipError_t hipDeviceSetLimit(int l, size_t v);
hipError_t hipDeviceSetSharedMemConfig(int c);
hipError_t hipSetDeviceFlags(unsigned f);
hipError_t hipHostRegister(void* p, size_t bytes, unsigned f);
hipError_t hipHostUnregister(void* p);
template <class F> hipError_t hipFuncSetSharedMemConfig(F f, int c);
hipError_t hipProfilerStart();
hipError_t hipProfilerStop();
hipError_t hipMemPrefetchAsync(const void* p, size_t n, int device, hipStream_t s = 0);
hipError_t hipMemAdvise(const void* p, size_t n, int advice, int device);
template <class F> hipError_t hipFuncSetAttribute(F f, int attribute, int value);
template <class F> hipError_t hipFuncSetCacheConfig(F f, int c);
template <class F> hipError_t hipLaunchKernel(F f, dim3 g, dim3 b, void** args, size_t shared = 0, hipStream_t s = 0);
template <class F> hipError_t hipLaunchCooperativeKernel(F f, dim3 g, dim3 b, void** args, unsigned shared = 0, hipStream_t s = 0);
enum { hipFuncAttributeMaxDynamicSharedMemorySize = 8, hipFuncAttributePreferredSharedMemoryCarveout = 9 };
enum { hipFuncCachePreferNone, hipFuncCachePreferShared, hipFuncCachePreferL1, hipFuncCachePreferEqual };
enum { hipMemAdviseSetReadMostly = 1, hipMemAdviseSetPreferredLocation = 3 };
enum { hipLimitStackSize, hipLimitPrintfFifoSize, hipLimitMallocHeapSize };
enum { hipSharedMemBankSizeDefault, hipSharedMemBankSizeFourByte, hipSharedMemBankSizeEightByte };
enum { hipDevAttrMultiProcessorCount = 16, hipDevAttrMaxThreadsPerBlock = 1, hipDevAttrMaxSharedMemoryPerBlock = 8,
       hipDevAttrMaxSharedMemoryPerBlockOptin = 97, hipDevAttrWarpSize = 10, hipDevAttrCooperativeLaunch = 95 };

#pragma clang force_cuda_host_device begin
template <class T> inline hipError_t hipGetSymbolAddress(void** p, const T& symbol) { *p = (void*)&symbol; return hipSuccess; }
template <class T> inline hipError_t hipMallocPitch(T** p, size_t* pitch, size_t width, size_t height) {
  *pitch = (width + 511) / 512 * 512;
  hipMalloc(p, *pitch * height);
  return hipSuccess;
}
inline hipError_t hipEventElapsedTime(float* ms, hipEvent_t a, hipEvent_t b) { *ms = 0.0f; return hipSuccess; }
inline hipError_t hipDeviceGetStreamPriorityRange(int* least, int* greatest) { *least = *greatest = 0; return hipSuccess; }
inline hipError_t hipDeviceCanAccessPeer(int* can, int d, int peer) { *can = 0; return hipSuccess; }
inline hipError_t hipGetDeviceCount(int* n) { *n = 1; return hipSuccess; }
inline hipError_t hipGetDevice(int* d) { *d = 0; return hipSuccess; }
inline hipError_t hipGetDeviceProperties(hipDeviceProp* p, int d) { *p = hipDeviceProp(); return hipSuccess; }
inline int xp_attribute(int a) {
  return a == 16 ? 16 : a == 1 ? 1024 : a == 8 ? 49152 : a == 97 ? 99328 : a == 10 ? XP_WAVE : 1;
}
inline hipError_t hipDeviceGetAttribute(int* v, int a, int d) { *v = xp_attribute(a); return hipSuccess; }
template <class F> inline hipError_t hipOccupancyMaxActiveBlocksPerMultiprocessor(int* n, F f, int threads, size_t shared) { *n = 2; return hipSuccess; }
template <class F> inline hipError_t hipOccupancyMaxPotentialBlockSize(int* g, int* b, F f, size_t shared = 0, int limit = 0) { *g = 32; *b = 256; return hipSuccess; }
inline hipError_t hipMemGetInfo(size_t* f, size_t* t) { *f = 17179869184ul; *t = 17179869184ul; return hipSuccess; }
inline hipError_t hipDriverGetVersion(int* v) { *v = 13000; return hipSuccess; }
inline hipError_t hipRuntimeGetVersion(int* v) { *v = 13000; return hipSuccess; }
#pragma clang force_cuda_host_device end

extern "C" int hipConfigureCall(dim3, dim3, size_t = 0, hipStream_t = 0);
extern "C" unsigned __hipPushCallConfiguration(dim3, dim3, size_t = 0, hipStream_t = 0);
#define HIP_SYMBOL(x) x
#define HIP_KERNEL_NAME(...) __VA_ARGS__
#define hipLaunchKernelGGL(k, grid, block, shared, stream, ...) \
  do { (k)<<<(grid), (block), (shared), (stream)>>>(__VA_ARGS__); } while (0)
