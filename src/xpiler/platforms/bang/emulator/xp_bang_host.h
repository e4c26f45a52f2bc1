// The host: CNRT and what launches become.
#ifndef XP_BANG_HOST_H
#define XP_BANG_HOST_H
#include "xp_bang_core.h"

typedef enum cnrtRet_t {
  cnrtSuccess = 0, CNRT_RET_SUCCESS = 0, cnrtErrorArgsInvalid = 100001, CNRT_RET_ERR_INVALID = 632006, cnrtErrorNoMem = 100100,
  CNRT_RET_ERR_NOMEM = 632007, cnrtErrorKernelLaunch = 632012, cnrtErrorUnknown = 999
} cnrtRet_t;
typedef cnrtRet_t cnrtError_t;
typedef enum CNresult { CN_SUCCESS = 0, CN_ERROR_UNKNOWN = 999 } CNresult;
typedef int CNdev;
typedef int cnrtDev_t;
typedef enum cnrtFunctionType_t {
  cnrtFuncTypeBlock = 1, cnrtFuncTypeUnion1 = 4, cnrtFuncTypeUnion2 = 8, cnrtFuncTypeUnion4 = 16, cnrtFuncTypeUnion8 = 32,
  cnrtFuncTypeUnion16 = 64, cnrtFuncTypeMutable = -2, cnrtFuncTypeInvalid = 0,
  CNRT_FUNC_TYPE_BLOCK = 1, CNRT_FUNC_TYPE_UNION1 = 4, CNRT_FUNC_TYPE_UNION2 = 8, CNRT_FUNC_TYPE_UNION4 = 16, CNRT_FUNC_TYPE_UNION8 = 32,
  CNRT_FUNC_TYPE_UNION16 = 64
} cnrtFunctionType_t;
typedef enum cnrtMemTransDir_t {
  cnrtMemcpyHostToHost, cnrtMemcpyHostToDev, cnrtMemcpyDevToDev, cnrtMemcpyDevToHost, cnrtMemcpyNoDirection,
  CNRT_MEM_TRANS_DIR_HOST2HOST = cnrtMemcpyHostToHost, CNRT_MEM_TRANS_DIR_HOST2DEV = cnrtMemcpyHostToDev,
  CNRT_MEM_TRANS_DIR_DEV2DEV = cnrtMemcpyDevToDev, CNRT_MEM_TRANS_DIR_DEV2HOST = cnrtMemcpyDevToHost
} cnrtMemTransDir_t;
struct cnrtDim3_t { unsigned x, y, z; };
struct dim3 : cnrtDim3_t { dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : cnrtDim3_t{x, y, z} {} };
struct xp_queue;
struct xp_notifier { unsigned long long at; };
typedef xp_queue* cnrtQueue_t;
typedef xp_notifier* cnrtNotifier_t;
typedef cnrtQueue_t CNqueue;
enum cnrtDeviceAttr_t {
  cnrtAttrClusterCount, cnrtAttrMcorePerCluster, cnrtAttrMaxDimX, cnrtAttrNramSizePerMcore, cnrtAttrWramSizePerMcore,
  cnrtAttrSramSizePerMcore, cnrtAttrMaxBlockTaskDimX, cnrtAttrMaxBlockTaskDimY, cnrtAttrMaxBlockTaskDimZ, cnrtAttrMaxUnionTypePerChip
};
enum CNdevice_attribute {
  CN_DEVICE_ATTRIBUTE_MAX_CLUSTER_COUNT, CN_DEVICE_ATTRIBUTE_MAX_CORE_COUNT_PER_CLUSTER, CN_DEVICE_ATTRIBUTE_NRAM_SIZE_PER_CORE,
  CN_DEVICE_ATTRIBUTE_WEIGHT_RAM_SIZE_PER_CORE, CN_DEVICE_ATTRIBUTE_MAX_SHARED_RAM_SIZE_PER_CLUSTER
};

namespace xp_bang {
namespace host {
int allocate(void** p, size_t bytes, bool host, int line);
int release(void* p, int line);
int copy(void* to, const void* from, size_t bytes, int direction, cnrtQueue_t queue, int line);
int copy_symbol(void* to, const void* from, size_t bytes, size_t size, size_t offset, int line);
int fill(void* to, int byte, size_t bytes, int line);
int queue_new(cnrtQueue_t* q);
int queue_end(cnrtQueue_t q, int line);
int queue_wait(cnrtQueue_t q);
int last_error(bool keep);
int attribute(int which);
unsigned long long place(cnrtQueue_t q);
// A kernel was launched on a queue: its results are there when the queue was waited for.
bool launch(cnrtDim3_t dim, int type, cnrtQueue_t queue, bool memory_core, void (*body)(void*), void* arg, const char* kernel, int line);
}  // namespace host
}  // namespace xp_bang

