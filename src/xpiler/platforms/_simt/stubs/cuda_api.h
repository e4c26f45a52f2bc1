// The host API: memory, copies, streams, events. Handles are opaque; every call succeeds.
#pragma once

#include "cuda_errors.h"
enum cudaMemcpyKind {
  cudaMemcpyHostToHost, cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice,
  cudaMemcpyDefault
};
struct xp_stream; struct xp_event; struct xp_graph; struct xp_graph_exec; struct xp_mem_pool;
typedef xp_stream* cudaStream_t;
typedef xp_event* cudaEvent_t;
typedef xp_graph* cudaGraph_t;
typedef xp_graph_exec* cudaGraphExec_t;
typedef xp_mem_pool* cudaMemPool_t;
#define cudaStreamDefault 0
#define cudaStreamNonBlocking 1
#define cudaEventDefault 0
#define cudaEventDisableTiming 2
#define cudaEventBlockingSync 1
#define cudaHostMallocDefault 0
#define cudaHostAllocDefault 0
#define cudaHostAllocMapped 2
#define cudaHostRegisterDefault 0
#define cudaHostRegisterPortable 1
#define cudaHostRegisterMapped 2
#define cudaHostAllocPortable 1
#define cudaHostAllocWriteCombined 4
#define cudaDeviceScheduleAuto 0
#define cudaDeviceScheduleSpin 1
#define cudaDeviceScheduleYield 2
#define cudaDeviceScheduleBlockingSync 4
#define cudaDeviceMapHost 8
#define cudaMemAttachGlobal 1
#define cudaOccupancyDefault 0
#define cudaCpuDeviceId (-1)
#define cudaStreamPerThread ((cudaStream_t)0)
#define cudaStreamLegacy ((cudaStream_t)0)

struct cudaDeviceProp {
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
typedef cudaDeviceProp cudaDeviceProp_t;

template <class T> cudaError_t cudaMalloc(T** p, size_t bytes);
template <class T> cudaError_t cudaMallocManaged(T** p, size_t bytes, unsigned flags = 1);
template <class T> cudaError_t cudaMallocHost(T** p, size_t bytes, unsigned flags = 0);
template <class T> cudaError_t cudaHostAlloc(T** p, size_t bytes, unsigned flags = 0);
template <class T> cudaError_t cudaHostMalloc(T** p, size_t bytes, unsigned flags = 0);
template <class T> cudaError_t cudaMallocAsync(T** p, size_t bytes, cudaStream_t s);
cudaError_t cudaFree(void* p);
cudaError_t cudaFreeHost(void* p);
cudaError_t cudaHostFree(void* p);
cudaError_t cudaFreeAsync(void* p, cudaStream_t s);
cudaError_t cudaMemcpy(void* d, const void* s, size_t bytes, cudaMemcpyKind kind);
cudaError_t cudaMemcpyAsync(void* d, const void* s, size_t bytes, cudaMemcpyKind kind = cudaMemcpyDefault, cudaStream_t st = 0);
cudaError_t cudaMemcpy2D(void* d, size_t dp, const void* s, size_t sp, size_t w, size_t h, cudaMemcpyKind kind);
cudaError_t cudaMemcpy2DAsync(void* d, size_t dp, const void* s, size_t sp, size_t w, size_t h, cudaMemcpyKind kind, cudaStream_t st = 0);
cudaError_t cudaMemset(void* p, int value, size_t bytes);
cudaError_t cudaMemsetAsync(void* p, int value, size_t bytes, cudaStream_t s = 0);
template <class T> cudaError_t cudaMemcpyToSymbol(const T& symbol, const void* s, size_t bytes, size_t offset = 0, cudaMemcpyKind kind = cudaMemcpyHostToDevice);
template <class T> cudaError_t cudaMemcpyToSymbolAsync(const T& symbol, const void* s, size_t bytes, size_t offset = 0, cudaMemcpyKind kind = cudaMemcpyHostToDevice, cudaStream_t st = 0);
template <class T> cudaError_t cudaMemcpyFromSymbol(void* d, const T& symbol, size_t bytes, size_t offset = 0, cudaMemcpyKind kind = cudaMemcpyDeviceToHost);
cudaError_t cudaDeviceSynchronize();
cudaError_t cudaStreamSynchronize(cudaStream_t s);
cudaError_t cudaEventSynchronize(cudaEvent_t e);
cudaError_t cudaGetLastError();
cudaError_t cudaPeekAtLastError();
const char* cudaGetErrorString(cudaError_t e);
const char* cudaGetErrorName(cudaError_t e);
cudaError_t cudaSetDevice(int d);
cudaError_t cudaDeviceReset();
cudaError_t cudaStreamCreate(cudaStream_t* s);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned f);
cudaError_t cudaStreamCreateWithPriority(cudaStream_t* s, unsigned f, int p);
cudaError_t cudaStreamDestroy(cudaStream_t s);
cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned f = 0);
cudaError_t cudaStreamQuery(cudaStream_t s);
cudaError_t cudaEventCreate(cudaEvent_t* e);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned f);
cudaError_t cudaEventDestroy(cudaEvent_t e);
cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s = 0);
cudaError_t cudaEventQuery(cudaEvent_t e);
cudaError_t cudaDeviceSetCacheConfig(int c);
cudaError_t cudaDeviceSetLimit(int l, size_t v);
cudaError_t cudaDeviceSetSharedMemConfig(int c);
cudaError_t cudaSetDeviceFlags(unsigned f);
cudaError_t cudaHostRegister(void* p, size_t bytes, unsigned f);
cudaError_t cudaHostUnregister(void* p);
template <class F> cudaError_t cudaFuncSetSharedMemConfig(F f, int c);
cudaError_t cudaProfilerStart();
cudaError_t cudaProfilerStop();
cudaError_t cudaMemPrefetchAsync(const void* p, size_t n, int device, cudaStream_t s = 0);
cudaError_t cudaMemAdvise(const void* p, size_t n, int advice, int device);
template <class F> cudaError_t cudaFuncSetAttribute(F f, int attribute, int value);
template <class F> cudaError_t cudaFuncSetCacheConfig(F f, int c);
template <class F> cudaError_t cudaLaunchKernel(F f, dim3 g, dim3 b, void** args, size_t shared = 0, cudaStream_t s = 0);
template <class F> cudaError_t cudaLaunchCooperativeKernel(F f, dim3 g, dim3 b, void** args, unsigned shared = 0, cudaStream_t s = 0);
enum { cudaFuncAttributeMaxDynamicSharedMemorySize = 8, cudaFuncAttributePreferredSharedMemoryCarveout = 9 };
enum { cudaFuncCachePreferNone, cudaFuncCachePreferShared, cudaFuncCachePreferL1, cudaFuncCachePreferEqual };
enum { cudaMemAdviseSetReadMostly = 1, cudaMemAdviseSetPreferredLocation = 3 };
enum { cudaLimitStackSize, cudaLimitPrintfFifoSize, cudaLimitMallocHeapSize };
enum { cudaSharedMemBankSizeDefault, cudaSharedMemBankSizeFourByte, cudaSharedMemBankSizeEightByte };
enum { cudaDevAttrMultiProcessorCount = 16, cudaDevAttrMaxThreadsPerBlock = 1, cudaDevAttrMaxSharedMemoryPerBlock = 8,
       cudaDevAttrMaxSharedMemoryPerBlockOptin = 97, cudaDevAttrWarpSize = 10, cudaDevAttrCooperativeLaunch = 95 };

