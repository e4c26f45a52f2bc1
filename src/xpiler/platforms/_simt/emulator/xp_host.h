// The runtime API of the host under one vendor's prefix. Included once, with XP_API(name) defined as prefix##name and
// XP_ERROR_CODES as the file of the vendor's error codes.
//
// Streams are in order with everything else, so asynchronous calls are done when they return; events count launches.
// What a function does is in lib/host.cpp; here are names, types and overloads.
#ifndef XP_HOST_H
#define XP_HOST_H

namespace xp_simt {
namespace host {
enum Code { success = 0, invalid_value = 1, out_of_memory = 2, invalid_configuration = 9, invalid_symbol = 13,
            invalid_device = 101, not_ready = 600, launch_failure = 719, not_supported = 801 };
enum Attribute {
  max_threads_per_block = 1, max_block_x = 2, max_block_y = 3, max_block_z = 4, max_grid_x = 5, max_grid_y = 6,
  max_grid_z = 7, shared_per_block = 8, constant_memory = 9, warp_width = 10, registers_per_block = 12, clock_rate = 13,
  processors = 16, integrated = 18, concurrent_kernels = 31, memory_clock = 36, bus_width = 37, l2_size = 38,
  threads_per_processor = 39, unified_addressing = 41, major = 75, minor = 76, shared_per_processor = 81,
  managed_memory = 83, cooperative_launch = 95, shared_per_block_optin = 97
};
int allocate(void** p, size_t bytes, xprt::Space space);
int release(void* p, int line);
int copy(void* to, const void* from, size_t bytes, int line);
bool direction(const void* to, const void* from, int kind, int line);   // does a copy's kind agree with its ends?
int copy_2d(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t bytes, size_t rows, int line);
int fill(void* to, int byte, size_t bytes, int line);
int fill_2d(void* to, size_t pitch, int byte, size_t bytes, size_t rows, int line);
int last_error(bool keep);
int set_error(int code);
const char* error_name(int code);
const char* error_text(int code);
int attribute(int which);                  // -1: not known
void allow_shared(int bytes);              // dynamic shared memory beyond the default limit was asked for
int blocks_per_processor(int threads, size_t shared);
}  // namespace host

// API launches: parameters arrive as an array of pointers.
template <int... I> struct Indices {};
template <int N, int... I> struct Count : Count<N - 1, N - 1, I...> {};
template <int... I> struct Count<0, I...> { typedef Indices<I...> type; };
template <class... P, int... I>
inline int launch_array(Launcher<void (*)(P...)> launcher, void** arguments, Indices<I...>) {
  (void)arguments;
  return launcher(*static_cast<typename Bare<P>::type*>(arguments[I])...) ? host::success : host::last_error(true);
}
}  // namespace xp_simt

typedef enum XP_API(Error) {
#ifdef XP_ERROR_CODES
#include XP_ERROR_CODES
#else                               // the library's own
  XP_API(Success) = 0
#endif
} XP_API(Error_t);
typedef enum XP_API(MemcpyKind) {
  XP_API(MemcpyHostToHost) = 0, XP_API(MemcpyHostToDevice) = 1, XP_API(MemcpyDeviceToHost) = 2,
  XP_API(MemcpyDeviceToDevice) = 3, XP_API(MemcpyDefault) = 4
} XP_API(MemcpyKind_t);
typedef struct XP_API(StreamRecord)* XP_API(Stream_t);
struct XP_API(EventRecorded) { unsigned long long at; };
typedef XP_API(EventRecorded)* XP_API(Event_t);
#define XP_DO(call) return (XP_API(Error_t))(xp_simt::host::call)
#define XP_OK return XP_API(Success)