// ---- launches (see rewrite.py) -----------------------------------------------------------------------------
namespace xp_simt {
template <class T> struct Same { typedef T type; };
struct Config {
  cnrtDim3_t dim;
  cnrtFunctionType_t type;
  cnrtQueue_t queue;
  Config(cnrtDim3_t dim, cnrtFunctionType_t type, cnrtQueue_t queue = nullptr) : dim(dim), type(type), queue(queue) {}
};
struct Zero { template <class T> operator T() const { return T(); } };
template <class Body> struct Thunk { XPRT_QUIET static void call(void* f) { (*static_cast<Body*>(f))(); } };
template <class Body> inline void start(const Config& c, Body body, const char* kernel, int line) {
  xp_bang::host::launch(c.dim, c.type, c.queue, XP_BANG_MEMORY_CORE, &Thunk<Body>::call, &body, kernel, line);
}
template <class F> struct Launcher {
  int line; const char* name; Config config; F f;
  template <class... A> void operator()(A... args) const {
    const F& g = f;
    start(config, [=]() XPRT_QUIET { g(args...); }, name, line);
  }
};
template <class... P> struct Launcher<void (*)(P...)> {
  int line; const char* name; Config config; void (*f)(P...);
  void operator()(typename Same<P>::type... args) const {
    void (*g)(P...) = f;
    start(config, [=]() XPRT_QUIET { g(args...); }, name, line);
  }
};
template <class F> inline Launcher<F> launch(int line, const char* name, const Config& config, F f) { return {line, name, config, f}; }
}  // namespace xp_simt

// ---- the API -----------------------------------------------------------------------------------------------
#define XP_DO(call) return (cnrtRet_t)(xp_bang::host::call)
#define XP_NOTHING(name, ...) inline cnrtRet_t name(__VA_ARGS__) { return cnrtSuccess; }
XP_NOTHING(cnrtInit, unsigned = 0) XP_NOTHING(cnrtDestroy) XP_NOTHING(cnrtSetDevice, int) XP_NOTHING(cnrtGetDeviceHandle, int*, int)
XP_NOTHING(cnrtSetCurrentDevice, int) XP_NOTHING(cnrtDeviceReset)
inline cnrtRet_t cnrtGetDevice(int* d) { *d = 0; return cnrtSuccess; }
inline cnrtRet_t cnrtGetDeviceCount(unsigned* n) { *n = 1; return cnrtSuccess; }
inline cnrtRet_t cnrtGetLastError() { XP_DO(last_error(false)); }
inline cnrtRet_t cnrtPeekAtLastError() { XP_DO(last_error(true)); }
inline const char* cnrtGetErrorStr(cnrtRet_t e) { return e == cnrtSuccess ? "success" : "error"; }
inline const char* cnrtGetErrorName(cnrtRet_t e) { return e == cnrtSuccess ? "cnrtSuccess" : "cnrtErrorUnknown"; }
inline cnrtRet_t cnrtDeviceGetAttribute(int* value, cnrtDeviceAttr_t which, int) { *value = xp_bang::host::attribute(which); return cnrtSuccess; }
inline CNresult cnDeviceGetAttribute(int* value, CNdevice_attribute which, CNdev) { *value = xp_bang::host::attribute(100 + which); return CN_SUCCESS; }

inline cnrtRet_t cnrtQueueCreate(cnrtQueue_t* q) { XP_DO(queue_new(q)); }
inline cnrtRet_t cnrtCreateQueue(cnrtQueue_t* q) { XP_DO(queue_new(q)); }
inline cnrtRet_t cnrtQueueDestroy(cnrtQueue_t q, XP_LINE) { XP_DO(queue_end(q, xp_line)); }
inline cnrtRet_t cnrtDestroyQueue(cnrtQueue_t q, XP_LINE) { XP_DO(queue_end(q, xp_line)); }
inline cnrtRet_t cnrtQueueSync(cnrtQueue_t q) { XP_DO(queue_wait(q)); }
inline cnrtRet_t cnrtSyncQueue(cnrtQueue_t q) { XP_DO(queue_wait(q)); }
inline cnrtRet_t cnrtSyncDevice() { XP_DO(queue_wait(nullptr)); }
inline cnrtRet_t cnrtDeviceSync() { XP_DO(queue_wait(nullptr)); }