#pragma clang force_cuda_host_device begin
template <class T> inline cudaError_t cudaGetSymbolAddress(void** p, const T& symbol) { *p = (void*)&symbol; return cudaSuccess; }
template <class T> inline cudaError_t cudaMallocPitch(T** p, size_t* pitch, size_t width, size_t height) {
  *pitch = (width + 511) / 512 * 512;
  cudaMalloc(p, *pitch * height);
  return cudaSuccess;
}
inline cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t a, cudaEvent_t b) { *ms = 0.0f; return cudaSuccess; }
inline cudaError_t cudaDeviceGetStreamPriorityRange(int* least, int* greatest) { *least = *greatest = 0; return cudaSuccess; }
inline cudaError_t cudaDeviceCanAccessPeer(int* can, int d, int peer) { *can = 0; return cudaSuccess; }
inline cudaError_t cudaGetDeviceCount(int* n) { *n = 1; return cudaSuccess; }
inline cudaError_t cudaGetDevice(int* d) { *d = 0; return cudaSuccess; }
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int d) { *p = cudaDeviceProp(); return cudaSuccess; }
inline int xp_attribute(int a) {
  return a == 16 ? 16 : a == 1 ? 1024 : a == 8 ? 49152 : a == 97 ? 99328 : a == 10 ? XP_WAVE : 1;
}
inline cudaError_t cudaDeviceGetAttribute(int* v, int a, int d) { *v = xp_attribute(a); return cudaSuccess; }
template <class F> inline cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int* n, F f, int threads, size_t shared) { *n = 2; return cudaSuccess; }
template <class F> inline cudaError_t cudaOccupancyMaxPotentialBlockSize(int* g, int* b, F f, size_t shared = 0, int limit = 0) { *g = 32; *b = 256; return cudaSuccess; }
inline cudaError_t cudaMemGetInfo(size_t* f, size_t* t) { *f = 17179869184ul; *t = 17179869184ul; return cudaSuccess; }
inline cudaError_t cudaDriverGetVersion(int* v) { *v = 13000; return cudaSuccess; }
inline cudaError_t cudaRuntimeGetVersion(int* v) { *v = 13000; return cudaSuccess; }
#pragma clang force_cuda_host_device end

typedef cudaError_t cudaError;
extern "C" int cudaConfigureCall(dim3, dim3, size_t = 0, cudaStream_t = 0);
extern "C" unsigned __cudaPushCallConfiguration(dim3, dim3, size_t = 0, cudaStream_t = 0);