struct XP_DEVICE_PROPERTIES {
  char name[256];
  size_t totalGlobalMem, sharedMemPerBlock, totalConstMem, sharedMemPerMultiprocessor, sharedMemPerBlockOptin, memPitch;
  int regsPerBlock, warpSize, maxThreadsPerBlock, maxThreadsDim[3], maxGridSize[3], clockRate, major, minor;
  int multiProcessorCount, maxThreadsPerMultiProcessor, maxBlocksPerMultiProcessor, memoryClockRate, memoryBusWidth;
  int l2CacheSize, concurrentKernels, canMapHostMemory, cooperativeLaunch, managedMemory, unifiedAddressing;
  int integrated, computeMode, deviceOverlap, asyncEngineCount, regsPerMultiprocessor, kernelExecTimeoutEnabled;
  int pageableMemoryAccess, hostNativeAtomicSupported, textureAlignment, surfaceAlignment, isMultiGpuBoard;
  int persistingL2CacheMaxSize, accessPolicyMaxWindowSize, streamPrioritiesSupported, ECCEnabled, pciBusID, pciDeviceID, pciDomainID, concurrentManagedAccess;
  char gcnArchName[256];
};
enum XP_API(DeviceAttr) {
  XP_API(DevAttrMaxThreadsPerBlock) = 1, XP_API(DevAttrMaxBlockDimX) = 2, XP_API(DevAttrMaxBlockDimY) = 3,
  XP_API(DevAttrMaxBlockDimZ) = 4, XP_API(DevAttrMaxGridDimX) = 5, XP_API(DevAttrMaxGridDimY) = 6,
  XP_API(DevAttrMaxGridDimZ) = 7, XP_API(DevAttrMaxSharedMemoryPerBlock) = 8, XP_API(DevAttrTotalConstantMemory) = 9,
  XP_API(DevAttrWarpSize) = 10, XP_API(DevAttrMaxRegistersPerBlock) = 12, XP_API(DevAttrClockRate) = 13,
  XP_API(DevAttrGpuOverlap) = 15, XP_API(DevAttrMultiProcessorCount) = 16, XP_API(DevAttrCanMapHostMemory) = 19,
  XP_API(DevAttrEccEnabled) = 32, XP_API(DevAttrAsyncEngineCount) = 40, XP_API(DevAttrIntegrated) = 18, XP_API(DevAttrConcurrentKernels) = 31,
  XP_API(DevAttrMemoryClockRate) = 36, XP_API(DevAttrGlobalMemoryBusWidth) = 37, XP_API(DevAttrL2CacheSize) = 38,
  XP_API(DevAttrMaxThreadsPerMultiProcessor) = 39, XP_API(DevAttrUnifiedAddressing) = 41,
  XP_API(DevAttrComputeCapabilityMajor) = 75, XP_API(DevAttrComputeCapabilityMinor) = 76,
  XP_API(DevAttrComputeMode) = 20, XP_API(DevAttrMemoryPoolsSupported) = 115, XP_API(DevAttrConcurrentManagedAccess) = 89,
  XP_API(DevAttrMaxSharedMemoryPerMultiprocessor) = 81, XP_API(DevAttrManagedMemory) = 83,
  XP_API(DevAttrCooperativeLaunch) = 95, XP_API(DevAttrMaxSharedMemoryPerBlockOptin) = 97
};
enum XP_API(FuncAttribute) {
  XP_API(FuncAttributeMaxDynamicSharedMemorySize) = 8, XP_API(FuncAttributePreferredSharedMemoryCarveout) = 9
};
enum XP_API(FuncCache) {
  XP_API(FuncCachePreferNone), XP_API(FuncCachePreferShared), XP_API(FuncCachePreferL1), XP_API(FuncCachePreferEqual)
};
struct XP_API(FuncAttributes) {
  size_t sharedSizeBytes, constSizeBytes, localSizeBytes;
  int maxThreadsPerBlock, numRegs, ptxVersion, binaryVersion, maxDynamicSharedSizeBytes;
};
enum XP_API(Limit) {
  XP_API(LimitStackSize), XP_API(LimitPrintfFifoSize), XP_API(LimitMallocHeapSize)
};
enum XP_API(ComputeMode) {
  XP_API(ComputeModeDefault), XP_API(ComputeModeExclusive), XP_API(ComputeModeProhibited), XP_API(ComputeModeExclusiveProcess)
};
enum XP_API(SharedMemConfig) {
  XP_API(SharedMemBankSizeDefault), XP_API(SharedMemBankSizeFourByte), XP_API(SharedMemBankSizeEightByte)
};
enum XP_API(SharedCarveout) {
  XP_API(SharedmemCarveoutDefault) = -1, XP_API(SharedmemCarveoutMaxL1) = 0, XP_API(SharedmemCarveoutMaxShared) = 100
};
enum XP_API(MemoryAdvise) {
  XP_API(MemAdviseSetReadMostly) = 1, XP_API(MemAdviseUnsetReadMostly), XP_API(MemAdviseSetPreferredLocation),
  XP_API(MemAdviseUnsetPreferredLocation), XP_API(MemAdviseSetAccessedBy), XP_API(MemAdviseUnsetAccessedBy)
};
enum : unsigned {
  XP_API(HostAllocDefault) = 0, XP_API(HostAllocPortable) = 1, XP_API(HostAllocMapped) = 2,
  XP_API(HostAllocWriteCombined) = 4, XP_API(HostRegisterDefault) = 0,
  XP_API(HostRegisterPortable) = 1, XP_API(HostRegisterMapped) = 2,
  XP_API(StreamNonBlocking) = 1, XP_API(EventDefault) = 0, XP_API(EventBlockingSync) = 1,
  XP_API(EventDisableTiming) = 2, XP_API(MemAttachGlobal) = 1, XP_API(DeviceScheduleAuto) = 0, XP_API(DeviceScheduleSpin) = 1,
  XP_API(DeviceScheduleYield) = 2, XP_API(DeviceScheduleBlockingSync) = 4, XP_API(DeviceBlockingSync) = 4, XP_API(DeviceMapHost) = 8
};
static const int XP_API(CpuDeviceId) __attribute__((unused)) = -1;

