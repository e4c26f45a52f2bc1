// The host API of BANG C: memory, copies, queues, launches. Every call succeeds.
#pragma once

enum cnrtRet_t { cnrtSuccess = 0, CNRT_RET_SUCCESS = 0, CNRT_RET_ERR_INVALID = 632006, cnrtErrorUnknown = 999 };
typedef enum cnrtRet_t cnrtRet_t;
enum CNresult { CN_SUCCESS = 0 };
typedef enum CNresult CNresult;
typedef int CNdev;
enum cnrtFunctionType_t {
  cnrtFuncTypeBlock = 1, cnrtFuncTypeUnion1 = 4, cnrtFuncTypeUnion2 = 8, cnrtFuncTypeUnion4 = 16,
  cnrtFuncTypeUnion8 = 32, cnrtFuncTypeUnion16 = 64,
  CNRT_FUNC_TYPE_BLOCK = 1, CNRT_FUNC_TYPE_UNION1 = 4, CNRT_FUNC_TYPE_UNION2 = 8,
  CNRT_FUNC_TYPE_UNION4 = 16, CNRT_FUNC_TYPE_UNION8 = 32, CNRT_FUNC_TYPE_UNION16 = 64,
  cnrtFuncTypeMutable = -2
};
typedef enum cnrtFunctionType_t cnrtFunctionType_t;
enum cnrtMemTransDir_t {
  cnrtMemcpyHostToHost, cnrtMemcpyHostToDev, cnrtMemcpyDevToDev, cnrtMemcpyDevToHost, cnrtMemcpyNoDirection,
  CNRT_MEM_TRANS_DIR_HOST2DEV = cnrtMemcpyHostToDev, CNRT_MEM_TRANS_DIR_DEV2HOST = cnrtMemcpyDevToHost,
  CNRT_MEM_TRANS_DIR_DEV2DEV = cnrtMemcpyDevToDev, CNRT_MEM_TRANS_DIR_HOST2HOST = cnrtMemcpyHostToHost
};
typedef enum cnrtMemTransDir_t cnrtMemTransDir_t;
struct xp_queue; struct xp_notifier;
typedef xp_queue* cnrtQueue_t;
typedef xp_notifier* cnrtNotifier_t;
typedef dim3 cnrtDim3_t;
typedef int cnrtDev_t;
enum cnrtDeviceAttr_t {
  cnrtAttrClusterCount, cnrtAttrMcorePerCluster, cnrtAttrNramSizePerMcore, cnrtAttrMaxBlockTaskDimX,
  cnrtAttrWramSizePerMcore, cnrtAttrSramSizePerMcore
};
enum CNdevice_attribute { CN_DEVICE_ATTRIBUTE_MAX_CLUSTER_COUNT, CN_DEVICE_ATTRIBUTE_MAX_CORE_COUNT_PER_CLUSTER };

int __cudaPushCallConfiguration(cnrtDim3_t dim, cnrtFunctionType_t type, cnrtQueue_t queue = 0);
cnrtRet_t cnrtInit(unsigned);
cnrtRet_t cnrtDestroy();
cnrtRet_t cnrtSetDevice(int);
cnrtRet_t cnrtGetDevice(int*);
cnrtRet_t cnrtGetLastError();
cnrtRet_t cnrtPeekAtLastError();
const char* cnrtGetErrorStr(cnrtRet_t);
cnrtRet_t cnrtQueueCreate(cnrtQueue_t*);
cnrtRet_t cnrtQueueDestroy(cnrtQueue_t);
cnrtRet_t cnrtQueueSync(cnrtQueue_t);
cnrtRet_t cnrtCreateQueue(cnrtQueue_t*);
cnrtRet_t cnrtDestroyQueue(cnrtQueue_t);
cnrtRet_t cnrtSyncQueue(cnrtQueue_t);
cnrtRet_t cnrtSyncDevice();
cnrtRet_t cnrtMalloc(void** p, size_t bytes);
template <class T> cnrtRet_t cnrtMalloc(T** p, size_t bytes);
template <class T> cnrtRet_t cnrtHostMalloc(T** p, size_t bytes);
template <class T> cnrtRet_t cnrtMallocHost(T** p, size_t bytes);
cnrtRet_t cnrtFree(void*);
cnrtRet_t cnrtFreeHost(void*);
cnrtRet_t cnrtMemcpy(void* d, const void* s, size_t bytes, cnrtMemTransDir_t kind);
cnrtRet_t cnrtMemcpyAsync(void* d, const void* s, size_t bytes, cnrtQueue_t q, cnrtMemTransDir_t kind);
cnrtRet_t cnrtMemcpyAsync_V2(void* d, const void* s, size_t bytes, cnrtQueue_t q, cnrtMemTransDir_t kind);
template <class T> cnrtRet_t cnrtMemcpyToSymbol(const T& symbol, const void* s, size_t bytes, size_t offset, cnrtMemTransDir_t kind);
template <class T> cnrtRet_t cnrtMemcpyToSymbolAsync(const T& symbol, const void* s, size_t bytes, size_t offset, cnrtMemTransDir_t kind, cnrtQueue_t q);
template <class T> cnrtRet_t cnrtMemcpyFromSymbol(void* d, const T& symbol, size_t bytes, size_t offset, cnrtMemTransDir_t kind);
template <class T> cnrtRet_t cnrtMemcpyFromSymbolAsync(void* d, const T& symbol, size_t bytes, size_t offset, cnrtMemTransDir_t kind, cnrtQueue_t q);
cnrtRet_t cnrtMemset(void* p, int value, size_t bytes);
cnrtRet_t cnrtMemsetD8(void* p, unsigned char value, size_t bytes);
cnrtRet_t cnrtMemsetAsync(void* p, int value, size_t bytes, cnrtQueue_t q);
cnrtRet_t cnrtNotifierCreate(cnrtNotifier_t*);
cnrtRet_t cnrtNotifierDestroy(cnrtNotifier_t);
cnrtRet_t cnrtPlaceNotifier(cnrtNotifier_t, cnrtQueue_t);
cnrtRet_t cnrtWaitNotifier(cnrtNotifier_t);
inline cnrtRet_t cnrtNotifierDuration(cnrtNotifier_t, cnrtNotifier_t, float* us) { *us = 0.0f; return cnrtSuccess; }
inline cnrtRet_t cnrtNotifierElapsedTime(cnrtNotifier_t, cnrtNotifier_t, float* ms) { *ms = 0.0f; return cnrtSuccess; }
inline cnrtRet_t cnrtDeviceGetAttribute(int* value, cnrtDeviceAttr_t a, int) {
  *value = a == cnrtAttrClusterCount ? 12 : 4;
  return cnrtSuccess;
}
inline CNresult cnDeviceGetAttribute(int* value, CNdevice_attribute a, CNdev) {
  *value = a == CN_DEVICE_ATTRIBUTE_MAX_CLUSTER_COUNT ? 12 : 4;
  return CN_SUCCESS;
}
#define CNRT_CHECK(call) (call)