inline cnrtRet_t cnrtMalloc(void** p, size_t n, XP_LINE) { XP_DO(allocate(p, n, false, xp_line)); }
template <class T> inline cnrtRet_t cnrtMalloc(T** p, size_t n, XP_LINE) { XP_DO(allocate((void**)p, n, false, xp_line)); }
template <class T> inline cnrtRet_t cnrtMallocHost(T** p, size_t n, XP_LINE) { XP_DO(allocate((void**)p, n, true, xp_line)); }
template <class T> inline cnrtRet_t cnrtHostMalloc(T** p, size_t n, XP_LINE) { XP_DO(allocate((void**)p, n, true, xp_line)); }
inline cnrtRet_t cnrtFree(void* p, XP_LINE) { XP_DO(release(p, xp_line)); }
inline cnrtRet_t cnrtFreeHost(void* p, XP_LINE) { XP_DO(release(p, xp_line)); }
inline cnrtRet_t cnrtMemcpy(void* to, const void* from, size_t n, cnrtMemTransDir_t dir, XP_LINE) { XP_DO(copy(to, from, n, dir, nullptr, xp_line)); }
inline cnrtRet_t cnrtMemcpyAsync(void* to, const void* from, size_t n, cnrtQueue_t q, cnrtMemTransDir_t dir, XP_LINE) {
  XP_DO(copy(to, from, n, dir, q, xp_line));
}
inline cnrtRet_t cnrtMemcpyAsync_V2(void* to, const void* from, size_t n, cnrtQueue_t q, cnrtMemTransDir_t dir, XP_LINE) {
  XP_DO(copy(to, from, n, dir, q, xp_line));
}
template <class T>
inline cnrtRet_t cnrtMemcpyToSymbol(T& symbol, const void* from, size_t n, size_t offset, cnrtMemTransDir_t, XP_LINE) {
  XP_DO(copy_symbol((char*)&symbol + offset, from, n, sizeof(T), offset, xp_line));
}
template <class T>
inline cnrtRet_t cnrtMemcpyToSymbolAsync(T& symbol, const void* from, size_t n, size_t offset, cnrtMemTransDir_t, cnrtQueue_t, XP_LINE) {
  XP_DO(copy_symbol((char*)&symbol + offset, from, n, sizeof(T), offset, xp_line));
}
template <class T>
inline cnrtRet_t cnrtMemcpyFromSymbol(void* to, T& symbol, size_t n, size_t offset, cnrtMemTransDir_t, XP_LINE) {
  XP_DO(copy_symbol(to, (const char*)&symbol + offset, n, sizeof(T), offset, xp_line));
}
template <class T>
inline cnrtRet_t cnrtMemcpyFromSymbolAsync(void* to, T& symbol, size_t n, size_t offset, cnrtMemTransDir_t, cnrtQueue_t, XP_LINE) {
  XP_DO(copy_symbol(to, (const char*)&symbol + offset, n, sizeof(T), offset, xp_line));
}
inline cnrtRet_t cnrtMemset(void* p, int byte, size_t n, XP_LINE) { XP_DO(fill(p, byte, n, xp_line)); }
inline cnrtRet_t cnrtMemsetD8(void* p, unsigned char byte, size_t n, XP_LINE) { XP_DO(fill(p, byte, n, xp_line)); }
inline cnrtRet_t cnrtMemsetAsync(void* p, int byte, size_t n, cnrtQueue_t, XP_LINE) { XP_DO(fill(p, byte, n, xp_line)); }

inline cnrtRet_t cnrtNotifierCreate(cnrtNotifier_t* n) { *n = new xp_notifier(); return cnrtSuccess; }
inline cnrtRet_t cnrtNotifierDestroy(cnrtNotifier_t n) { delete n; return cnrtSuccess; }
inline cnrtRet_t cnrtPlaceNotifier(cnrtNotifier_t n, cnrtQueue_t q) { n->at = xp_bang::host::place(q); return cnrtSuccess; }
inline cnrtRet_t cnrtWaitNotifier(cnrtNotifier_t) { XP_DO(queue_wait(nullptr)); }
inline cnrtRet_t cnrtQueueWaitNotifier(cnrtNotifier_t, cnrtQueue_t, unsigned) { return cnrtSuccess; }
// An emulator's time says nothing: translations have the same value.
inline cnrtRet_t cnrtNotifierDuration(cnrtNotifier_t, cnrtNotifier_t, float* us) { *us = 0; return cnrtSuccess; }
inline cnrtRet_t cnrtNotifierElapsedTime(cnrtNotifier_t, cnrtNotifier_t, float* ms) { *ms = 0; return cnrtSuccess; }
#undef XP_NOTHING
#undef XP_DO
#define CNRT_CHECK(...)                                                          \
  do {                                                                           \
    const cnrtRet_t xp_result = (cnrtRet_t)(__VA_ARGS__);                        \
    if (xp_result != cnrtSuccess) {                                              \
      printf("%s failed: %s\n", #__VA_ARGS__, cnrtGetErrorStr(xp_result));       \
      exit(1);                                                                   \
    }                                                                            \
  } while (0)
#endif