// ---- errors ------------------------------------------------------------------------------------------------
inline XP_API(Error_t) XP_API(GetLastError)() { XP_DO(last_error(false)); }
inline XP_API(Error_t) XP_API(PeekAtLastError)() { XP_DO(last_error(true)); }
inline const char* XP_API(GetErrorString)(XP_API(Error_t) e) { return xp_simt::host::error_text(e); }
inline const char* XP_API(GetErrorName)(XP_API(Error_t) e) { return xp_simt::host::error_name(e); }

// ---- memory ------------------------------------------------------------------------------------------------
template <class T> inline XP_API(Error_t) XP_API(Malloc)(T** p, size_t n) {
  XP_DO(allocate((void**)p, n, xprt::space_device));
}
template <class T> inline XP_API(Error_t) XP_API(MallocAsync)(T** p, size_t n, XP_API(Stream_t)) {
  XP_DO(allocate((void**)p, n, xprt::space_device));
}
template <class T> inline XP_API(Error_t) XP_API(MallocManaged)(T** p, size_t n, unsigned = 1) {
  XP_DO(allocate((void**)p, n, xprt::space_both));
}
template <class T> inline XP_API(Error_t) XP_API(MallocHost)(T** p, size_t n, unsigned = 0) {
  XP_DO(allocate((void**)p, n, xprt::space_both));
}
template <class T> inline XP_API(Error_t) XP_API(HostAlloc)(T** p, size_t n, unsigned = 0) {
  XP_DO(allocate((void**)p, n, xprt::space_both));
}
template <class T> inline XP_API(Error_t) XP_API(MallocPitch)(T** p, size_t* pitch, size_t bytes, size_t rows) {
  *pitch = (bytes + 511) / 512 * 512;
  XP_DO(allocate((void**)p, *pitch * rows, xprt::space_device));
}
inline XP_API(Error_t) XP_API(Free)(void* p, XP_LINE) { XP_DO(release(p, xp_line)); }
inline XP_API(Error_t) XP_API(FreeAsync)(void* p, XP_API(Stream_t), XP_LINE) { XP_DO(release(p, xp_line)); }
inline XP_API(Error_t) XP_API(FreeHost)(void* p, XP_LINE) { XP_DO(release(p, xp_line)); }
inline XP_API(Error_t) XP_API(HostFree)(void* p, XP_LINE) { XP_DO(release(p, xp_line)); }
inline XP_API(Error_t) XP_API(HostRegister)(void*, size_t, unsigned) { XP_OK; }
inline XP_API(Error_t) XP_API(HostUnregister)(void*) { XP_OK; }
template <class T> inline XP_API(Error_t) XP_API(HostGetDevicePointer)(T** device, void* host, unsigned) {
  *device = (T*)host;
  XP_OK;
}
inline XP_API(Error_t) XP_API(Memcpy)(void* to, const void* from, size_t n, XP_API(MemcpyKind) kind, XP_LINE) {
  if (!xp_simt::host::direction(to, from, kind, xp_line)) XP_DO(set_error(xp_simt::host::invalid_value));
  XP_DO(copy(to, from, n, xp_line));
}
inline XP_API(Error_t) XP_API(MemcpyAsync)(void* to, const void* from, size_t n, XP_API(MemcpyKind) kind,
                                           XP_API(Stream_t) = 0, XP_LINE) {
  if (!xp_simt::host::direction(to, from, kind, xp_line)) XP_DO(set_error(xp_simt::host::invalid_value));
  XP_DO(copy(to, from, n, xp_line));
}
inline XP_API(Error_t) XP_API(Memcpy2D)(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t bytes,
                                        size_t rows, XP_API(MemcpyKind), XP_LINE) {
  XP_DO(copy_2d(to, to_pitch, from, from_pitch, bytes, rows, xp_line));
}
inline XP_API(Error_t) XP_API(Memcpy2DAsync)(void* to, size_t to_pitch, const void* from, size_t from_pitch,
                                             size_t bytes, size_t rows, XP_API(MemcpyKind), XP_API(Stream_t) = 0,
                                             XP_LINE) {
  XP_DO(copy_2d(to, to_pitch, from, from_pitch, bytes, rows, xp_line));
}
inline XP_API(Error_t) XP_API(Memset)(void* to, int byte, size_t n, XP_LINE) { XP_DO(fill(to, byte, n, xp_line)); }
inline XP_API(Error_t) XP_API(MemsetAsync)(void* to, int byte, size_t n, XP_API(Stream_t) = 0, XP_LINE) {
  XP_DO(fill(to, byte, n, xp_line));
}
inline XP_API(Error_t) XP_API(Memset2D)(void* to, size_t pitch, int byte, size_t bytes, size_t rows, XP_LINE) {
  XP_DO(fill_2d(to, pitch, byte, bytes, rows, xp_line));
}
inline XP_API(Error_t) XP_API(MemGetInfo)(size_t* available, size_t* total) {
  *available = *total = size_t(16) << 30;
  XP_OK;
}
inline XP_API(Error_t) XP_API(MemPrefetchAsync)(const void*, size_t, int, XP_API(Stream_t) = 0) { XP_OK; }
inline XP_API(Error_t) XP_API(MemAdvise)(const void*, size_t, XP_API(MemoryAdvise), int) { XP_OK; }

// ---- symbols -----------------------------------------------------------------------------------------------
template <class T>
inline XP_API(Error_t) XP_API(MemcpyToSymbol)(T& symbol, const void* from, size_t n, size_t offset = 0,
                                              XP_API(MemcpyKind) = XP_API(MemcpyHostToDevice), XP_LINE) {
  if (offset + n > sizeof(T)) XP_DO(set_error(xp_simt::host::invalid_value));
  XP_DO(copy((char*)&symbol + offset, from, n, xp_line));
}
template <class T>
inline XP_API(Error_t) XP_API(MemcpyToSymbolAsync)(T& symbol, const void* from, size_t n, size_t offset,
                                                   XP_API(MemcpyKind) kind, XP_API(Stream_t) = 0, XP_LINE) {
  return XP_API(MemcpyToSymbol)(symbol, from, n, offset, kind, xp_line);
}
template <class T>
inline XP_API(Error_t) XP_API(MemcpyFromSymbol)(void* to, T& symbol, size_t n, size_t offset = 0,
                                                XP_API(MemcpyKind) = XP_API(MemcpyDeviceToHost), XP_LINE) {
  if (offset + n > sizeof(T)) XP_DO(set_error(xp_simt::host::invalid_value));
  XP_DO(copy(to, (const char*)&symbol + offset, n, xp_line));
}
template <class P, class T> inline XP_API(Error_t) XP_API(GetSymbolAddress)(P** p, T& symbol) {
  *p = (P*)(void*)&symbol;
  xprt::address_symbol(&symbol);
  XP_OK;
}
template <class T> inline XP_API(Error_t) XP_API(GetSymbolSize)(size_t* n, T&) { *n = sizeof(T); XP_OK; }

// ---- device ------------------------------------------------------------------------------------------------
inline XP_API(Error_t) XP_API(DeviceSynchronize)() { XP_DO(last_error(true)); }
inline XP_API(Error_t) XP_API(ThreadSynchronize)() { XP_DO(last_error(true)); }
inline XP_API(Error_t) XP_API(DeviceReset)() { XP_OK; }
inline XP_API(Error_t) XP_API(GetDeviceCount)(int* n) { *n = 1; XP_OK; }
inline XP_API(Error_t) XP_API(GetDevice)(int* d) { *d = 0; XP_OK; }
inline XP_API(Error_t) XP_API(SetDevice)(int d) { XP_DO(set_error(d == 0 ? 0 : xp_simt::host::invalid_device)); }
inline XP_API(Error_t) XP_API(SetDeviceFlags)(unsigned) { XP_OK; }
inline XP_API(Error_t) XP_API(DeviceSetLimit)(XP_API(Limit), size_t) { XP_OK; }
inline XP_API(Error_t) XP_API(DeviceSetCacheConfig)(XP_API(FuncCache)) { XP_OK; }
inline XP_API(Error_t) XP_API(DeviceSetSharedMemConfig)(XP_API(SharedMemConfig)) { XP_OK; }
inline XP_API(Error_t) XP_API(DeviceGetStreamPriorityRange)(int* least, int* greatest) { *least = *greatest = 0; XP_OK; }
inline XP_API(Error_t) XP_API(DeviceCanAccessPeer)(int* can, int, int) { *can = 0; XP_OK; }
inline XP_API(Error_t) XP_API(DeviceEnablePeerAccess)(int, unsigned) { XP_DO(set_error(xp_simt::host::not_supported)); }
inline XP_API(Error_t) XP_API(DeviceDisablePeerAccess)(int) { XP_DO(set_error(xp_simt::host::not_supported)); }
inline XP_API(Error_t) XP_API(ChooseDevice)(int* d, const XP_DEVICE_PROPERTIES*) { *d = 0; XP_OK; }
inline XP_API(Error_t) XP_API(RuntimeGetVersion)(int* v) { *v = 12040; XP_OK; }
inline XP_API(Error_t) XP_API(DriverGetVersion)(int* v) { *v = 12040; XP_OK; }
inline XP_API(Error_t) XP_API(ProfilerStart)() { XP_OK; }
inline XP_API(Error_t) XP_API(ProfilerStop)() { XP_OK; }
template <class A> inline XP_API(Error_t) XP_API(DeviceGetAttribute)(int* value, A which, int) {
  *value = xp_simt::host::attribute((int)which);
  XP_DO(set_error(*value < 0 ? xp_simt::host::invalid_value : 0));
}
inline XP_API(Error_t) XP_API(GetDeviceProperties)(XP_DEVICE_PROPERTIES* p, int) {
  namespace h = xp_simt::host;
  __builtin_memset(p, 0, sizeof *p);
  __builtin_memcpy(p->name, "Xpiler emulator", 16);
  p->totalGlobalMem = size_t(16) << 30;
  p->sharedMemPerBlock = (size_t)h::attribute(h::shared_per_block);
  p->sharedMemPerMultiprocessor = (size_t)h::attribute(h::shared_per_processor);
  p->sharedMemPerBlockOptin = (size_t)h::attribute(h::shared_per_block_optin);
  p->totalConstMem = 65536;
  p->memPitch = 0x7fffffff;
  p->regsPerBlock = p->regsPerMultiprocessor = 65536;
  p->warpSize = XP_WARP_SIZE;
  p->maxThreadsPerBlock = p->maxThreadsDim[0] = p->maxThreadsDim[1] = 1024;
  p->maxThreadsDim[2] = h::attribute(h::max_block_z);
  p->maxGridSize[0] = 0x7fffffff;
  p->maxGridSize[1] = p->maxGridSize[2] = 65535;
  p->clockRate = h::attribute(h::clock_rate);
  p->major = h::attribute(h::major);
  p->minor = h::attribute(h::minor);
  p->multiProcessorCount = h::attribute(h::processors);
  p->maxThreadsPerMultiProcessor = 2048;
  p->maxBlocksPerMultiProcessor = 32;
  p->memoryClockRate = h::attribute(h::memory_clock);
  p->memoryBusWidth = h::attribute(h::bus_width);
  p->l2CacheSize = h::attribute(h::l2_size);
  p->concurrentKernels = p->canMapHostMemory = p->cooperativeLaunch = p->managedMemory = p->unifiedAddressing = 1;
  p->deviceOverlap = p->asyncEngineCount = 1;
#ifdef XP_ARCH_NAME
  __builtin_memcpy(p->gcnArchName, XP_ARCH_NAME, sizeof XP_ARCH_NAME);
#endif
  XP_OK;
}

// ---- kernels as objects ------------------------------------------------------------------------------------
template <class F, class A> inline XP_API(Error_t) XP_API(FuncSetAttribute)(F&&, A which, int value) {
  if ((int)which == XP_API(FuncAttributeMaxDynamicSharedMemorySize)) xp_simt::host::allow_shared(value);
  XP_OK;
}
template <class F> inline XP_API(Error_t) XP_API(FuncSetCacheConfig)(F&&, XP_API(FuncCache)) { XP_OK; }
template <class F> inline XP_API(Error_t) XP_API(FuncSetSharedMemConfig)(F&&, XP_API(SharedMemConfig)) { XP_OK; }
template <class F> inline XP_API(Error_t) XP_API(FuncGetAttributes)(XP_API(FuncAttributes)* a, F&&) {
  *a = XP_API(FuncAttributes)();
  a->maxThreadsPerBlock = 1024;
  a->numRegs = 32;
  XP_OK;
}
template <class F>
inline XP_API(Error_t) XP_API(OccupancyMaxActiveBlocksPerMultiprocessor)(int* blocks, F&&, int threads, size_t shared) {
  *blocks = xp_simt::host::blocks_per_processor(threads, shared);
  XP_OK;
}
template <class F>
inline XP_API(Error_t) XP_API(OccupancyMaxPotentialBlockSize)(int* least_grid, int* block, F&&, size_t = 0, int most = 0) {
  *block = most > 0 && most < 256 ? most : 256;
  *least_grid = xp_simt::host::attribute(xp_simt::host::processors) * 8;
  XP_OK;
}

// ---- streams and events ------------------------------------------------------------------------------------
inline XP_API(Error_t) XP_API(StreamCreate)(XP_API(Stream_t)* s) { *s = (XP_API(Stream_t))(size_t)16; XP_OK; }
inline XP_API(Error_t) XP_API(StreamCreateWithFlags)(XP_API(Stream_t)* s, unsigned) { return XP_API(StreamCreate)(s); }
inline XP_API(Error_t) XP_API(StreamCreateWithPriority)(XP_API(Stream_t)* s, unsigned, int) {
  return XP_API(StreamCreate)(s);
}
template <class Callback>
inline XP_API(Error_t) XP_API(StreamAddCallback)(XP_API(Stream_t) s, Callback f, void* data, unsigned) {
  f(s, XP_API(Success), data);
  XP_OK;
}
inline XP_API(Error_t) XP_API(StreamDestroy)(XP_API(Stream_t)) { XP_OK; }
inline XP_API(Error_t) XP_API(StreamSynchronize)(XP_API(Stream_t)) { XP_DO(last_error(true)); }
inline XP_API(Error_t) XP_API(StreamQuery)(XP_API(Stream_t)) { XP_OK; }
inline XP_API(Error_t) XP_API(StreamWaitEvent)(XP_API(Stream_t), XP_API(Event_t), unsigned = 0) { XP_OK; }
inline XP_API(Error_t) XP_API(LaunchHostFunc)(XP_API(Stream_t), void (*f)(void*), void* data) { f(data); XP_OK; }
inline XP_API(Error_t) XP_API(EventCreate)(XP_API(Event_t)* e) {
  *e = (XP_API(Event_t))malloc(sizeof(**e));
  (*e)->at = 0;
  XP_OK;
}
inline XP_API(Error_t) XP_API(EventCreateWithFlags)(XP_API(Event_t)* e, unsigned) { return XP_API(EventCreate)(e); }
inline XP_API(Error_t) XP_API(EventDestroy)(XP_API(Event_t) e) { free(e); XP_OK; }
inline XP_API(Error_t) XP_API(EventRecord)(XP_API(Event_t) e, XP_API(Stream_t) = 0) {
  e->at = 1;
  XP_OK;
}
inline XP_API(Error_t) XP_API(EventSynchronize)(XP_API(Event_t)) { XP_OK; }
inline XP_API(Error_t) XP_API(EventQuery)(XP_API(Event_t)) { XP_OK; }
inline XP_API(Error_t) XP_API(EventElapsedTime)(float* ms, XP_API(Event_t), XP_API(Event_t)) {
  *ms = 0;                                         // an emulator's time says nothing: translations have the same value
  XP_OK;
}

// ---- launches by a call: the rewriter passes the kernel with its own type ----------------------------------
namespace xp_simt {
template <class... P>
inline XP_API(Error_t) launch_api(int line, const char* name, void (*kernel)(P...), dim3 grid, dim3 block,
                                  void** arguments, size_t shared = 0, XP_API(Stream_t) = 0) {
  return (XP_API(Error_t))launch_array(launch(line, name, Config(grid, block, shared), kernel), arguments,
                                       typename Count<(int)sizeof...(P)>::type());
}
template <class... P>
inline XP_API(Error_t) launch_api_cooperative(int line, const char* name, void (*kernel)(P...), dim3 grid, dim3 block,
                                              void** arguments, size_t shared = 0, XP_API(Stream_t) = 0) {
  return (XP_API(Error_t))launch_array(launch_cooperative(line, name, Config(grid, block, shared), kernel), arguments,
                                       typename Count<(int)sizeof...(P)>::type());
}
}  // namespace xp_simt
#undef XP_DO
#undef XP_OK
#endif
